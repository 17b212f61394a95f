import { elapsedMs, type Moment, takeMoment } from '../../clock.js'
import { notify } from '../../observer.js'
import { FeedReader } from '../feed-reader.js'
import type { Revocation } from '../revocation.js'
import type { ChangeBatch, ChangesOptions } from '../store.js'
import { assertBatch, haveSamePools } from './feed-batch.js'
import { readCursor, writeCursor } from './merged-cursor.js'
import type { Replica } from './replica.js'
import type { ReplicaSet } from './replica-set.js'

const HEARTBEAT_MS = 1_000
const SILENCE_MS = 10_000
const LONGEST_RETRY_MS = 1_000

/** The feeds of all replicas as one, which goes on though some of them fail. */
export async function* readMergedFeed(
  set: ReplicaSet,
  { after, signal }: ChangesOptions,
): AsyncGenerator<ChangeBatch, void, undefined> {
  const ended = AbortSignal.any([signal, set.options.closing])
  let cursor = readCursor(after, set.replicas.length)
  while (!ended.aborted) {
    const reading = new MergedReading(set, cursor, ended)
    try {
      yield* reading.batches()
    } finally {
      reading.close()
    }
    cursor = undefined
  }
}

/** What is known of one replica's feed. */
interface Part {
  readonly replica: Replica
  readonly reader: FeedReader
  /** After the last batch that was delivered; undefined until it has caught up once. */
  cursor: string | undefined
  /** All that the replica had recorded before this moment has been delivered. */
  knownAt: Moment | undefined
  hasCaughtUp: boolean
  hasFailed: boolean
  /** It was opened with a cursor of the reader's, which may be anything. */
  isResumed: boolean
  /** The user pools it tells of; undefined for all. */
  pools: readonly string[] | undefined
}

/** A batch that waits to be delivered. Its reader goes on once it has been. */
interface Delivery {
  readonly part: Part
  readonly batch: ChangeBatch
  readonly knownAt: Moment | undefined
  readonly delivered: () => void
}

/** One reading of all feeds at once, from a cursor or from everything. */
class MergedReading {
  readonly #set: ReplicaSet
  readonly #ended: AbortSignal
  readonly #parts: readonly Part[]
  readonly #waiting: Delivery[] = []
  readonly #leave: () => void
  #restarted: boolean
  #isOver = false
  #wake = () => {}

  constructor(set: ReplicaSet, after: readonly string[] | undefined, ended: AbortSignal) {
    this.#set = set
    this.#ended = ended
    this.#restarted = after === undefined
    this.#parts = set.replicas.map((replica, index) => this.#createPart(replica, after?.[index]))
    this.#leave = set.onRestart(() => this.#startOver())
  }

