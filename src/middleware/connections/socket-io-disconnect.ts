import { assertOptionalFunction, assertOptions, optionError } from '../../options.js'
import type { WatchOutcome } from '../../revocation/revocation-watch.js'
import type { CognitoClaims } from '../../tokens/claims.js'
import { orClose, whenClosed } from './closing.js'
import {
  assertWatchingVerifier,
  type ConnectionOptions,
  type ConnectionWatch,
  type WatchingVerifier,
  watchConnection,
} from './connection-watch.js'
import type { SocketIoSocket } from './socket-io-types.js'

/** Options of `disconnectSocketOnRevocation`. */
export interface DisconnectOptions extends ConnectionOptions {
  /** An event to emit to the client first, with the outcome for its argument. Default none. */
  readonly event?: string
}

const OWNER = 'disconnectSocketOnRevocation'
/** Socket.IO throws at these. */
const RESERVED = [
  ...['connect', 'connect_error', 'disconnect', 'disconnecting', 'newListener', 'removeListener'],
]

/**
 * Disconnects a socket of Socket.IO, with its whole connection, when the session behind these claims is revoked, or its
 * token expires. The client is told `io server disconnect`, after which it does not come again by itself. The watch
 * ends when the socket disconnects. `verifySocketIoToken` does this by itself, unless told otherwise.
 *
 * Where it cannot be watched, the socket is disconnected as `unavailable`, and the observer told the error.
 *
 * @throws TypeError naming the option; the socket is disconnected then, too
 * @example
 * import { disconnectSocketOnRevocation } from 'cognito-revocation/connections'
 * io.use(verifySocketIoToken(verifier, { disconnectOnRevocation: false }))
 * io.on('connection', (socket) => {
 *   const claims = socket.data.auth
 *   if (claims === undefined) return
 *   const watch = disconnectSocketOnRevocation(socket, verifier, claims, { event: 'session-over' })
 *   socket.on('fresh-token', async (token) => {
 *     try {
 *       watch.renew(await verifier.verify(token))
 *     } catch {
 *       socket.emit('token-refused')
 *     }
 *   })
 * })
 */
export function disconnectSocketOnRevocation(
  socket: SocketIoSocket,
  verifier: WatchingVerifier,
  claims: CognitoClaims,
  options: DisconnectOptions = {},
): ConnectionWatch {
  const disconnect = (): void => {
    // A socket that has not come through every middleware can't be disconnected yet.
    if (socket.connected) socket.disconnect(true)
    else socket.conn.close()
  }
  const { event } = orClose(disconnect, () => {
    assertWatchingVerifier(OWNER, verifier)
    return checkDisconnectOptions(OWNER, options)
  })
  const close = (outcome: WatchOutcome): void => {
    try {
      if (event !== undefined && socket.connected) socket.emit(event, outcome)
    } finally {
      disconnect()
    }
  }
  const connection = {
    isClosed: socket.conn.readyState === 'closed',
    onClose: (listener: () => void) => {
      socket.on('disconnect', listener)
      // One that never connects tells of no `disconnect`.
      const stop = whenClosed(OWNER, socket.conn, listener)
      return () => {
        socket.off('disconnect', listener)
        stop()
      }
    },
    close,
    // Where a listener of the application throws at the disconnection, Socket.IO leaves the connection open.
    breakOff: () => socket.conn.close(),
  }
  return watchConnection(connection, verifier, claims, options.observer)
}

/** @throws TypeError naming the option */
export function checkDisconnectOptions(owner: string, options: DisconnectOptions): DisconnectOptions {
  assertOptions(owner, options, ['event', 'observer'])
  const { event, observer } = options
  if (event !== undefined && (typeof event !== 'string' || event === '' || RESERVED.includes(event)))
    throw optionError(owner, 'event', 'the name of an event that Socket.IO does not reserve', event)
  assertOptionalFunction(owner, 'observer', observer)
  return options
}
