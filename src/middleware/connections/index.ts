export type { WatchOutcome } from '../../revocation/revocation-watch.js'
export type { Grants } from '../grants.js'
export type { TokenSource } from '../token-source.js'
export type { Verifier, VerifyTokenOptions } from '../verify-token-options.js'
export type { Emitter } from './closing.js'
export type {
  ConnectionEnd,
  ConnectionOptions,
  ConnectionWatch,
  WatchingVerifier,
} from './connection-watch.js'
export { type EventStreamOptions, endEventStreamOnRevocation } from './event-stream.js'
export { type RevocationSignalOptions, revocationSignal } from './revocation-signal.js'
export {
  type SocketIoTokenSource,
  type VerifySocketIoTokenOptions,
  verifySocketIoToken,
} from './socket-io.js'
export { type DisconnectOptions, disconnectSocketOnRevocation } from './socket-io-disconnect.js'
export type {
  SocketIoData,
  SocketIoMiddleware,
  SocketIoRefusal,
  SocketIoSocket,
} from './socket-io-types.js'
export { selectSubprotocol } from './subprotocol.js'
export {
  type AuthenticateUpgrade,
  authenticateUpgrade,
  type ClaimsVerifier,
  type UpgradeOptions,
} from './upgrade.js'
export { closeWebSocketOnRevocation, type WebSocketLike, type WebSocketOptions } from './web-socket.js'
