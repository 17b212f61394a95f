import { randomUUID } from 'node:crypto'
import { clocksDisagree, elapsedMs, type Moment, takeMoment } from '../../clock.js'
import { StoreProtocolError, StoreUnavailableError } from '../../errors.js'
import { pause } from '../../pause.js'
import type { ChangeBatch, ChangesOptions } from '../../revocation/store.js'
import { readEvents } from './event-stream.js'
import { type HttpTransport, type Sent, transportError } from './http-transport.js'
import { problemError, readProblem } from './problem.js'
import {
  asAnswer,
  asObject,
  CURSOR,
  decodeChanges,
  MAX_CURSOR_LENGTH,
  PATHS,
  type ToldPools,
} from './wire.js'

/** A stream that was over sooner is not opened again at once. */
const SHORTEST_STREAM_MS = 1_000
const REOPEN_PAUSE_MS = 250

/** What the feed of a store over HTTP needs. */
export interface HttpFeedOptions extends ChangesOptions {
  readonly transport: HttpTransport
  readonly silenceMs: number
}

/**
 * The change feed. It goes on where the service ends a stream as announced, with what is new since, and begins
 * with everything where the service does not take the cursor: it is of another key, or of other pools. It opens
 * another stream as well where a clock of this machine was set, for the ages of the one that is open count from before.
 *
 * @throws StoreUnavailableError, StoreProtocolError
 */
export async function* readFeed(options: HttpFeedOptions): AsyncGenerator<ChangeBatch, void, undefined> {
  const { after = '', signal } = options
  let cursor = isCursor(after) ? after : ''
  let pools: ToldPools | undefined
  while (!signal.aborted) {
    const openedAt = performance.now()
    try {
      const response = await open(options, cursor)
      if (response === undefined) {
        cursor = ''
        continue
      }
      for await (const batch of readBatches(options, response, cursor)) {
        if (signal.aborted) return
        const told = batch.pools ?? 'all'
        if (!batch.restarted && pools !== undefined && !areSame(pools, told)) {
          throw new StoreProtocolError(
            'The service tells of other user pools, without beginning with everything',
          )
        }
        pools = told
        cursor = batch.cursor
        yield batch
      }
    } catch (error) {
      if (signal.aborted) return
      throw transportError(error)
    }
    if (performance.now() - openedAt < SHORTEST_STREAM_MS) await pause(REOPEN_PAUSE_MS, signal)
  }
}

function areSame(some: ToldPools, others: ToldPools): boolean {
  return some === others || JSON.stringify(some) === JSON.stringify(others)
}

function isCursor(text: string): boolean {
  return text.length <= MAX_CURSOR_LENGTH && CURSOR.test(text)
}

/** A stream that is open, and what its ages are counted from. */
interface OpenStream extends Sent {
  readonly requestId: string
  /** Before the request was sent: what the service counts from is later. */
  readonly sentAt: Moment
}

/** Opens a stream; undefined where the cursor is not taken. */
async function open({ transport, signal }: HttpFeedOptions, cursor: string): Promise<OpenStream | undefined> {
  const requestId = randomUUID()
  const headers: Record<string, string> = cursor === '' ? {} : { 'last-event-id': cursor }
  const sentAt = takeMoment()
  const answer = await transport.stream(`${PATHS.changes}?request=${requestId}`, headers, signal)
  if ('response' in answer) return { ...answer, requestId, sentAt }
  const { status, text, key } = answer
  const code = readProblem(text, key)?.code
  if (cursor !== '' && (code === 'cursor_invalid' || status === 431)) return undefined
  throw problemError(status, text, key)
}

/** The batches of one stream, until it ends as announced. */
async function* readBatches(
  { silenceMs }: HttpFeedOptions,
  { response, key, requestId, sentAt }: OpenStream,
  after: string,
): AsyncGenerator<ChangeBatch, void, undefined> {
  let cursor = after
  let isOpen = false
  let isFirst = true
  let pools: ToldPools | undefined
  for await (const { event, id, data } of readEvents(response, silenceMs)) {
    if (!isOpen) {
      // A stream that something on the way had kept would count its ages from another request.
      const isOurs = event === 'open' && openedBy(data) === requestId
      if (!isOurs) throw new StoreProtocolError('The stream is not the answer to this request: is it cached?')
      isOpen = true
      continue
    }
    if (event === 'end' || clocksDisagree(sentAt)) return
    // It waits for its turn to catch up.
    if (event === 'waiting') continue
    if (event === 'problem') throw problemError(0, data, key)
    if (event !== 'changes') throw new StoreProtocolError('The stream has an event of an unknown type')
    const { revocations, caughtUp, knownAtMs, ...said } = decodeChanges(data)
    // Wherever a clock stood still, of this machine while it slept or of a service that lies.
    if (!(knownAtMs <= performance.now() - sentAt.monotonic)) {
      throw new StoreProtocolError('The service is ahead of the clock of this process')
    }
    pools = said.pools ?? pools
    if (pools === undefined)
      throw new StoreProtocolError('The service does not say of which user pools it tells')
    const restarted = said.restarted || (isFirst && after === '')
    isFirst = false
    // In the midst of everything there is no going on from what was before.
    if (restarted) cursor = ''
    if (id !== undefined) {
      if (!isCursor(id)) throw new StoreProtocolError('The stream has a cursor that is none')
      cursor = id
    }
    yield {
      revocations,
      cursor,
      caughtUp,
      restarted,
      ...(pools === 'all' ? {} : { pools }),
      // It goes on counting, also where this process is stopped before anybody has read it.
      get ageMs() {
        return Math.max(0, elapsedMs(sentAt) - knownAtMs)
      },
    }
  }
  throw new StoreUnavailableError('The stream of changes broke off')
}

function openedBy(data: string): unknown {
  return asAnswer(() => asObject('open', JSON.parse(data), ['request']).request)
}
