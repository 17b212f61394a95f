import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { MemoryRevocationStore } from '../../src/revocation/memory-store.js'
import { RevocationMirror } from '../../src/revocation/mirror.js'
import type { Revocation } from '../../src/revocation/revocation.js'
import type { RevocationStore } from '../../src/revocation/store.js'
import { pool } from './tokens.js'

const BATCH = 10_000
const HEARTBEAT_MS = 1_000
/** What a store in the Maps of this process holds: a million in them is work for the garbage collector all the time. */
export const IN_MEMORY = 10_000
/** Well under the 5 s after which a mirror does not answer any more. */
const FRESH_MS = 2_000
const FRESH_WITHIN_MS = 30_000
/** A million take a second or two; on a machine that does much else, many. */
const READY_WITHIN_MS = 300_000

export interface Revocations {
  readonly mirror: RevocationMirror
  readonly store: MemoryRevocationStore
  /** Lets the mirror's feed have its turn, which a loop that measures does not give it. */
  refresh(): Promise<void>
  /** Something new comes in, which has nothing to do with any token at hand. */
  news(): Promise<void>
  close(): Promise<void>
}

/** A mirror that has caught up with so many revoked sessions, and a memory store of fewer, those of `among` in both. */
export async function createRevocations(
  entries: number,
  among: readonly string[] = [],
): Promise<Revocations> {
  const store = new MemoryRevocationStore()
  await revokeSessions(store, Math.min(entries, IN_MEMORY), among)
  const mirror = await createMirror(entries, among)
  return {
    mirror,
    store,
    async refresh() {
      const giveUpAt = performance.now() + FRESH_WITHIN_MS
      do {
        await delay(1)
        if (performance.now() > giveUpAt) throw new Error('The mirror does not catch up')
      } while (mirror.staleness() > FRESH_MS)
    },
    news: () => mirror.add(sessions(0, 1, [])),
    async close() {
      await mirror.close()
      await store.close()
    },
  }
}

/** A mirror that has caught up with so many revoked sessions, those of `among` with them. */
export async function createMirror(
  entries: number,
  among: readonly string[] = [],
): Promise<RevocationMirror> {
  const remote = remoteStore(entries, among)
  const mirror = new RevocationMirror(remote, {
    maxEntries: entries + 10_000,
    readyTimeoutMs: READY_WITHIN_MS,
  })
  await mirror.ready()
  return mirror
}

/** Records so many sessions as revoked, those of `among` with them. */
export async function revokeSessions(
  store: RevocationStore,
  entries: number,
  among: readonly string[] = [],
): Promise<void> {
  for (let from = 0; from < entries; from += BATCH) await store.add(sessions(from, entries, among))
}

/** As a store elsewhere is to its mirror: what it holds is not in this process's memory. */
function remoteStore(entries: number, among: readonly string[]): RevocationStore {
  return {
    add: async () => {},
    // A mirror that has to ask is not what is to be measured.
    find: async () => {
      throw new Error('The mirror asked its store')
    },
    async *changes({ signal }) {
      for (let from = 0; from < entries; from += BATCH) {
        const revocations = sessions(from, entries, among)
        const to = from + revocations.length
        yield { revocations, cursor: String(to), caughtUp: to === entries, ageMs: 0 }
      }
      for (;;) {
        await delay(HEARTBEAT_MS, undefined, { signal, ref: false })
        yield { revocations: [], cursor: String(entries), caughtUp: true, ageMs: 0 }
      }
    },
  }
}

/** The next of them, as many as go into a batch. */
function sessions(from: number, entries: number, among: readonly string[]): Revocation[] {
  const expiresAt = Math.floor(Date.now() / 1000) + 86_400
  return Array.from({ length: Math.min(BATCH, entries - from) }, (_, index) => {
    const id = among[from + index] ?? randomUUID()
    return { poolId: pool.userPoolId, scope: 'session', id, expiresAt }
  })
}