  /** Until the end, or until everything has to be read afresh. */
  async *batches(): AsyncGenerator<ChangeBatch, void, undefined> {
    for (const { reader } of this.#parts) reader.start()
    while (!this.#ended.aborted && !this.#isOver) {
      if (this.#waiting.length === 0) await this.#nextDelivery()
      if (this.#ended.aborted || this.#isOver) return
      const delivery = this.#waiting.shift()
      if (delivery !== undefined) {
        const { part, batch, knownAt } = delivery
        part.knownAt = knownAt ?? part.knownAt
        part.cursor = part.hasCaughtUp ? batch.cursor : undefined
      }
      try {
        yield this.#batchOf(delivery?.batch.revocations ?? [])
      } finally {
        delivery?.delivered()
      }
    }
  }

  close(): void {
    this.#isOver = true
    for (const { delivered } of this.#waiting.splice(0)) delivered()
    for (const part of this.#parts) {
      part.replica.doubts.leave(part, knownAtOf(part))
      void part.reader.close()
    }
    this.#leave()
  }

  #startOver(): void {
    this.#isOver = true
    this.#wake()
  }

  #createPart(replica: Replica, after: string | undefined): Part {
    const { observer } = this.#set.options
    const part: Part = {
      replica,
      reader: new FeedReader({
        open: (options) => replica.changes(options),
        apply: (batch, restarted) => this.#apply(part, batch, restarted),
        silenceMs: SILENCE_MS,
        longestRetryMs: LONGEST_RETRY_MS,
        failed: (error, retryAfterMs) => {
          part.hasFailed = true
          if (!this.#isOver) replica.doubts.begin(part)
          notify(observer, {
            type: 'replica_feed_failed',
            replica: replica.number,
            error,
            retryAfterMs,
          })
        },
        after,
      }),
      cursor: after,
      knownAt: undefined,
      hasCaughtUp: after !== undefined,
      hasFailed: false,
      isResumed: after !== undefined,
      pools: undefined,
    }
    return part
  }

  async #apply(part: Part, batch: ChangeBatch, restarted: boolean): Promise<boolean> {
    const { replica } = part
    const receivedAt = takeMoment()
    const { ageMs } = batch
    await assertBatch(batch, replica.number)
    if (this.#isOver) return false
    if (restarted && part.isResumed) {
      // A cursor from outside proves no loss: it may be as old as you like, or no cursor at all.
      this.#startOver()
      return false
    }
    part.isResumed = false
    if (part.knownAt !== undefined && !haveSamePools(part.pools, batch.pools)) {
      // Of what it tells now, nothing older may be known.
      this.#startOver()
      return false
    }
    part.pools = batch.pools
    // Of one that was away from the start, the others know what it must have, once they have caught up.
    if (restarted && (part.hasCaughtUp || (part.hasFailed && this.#hasCaughtUp()))) {
      this.#set.lost(replica, knownAtOf(part))
    }
    let knownAt: Moment | undefined
    if (batch.caughtUp) {
      part.hasCaughtUp = true
      replica.doubts.end(part)
      const moment = { wall: receivedAt.wall - ageMs, monotonic: receivedAt.monotonic - ageMs }
      if (replica.doubts.canTell(moment.monotonic)) this.#settle(part, restarted)
      // What it held before it was refilled is not all that was acknowledged.
      if (!replica.isLost && moment.monotonic >= replica.refilledAt) knownAt = moment
    }
    await new Promise<void>((delivered) => {
      this.#waiting.push({ part, batch, knownAt, delivered })
      this.#wake()
    })
    return false
  }

  /** Others have left while this store's feed had failed: has it gone on where it was when they last saw it? */
  #settle({ replica, knownAt }: Part, restarted: boolean): void {
    const { leftKnownAt } = replica.doubts
    if (leftKnownAt === undefined) return
    if (!restarted && knownAt !== undefined && knownAt.monotonic >= leftKnownAt) replica.doubts.settle()
    else this.#set.lost(replica, leftKnownAt)
  }

  #hasCaughtUp(): boolean {
    return this.#parts.filter(({ knownAt }) => knownAt !== undefined).length >= this.#set.readQuorum
  }

  #batchOf(revocations: readonly Revocation[]): ChangeBatch {
    const restarted = this.#restarted
    this.#restarted = false
    const { readQuorum } = this.#set
    const known = this.#parts.flatMap(({ knownAt }) => knownAt ?? [])
    const openedAt = takeMoment()
    const pools = this.#pools()
    return {
      revocations,
      restarted,
      isolated: true,
      ...(pools === undefined ? {} : { pools }),
      cursor: writeCursor(this.#parts.map(({ cursor }) => cursor)),
      caughtUp: this.#hasCaughtUp(),
      // Any so many of them know all that was acknowledged before the oldest of their moments.
      get ageMs() {
        const ages = known.map((moment) => elapsedMs(moment)).sort((a, b) => a - b)
        return ages[readQuorum - 1] ?? elapsedMs(openedAt)
      },
    }
  }

  /** Those that every feed tells of which may count. */
  #pools(): readonly string[] | undefined {
    const counted = this.#parts.filter(({ knownAt }) => knownAt !== undefined)
    const [first, ...others] = counted.flatMap(({ pools }) => (pools === undefined ? [] : [pools]))
    return first?.filter((poolId) => others.every((pools) => pools.includes(poolId)))
  }

  /** Resolves at the next delivery, at the end, or when a sign of life is due. */
  #nextDelivery(): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer)
        this.#ended.removeEventListener('abort', done)
        this.#wake = () => {}
        resolve()
      }
      const timer = setTimeout(done, HEARTBEAT_MS).unref()
      this.#ended.addEventListener('abort', done)
      this.#wake = done
    })
  }
}

/** When a store had everything for sure, by `performance.now()`. */
function knownAtOf({ knownAt }: Part): number {
  return knownAt?.monotonic ?? Number.NEGATIVE_INFINITY
}
