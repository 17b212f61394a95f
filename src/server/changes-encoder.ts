import type { Moment } from '../clock.js'
import { StoreProtocolError } from '../errors.js'
import type { ChangeBatch } from '../revocation/store.js'
import { splitRecords } from '../stores/http/wire.js'
import { type ApiKey, mayTouch, visiblePools } from './api-keys.js'
import { sealCursor } from './cursors.js'
import { type KnownBatch, knownAtMs } from './feed-subscription.js'

/** How often a key that is for some user pools only is told that there is nothing new, at most, in milliseconds. */
const SIGN_OF_LIFE_MS = 500

/** An event of the stream. */
export function eventOf(event: string, data: object): string {
  return `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`
}

/** The batches of a store's feed as the events of one stream: what its key may see of them. */
export class ChangesEncoder {
  readonly #since: Moment
  #key: ApiKey
  /** What the last batch said of its pools. */
  #told: ChangeBatch['pools']
  /** The pools that the stream has told that it tells of, as JSON. */
  #pools: string | undefined
  #wasCaughtUp = false
  #sentAt = Number.NEGATIVE_INFINITY

  /** @param since when the request was received, from which times are counted */
  constructor(key: ApiKey, since: Moment) {
    this.#key = key
    this.#since = since
  }

  get key(): ApiKey {
    return this.#key
  }

  /** Goes on for the same key, as it is configured now. */
  keep(key: ApiKey): void {
    this.#key = key
  }

  /** Whether a batch can follow in this stream: of other pools only with everything. @throws StoreProtocolError */
  takes({ pools, restarted }: ChangeBatch): boolean {
    return this.#pools === undefined || restarted === true || this.#poolsOf(pools) === this.#pools
  }

  /** The events of a batch: as many as there must be; only the last has the cursor, and may be caught up. */
  *events(known: KnownBatch): Generator<string, void, undefined> {
    const { batch } = known
    const own = batch.revocations.filter(({ poolId }) => mayTouch(this.#key, poolId))
    const pools = this.#poolsOf(batch.pools)
    const isNews = pools !== this.#pools
    this.#told = batch.pools
    this.#pools = pools
    if (own.length === 0 && !isNews && !this.#isDue(batch)) return
    const parts = splitRecords(own)
    const at = JSON.stringify(knownAtMs(known, this.#since))
    for (const [index, { text }] of parts.entries()) {
      const isLast = index === parts.length - 1
      const restarted = index === 0 && batch.restarted === true
      const caughtUp = isLast && batch.caughtUp
      const news = index === 0 && isNews ? `,"pools":${pools}` : ''
      const data = `{"revocations":${text},"caughtUp":${caughtUp},"restarted":${restarted},"knownAtMs":${at}${news}}`
      const id = isLast ? sealCursor(this.#key, batch.cursor) : undefined
      this.#sentAt = performance.now()
      this.#wasCaughtUp = caughtUp
      yield `event: changes\n${id === undefined ? '' : `id: ${id}\n`}data: ${data}\n\n`
    }
  }

  /** Whether a batch that has nothing for this key is sent: not each, for that would tell when others are busy. */
  #isDue({ caughtUp, restarted }: ChangeBatch): boolean {
    if (this.#key.pools === 'all' || restarted === true || caughtUp !== this.#wasCaughtUp) return true
    return performance.now() - this.#sentAt >= SIGN_OF_LIFE_MS
  }

  /** As JSON. Mostly the same as before. */
  #poolsOf(told: ChangeBatch['pools']): string {
    if (told !== undefined && !Array.isArray(told)) {
      throw new StoreProtocolError('The feed tells of pools that are no array')
    }
    if (this.#pools !== undefined && told === this.#told) return this.#pools
    return JSON.stringify(visiblePools(this.#key, told))
  }
}
