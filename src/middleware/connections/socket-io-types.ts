import type { IncomingMessage } from 'node:http'
import type { CognitoClaims } from '../../tokens/claims.js'
import type { Emitter } from './closing.js'

/** The socket data (fourth type argument of Socket.IO's `Server`) in which `verifySocketIoToken` puts the claims. */
export interface SocketIoData<Claims extends CognitoClaims = CognitoClaims> {
  /** The verified claims of the connection's token. */
  auth?: Claims
}

/** What is needed of a socket of Socket.IO's server. */
export interface SocketIoSocket {
  readonly connected: boolean
  readonly conn: Emitter & { readonly readyState: string; close(): void }
  readonly handshake: { readonly auth: { readonly [name: string]: unknown } }
  readonly request: IncomingMessage
  readonly nsp: {
    readonly server: object
    listeners(event: 'connect'): readonly unknown[]
    prependListener(event: 'connect', listener: (socket: SocketIoSocket) => void): unknown
  }
  data: SocketIoData
  on(event: 'disconnect', listener: () => void): unknown
  off(event: 'disconnect', listener: () => void): unknown
  emit(event: string, ...parameters: unknown[]): unknown
  disconnect(close?: boolean): unknown
}

/** What a client that is refused gets as `data` of its `connect_error`. */
export interface SocketIoRefusal {
  readonly status: number
  /** OAuth's error code (RFC 6750, section 3.1); absent where no token was sent, and with 500 and 503. */
  readonly error?: string
}

/** A middleware of Socket.IO, for `io.use` or `io.of(namespace).use`. */
export type SocketIoMiddleware = (socket: SocketIoSocket, next: (error?: Error) => void) => void
