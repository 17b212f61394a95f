import type { ServerResponse } from 'node:http'
import { assertInteger, assertOptionalBoolean, assertOptionalFunction, assertOptions } from '../../options.js'
import type { WatchOutcome } from '../../revocation/revocation-watch.js'
import type { CognitoClaims } from '../../tokens/claims.js'
import { closeTimer, orClose, whenClosed } from './closing.js'
import {
  assertWatchingVerifier,
  type ConnectionOptions,
  type ConnectionWatch,
  type WatchingVerifier,
  watchConnection,
} from './connection-watch.js'

/** Options of `endEventStreamOnRevocation`. */
export interface EventStreamOptions extends ConnectionOptions {
  /**
   * Send a last event, named `revoked`, `expired` or `unavailable`, with the same word for data, where the stream has
   * begun. Default false: the client sees it end, comes again, and is answered by a status.
   */
  readonly lastEvent?: boolean
  /** How long the client has to take in the rest before the connection is broken, in milliseconds. Default 2,000. */
  readonly closeTimeoutMs?: number
}

const OWNER = 'endEventStreamOnRevocation'

/**
 * Ends a stream of server-sent events when the session behind these claims is revoked, or its token expires. For
 * Node's response, which is also Express's `res`, Fastify's `reply.raw` and Koa's `ctx.res`. The watch ends when the
 * client goes away, or the application ends the stream. What it goes on writing meanwhile is dropped, without an error.
 * A response that has not begun is broken off.
 *
 * Where it cannot be watched, the stream is ended as `unavailable`, and the observer told the error.
 *
 * @throws TypeError naming the option; the stream is broken then, too
 * @example
 * import { endEventStreamOnRevocation } from 'cognito-revocation/connections'
 * res.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' })
 * endEventStreamOnRevocation(res, verifier, claims)
 */
export function endEventStreamOnRevocation(
  response: ServerResponse,
  verifier: WatchingVerifier,
  claims: CognitoClaims,
  options: EventStreamOptions = {},
): ConnectionWatch {
  const breakOff = (): void => void response.destroy()
  const { lastEvent, closeTimeoutMs } = orClose(breakOff, () => check(verifier, options))
  const close = (outcome: WatchOutcome): void => {
    // The application may write until it hears of the end; without a listener, that would end the process.
    response.on('error', () => {})
    if (!response.headersSent) {
      // An end would be an answer: 200, and empty.
      response.destroy()
      return
    }
    closeTimer(response, closeTimeoutMs, breakOff)
    if (lastEvent && !response.writableEnded) response.write(`event: ${outcome}\ndata: ${outcome}\n\n`)
    response.end()
  }
  const connection = {
    isClosed: response.closed || response.destroyed,
    onClose: (listener: () => void) => whenClosed(OWNER, response, listener),
    close,
    breakOff,
  }
  return watchConnection(connection, verifier, claims, options.observer)
}

function check(verifier: WatchingVerifier, options: EventStreamOptions) {
  assertWatchingVerifier(OWNER, verifier)
  assertOptions(OWNER, options, ['lastEvent', 'closeTimeoutMs', 'observer'])
  const { lastEvent = false, closeTimeoutMs = 2_000 } = options
  assertOptionalBoolean(OWNER, 'lastEvent', lastEvent)
  assertInteger(OWNER, 'closeTimeoutMs', closeTimeoutMs, 0, 30_000)
  assertOptionalFunction(OWNER, 'observer', options.observer)
  return { lastEvent, closeTimeoutMs }
}
