import { setTimeout as pause } from 'node:timers/promises'
import type { Revocation } from '../../src/revocation/revocation.js'
import type { ChangeBatch, RevocationStore } from '../../src/revocation/store.js'
import { changing, changingRecords, type Fault, fault, newOnly } from './breaking.js'
import { keepingTheLast } from './broken-stores.js'

const forever = () => new AbortController().signal

export const BROKEN_FEEDS: readonly Fault[] = [
  fault(
    'begins its feed with everything it holds, and goes on with what is added',
    'it leaves out what was there before',
    changing((_, index) => (index === 0 ? { revocations: [] } : {})),
  ),
  fault(
    'does not say that it is caught up before it has delivered what was added meanwhile',
    'it always says that it is caught up',
    changing(() => ({ caughtUp: true })),
  ),
  fault('announces again what is added again', 'it tells of each record once', (store) => {
    const seen = new Set<string>()
    return changingRecords((each) => !seen.has(each.id) && seen.add(each.id) && each)(store)
  }),
  fault(
    'delivers all of a big add',
    'a batch has room for 500',
    changing(({ revocations }) => ({ revocations: revocations.slice(0, 500) })),
  ),
  fault(
    'gives a sign of life when nothing happens',
    'it says nothing then',
    changing(({ revocations }, index) => (revocations.length === 0 && index > 0 ? undefined : {})),
  ),
  fault('ends its feed at the signal, without an error', 'it does not look at the signal', (store) => ({
    changes: (options) => store.changes({ ...options, signal: forever() }),
  })),
  fault('ends its feed at the signal, without an error', 'it throws', (store) => ({
    changes: async function* (options) {
      yield* store.changes(options)
      throw options.signal.reason
    },
  })),
  fault('ends its feed at once at a signal that was given before', 'it waits for the next', (store) => ({
    changes: async function* ({ signal, ...options }) {
      yield* store.changes({ ...options, signal: signal.aborted ? forever() : signal })
    },
  })),
  ...[Number.NaN, Number.POSITIVE_INFINITY, -1, undefined, '0'].map((ageMs) =>
    fault(
      'tells with every batch how old it is: a finite number, not negative',
      `its age is ${ageMs}`,
      changing((_, index) => (index > 1 ? { ageMs: ageMs as number } : {})),
    ),
  ),
  fault(
    'has delivered, where it is caught up, all that was acknowledged before the age it tells',
    'what comes late is told as new',
    (store) => ({
      changes: async function* (options) {
        for await (const batch of store.changes(options)) {
          await pause(15)
          yield { ...batch, ageMs: 0 }
        }
      },
    }),
  ),
  fault(
    'goes on counting the age of a batch that waits to be read',
    'it reads ahead, and tells the age of when it read',
    (store) => ({
      changes: async function* (options) {
        const feed = store.changes(options)
        for (let next = feed.next(); ; ) {
          const { value, done } = await next
          if (done) return
          next = feed.next()
          yield { ...value, ageMs: 0 }
        }
      },
    }),
  ),
  fault(
    'catches up again and again while adds go on',
    'it is caught up only when there is nothing new',
    changing(({ revocations }, index) => ({ caughtUp: revocations.length === 0 && index > 2 })),
  ),
  fault('goes on from a cursor without a gap', 'it goes on with what is new', (store) => ({
    changes: (options) => (options.after === undefined ? store.changes(options) : newOnly(store, options)),
  })),
  fault(
    'goes on without a gap from the cursor of any batch, also in the midst of its first reading',
    'its cursor is that of the batch after',
    (store) => ({
      changes: async function* (options) {
        let previous: ChangeBatch | undefined
        for await (const batch of store.changes(options)) {
          if (previous !== undefined) yield { ...previous, cursor: batch.cursor }
          previous = batch
        }
      },
    }),
  ),
  fault(
    'starts over from everything at a cursor that it does not know',
    'it goes on with what is new',
    (store) => {
      const given = new Set<string>()
      return {
        changes: async function* (options) {
          const isStrange = options.after !== undefined && !given.has(options.after)
          for await (const batch of isStrange ? newOnly(store, options) : store.changes(options)) {
            given.add(batch.cursor)
            yield { ...batch, restarted: isStrange || batch.restarted === true }
          }
        },
      }
    },
  ),
  fault(
    'starts over from everything at a cursor that it does not know',
    'it believes in a number that it has not reached',
    (store) => ({
      changes: async function* ({ after, ...options }) {
        const { value } = await store.changes({ signal: forever() }).next()
        const [generation, last] = value?.cursor.split(':') ?? []
        const isFuture = Number(after) > Number(last)
        const feed = isFuture
          ? newOnly(store, options)
          : store.changes(after === undefined ? options : { ...options, after: `${generation}:${after}` })
        for await (const batch of feed) yield { ...batch, cursor: batch.cursor.split(':')[1] ?? '' }
      },
    }),
  ),
  fault(
    'says restarted in the first batch of a reading that begins with everything',
    'it never says so',
    changing(({ restarted: _, ...batch }) => batch, true),
  ),
  fault(
    'has delivered everything between a batch that says restarted and the next that is caught up',
    'it always says that it starts over',
    changing(() => ({ restarted: true })),
  ),
  fault(
    'has delivered everything between a batch that says restarted and the next that is caught up',
    'it leaves out what is over',
    changingRecords((each) => each.expiresAt > Date.now() / 1000 && each),
  ),
  fault(
    'delivers every part of a record as it was given, when it is added and when all is read',
    'it leaves out the cutoff',
    changingRecords(({ cutoff: _, ...each }) => each),
  ),
  fault(
    'delivers every part of a record as it was given, when it is added and when all is read',
    'it rounds the cutoff down',
    changingRecords((each) =>
      each.cutoff === undefined ? each : { ...each, cutoff: Math.floor(each.cutoff) },
    ),
  ),
  fault(
    'delivers every part of a record as it was given, when it is added and when all is read',
    'it tells no expiresAt',
    changingRecords((each) => ({ ...each, expiresAt: 0 })),
  ),
  fault(
    'delivers with what is added the audit that was given with it, and not another',
    'it leaves out the audit',
    changingRecords(({ audit: _, ...each }) => each),
  ),
  fault(
    'delivers with what is added the audit that was given with it, and not another',
    'it keeps the first audit',
    (store) => {
      let first: Revocation['audit']
      return changingRecords(({ audit, ...each }) => {
        first ??= audit
        return first === undefined ? each : { ...each, audit: first }
      })(store)
    },
  ),
  fault('delivers what, merged in any order, is what it finds', 'it loses one in three', (store) => {
    let count = 0
    return changingRecords((each) => ++count % 3 !== 0 && each)(store)
  }),
  fault('delivers what, merged in any order, is what it finds', 'the last wins in look-ups', (store) => {
    const { add, find } = keepingTheLast() as RevocationStore
    return { add: (list) => Promise.all([add(list), store.add(list)]).then(() => {}), find }
  }),
  fault('gives everything to each of its readers, fast or slow', 'they share one reading', (store) => {
    const shared = store.changes({ signal: forever() })
    return {
      changes: async function* ({ signal }) {
        while (!signal.aborted) yield (await shared.next()).value as ChangeBatch
      },
    }
  }),
  fault('goes on for its other readers when some stop, however they do', 'all stop with one', (store) => {
    const all = new AbortController()
    return {
      changes: async function* ({ signal, ...options }) {
        try {
          yield* store.changes({ ...options, signal: AbortSignal.any([signal, all.signal]) })
        } finally {
          all.abort()
        }
      },
    }
  }),
  fault('stops for a reader that has had enough, also without its signal', 'it goes on', (store) => ({
    changes: (options) => {
      const feed = store.changes(options)
      const iterator = { next: () => feed.next(), return: async () => ({ done: true as const, value: 0 }) }
      return { [Symbol.asyncIterator]: () => iterator }
    },
  })),
  fault('loses nothing for a reader that pauses while 3,000 are added', 'it drops the oldest', (store) => ({
    changes: async function* (options) {
      const waiting: ChangeBatch[] = []
      void (async () => {
        for await (const batch of store.changes(options)) waiting.splice(0, waiting.length, batch)
      })()
      while (!options.signal.aborted) {
        for (const batch of waiting.splice(0)) yield batch
        await pause(1)
      }
    },
  })),
]
