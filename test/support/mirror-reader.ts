import { setTimeout as pause } from 'node:timers/promises'
import type { RevocationMirror } from '../../src/revocation/mirror.js'
import type { RevocationStore } from '../../src/revocation/store.js'

/**
 * A mirror as a process has it that only reads: what is added goes past it, and each look-up is answered out
 * of its memory, once it says that it knows of all that was added before the question.
 */
export function readingOnly(mirror: RevocationMirror, store: RevocationStore): RevocationStore {
  return {
    add: (revocations) => store.add(revocations),
    find: async (token) => {
      const askedAt = performance.now()
      await mirror.ready()
      while (mirror.staleness() > performance.now() - askedAt) await pause(1)
      return mirror.findSync(token)
    },
    changes: (options) => mirror.changes(options),
  }
}
