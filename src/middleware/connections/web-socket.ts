import { assertInteger, assertOptionalFunction, assertOptions, optionError } from '../../options.js'
import type { WatchOutcome } from '../../revocation/revocation-watch.js'
import type { CognitoClaims } from '../../tokens/claims.js'
import { closeTimer, type Emitter, orClose, whenClosed } from './closing.js'
import {
  assertWatchingVerifier,
  type ConnectionOptions,
  type ConnectionWatch,
  type WatchingVerifier,
  watchConnection,
} from './connection-watch.js'

/** A WebSocket of the server: one of ws, or whatever has these methods, and tells of its `close`. */
export interface WebSocketLike extends Emitter {
  readonly readyState?: number
  close(code?: number, reason?: string): void
  /** Breaks the connection. Without it, a peer that does not answer the close is left to the library's own timeout. */
  terminate?(): void
  emit?(event: string, ...parameters: unknown[]): unknown
}

/** Options of `closeWebSocketOnRevocation`. */
export interface WebSocketOptions extends ConnectionOptions {
  /**
   * The close code (RFC 6455, section 7.4) for each outcome. Default: 4401 for `revoked` and `expired` (refresh, and
   * sign in where that fails), 1013 "Try Again Later" for `unavailable` (come again with the same token).
   */
  readonly closeCodes?: Readonly<Partial<Record<WatchOutcome, number>>>
  /** How long the peer has to answer the close before the connection is broken, in milliseconds. Default 2,000. */
  readonly closeTimeoutMs?: number
}

const OWNER = 'closeWebSocketOnRevocation'
const OUTCOMES = ['revoked', 'expired', 'unavailable']
/** RFC 6455, section 7.4, and the WebSocket protocol's registry at IANA; 1004 to 1006 must not be sent. */
const SENDABLE = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014]
/** `readyState` of every WebSocket. */
const CLOSED = 3

/**
 * Closes a WebSocket when the session behind these claims is revoked, or its token expires: with a code that tells the
 * client what to do, and the outcome for a reason. From then on no message of the peer reaches the application, though
 * it be late to answer the close; where the socket is a mere EventTarget, your listener has to look at `readyState`. The
 * watch ends when the socket closes by itself.
 *
 * The socket gets a listener for `error`, so that a bad frame of the peer does not end the process: ws closes it then.
 *
 * Where it cannot be watched, since the verifier is closed, the claims are not of its pools, or its store has no change
 * feed, the socket is closed as `unavailable`, and the observer told the error.
 *
 * @throws TypeError naming the option; the socket is closed then, too
 * @example
 * import { closeWebSocketOnRevocation } from 'cognito-revocation/connections'
 * closeWebSocketOnRevocation(socket, verifier, claims)
 */
export function closeWebSocketOnRevocation(
  socket: WebSocketLike,
  verifier: WatchingVerifier,
  claims: CognitoClaims,
  options: WebSocketOptions = {},
): ConnectionWatch {
  // Without a listener, one bad frame would end the process. ws closes the connection by itself then.
  socket.on?.('error', () => {})
  const breakOff = (): void => (socket.terminate === undefined ? socket.close() : socket.terminate())
  const { codes, closeTimeoutMs } = orClose(breakOff, () => check(verifier, options))
  const close = (outcome: WatchOutcome): void => {
    mute(socket)
    closeTimer(socket, closeTimeoutMs, () => socket.terminate?.())
    // Sockets of the WHATWG kind let scripts send 1000 and 3000 to 4999 only, and throw at others.
    socket.close(codes[outcome], outcome)
  }
  const connection = {
    isClosed: socket.readyState === CLOSED,
    onClose: (listener: () => void) => orClose(breakOff, () => whenClosed(OWNER, socket, listener)),
    close,
    breakOff,
  }
  return watchConnection(connection, verifier, claims, options.observer)
}

/** After the close ws would hand over what comes until the peer answers, to listeners that are new, too. */
function mute(socket: WebSocketLike): void {
  const { emit } = socket
  if (emit === undefined) return
  socket.emit = (event, ...parameters) => event !== 'message' && emit.call(socket, event, ...parameters)
}

function check(verifier: WatchingVerifier, options: WebSocketOptions) {
  assertWatchingVerifier(OWNER, verifier)
  assertOptions(OWNER, options, ['closeCodes', 'closeTimeoutMs', 'observer'])
  const { closeCodes = {}, closeTimeoutMs = 2_000 } = options
  assertOptions(`${OWNER} closeCodes`, closeCodes, OUTCOMES)
  for (const [outcome, code] of Object.entries(closeCodes)) {
    if (!SENDABLE.includes(code) && !(Number.isInteger(code) && code >= 3000 && code <= 4999))
      throw optionError(OWNER, `closeCodes.${outcome}`, 'a close code of RFC 6455, section 7.4', code)
  }
  assertInteger(OWNER, 'closeTimeoutMs', closeTimeoutMs, 0, 30_000)
  assertOptionalFunction(OWNER, 'observer', options.observer)
  return { codes: { revoked: 4401, expired: 4401, unavailable: 1013, ...closeCodes }, closeTimeoutMs }
}
