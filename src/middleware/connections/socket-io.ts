import { notify } from '../../observer.js'
import { assertOptionalBoolean, optionError } from '../../options.js'
import type { CognitoClaims, TokenUse } from '../../tokens/claims.js'
import { createAdmission } from '../admission.js'
import type { Refusal } from '../refusal.js'
import { headOf, type RequestHead } from '../request-head.js'
import type { TokenSource } from '../token-source.js'
import type { Verifier, VerifyTokenOptions } from '../verify-token-options.js'
import { assertWatchingVerifier, type WatchingVerifier } from './connection-watch.js'
import { checkDisconnectOptions, disconnectSocketOnRevocation } from './socket-io-disconnect.js'
import type { SocketIoMiddleware, SocketIoRefusal, SocketIoSocket } from './socket-io-types.js'

/** Where a handshake carries its token: `'auth'` is `auth.token` of the client's options. */
export type SocketIoTokenSource = 'auth' | TokenSource

/**
 * Options of `verifySocketIoToken`. With `onRevocationUnavailable: 'accept'` here, but not in the verifier, the watch of
 * the connection would end it at once.
 */
export interface VerifySocketIoTokenOptions
  extends Omit<VerifyTokenOptions<SocketIoSocket>, 'tokenFrom' | 'realm' | 'retryAfterSeconds'> {
  /** Several: the token may be in any, but not in two of them. Default 'auth'. */
  readonly tokenFrom?: SocketIoTokenSource | readonly SocketIoTokenSource[]
  /** Disconnect the socket when its session is revoked or its token expires. Default true. */
  readonly disconnectOnRevocation?: boolean
  /** An event to emit to the client before, with `'revoked'`, `'expired'` or `'unavailable'`. Default none. */
  readonly event?: string
}

const OWNER = 'verifySocketIoToken'
/** Stands for `auth.token` among the headers. No header of the request can be mistaken for it. */
const AUTH_HEADER = 'handshake-auth-token'

/**
 * Lets a socket of Socket.IO connect with the verified claims of its token in `socket.data.auth`, and disconnects it
 * when the session is revoked, or the token expires. Every other gets a `connect_error` whose `data` is
 * `{ status, error }`. A namespace has middleware of its own: `io.of('/admin').use(verifySocketIoToken(verifier))`.
 *
 * A socket is watched from when it connects, that is, has come through every later middleware too.
 *
 * With `connectionStateRecovery` of any kind every connection is refused, with status 500: Socket.IO restores rooms, and
 * sends what was missed, before any middleware has looked at a token.
 *
 * @throws TypeError naming the option
 * @example
 * import { verifySocketIoToken } from 'cognito-revocation/connections'
 * io.use(verifySocketIoToken(verifier))
 * io.on('connection', (socket) => socket.emit('hello', socket.data.auth?.username))
 */
export function verifySocketIoToken<Use extends TokenUse | null>(
  verifier: Verifier<Use> & WatchingVerifier,
  options: VerifySocketIoTokenOptions = {},
): SocketIoMiddleware {
  const { tokenFrom, disconnectOnRevocation = true, event, ...others } = options
  const { observer } = options
  assertOptionalBoolean(OWNER, 'disconnectOnRevocation', disconnectOnRevocation)
  if (disconnectOnRevocation) assertWatchingVerifier(OWNER, verifier)
  else if (event !== undefined) throw optionError(OWNER, 'event', 'absent unless disconnectOnRevocation')
  const ending = {
    ...(event === undefined ? {} : { event }),
    ...(observer === undefined ? {} : { observer }),
  }
  checkDisconnectOptions(OWNER, ending)
  const sources = tokenFrom ?? (options.extractToken === undefined ? 'auth' : undefined)
  const admit = createAdmission<SocketIoSocket, Use>(
    verifier,
    sources === undefined ? others : { ...others, tokenFrom: [sources].flat().map(headerOf) },
    OWNER,
  )

  /** The claims of sockets that may yet be refused by a later middleware, of which Socket.IO tells nobody. */
  const admitted = new WeakMap<SocketIoSocket, CognitoClaims>()
  const watch = (socket: SocketIoSocket): void => {
    const claims = admitted.get(socket)
    if (claims !== undefined) disconnectSocketOnRevocation(socket, verifier, claims, ending)
  }

  const decide = async (socket: SocketIoSocket): Promise<Error | undefined> => {
    assertNoRecovery(socket)
    const { claims, refusal } = await admit(handshakeHead(socket), socket)
    if (refusal !== undefined) return refused(refusal)
    // Also where there are none: those of another verifier are not this one's.
    Object.assign(socket.data, { auth: claims })
    if (claims === undefined || !disconnectOnRevocation) return undefined
    admitted.set(socket, claims)
    // First, and before `connection`: a listener of the application that throws must not leave it unwatched.
    if (!socket.nsp.listeners('connect').includes(watch)) socket.nsp.prependListener('connect', watch)
    return undefined
  }
  return (socket, next) => {
    decide(socket)
      .catch((error) => {
        const cause = error instanceof Error ? error : new Error(`${OWNER} failed`, { cause: error })
        notify(observer, { type: 'request_refused', status: 500, error: cause })
        // Socket.IO sends the message to the client.
        return Object.assign(new Error('Internal Server Error', { cause }), { data: { status: 500 } })
      })
      // Last: what a later middleware throws is its own.
      .then(next)
  }
}

function headerOf(source: SocketIoTokenSource): TokenSource {
  return source === 'auth' ? { header: AUTH_HEADER } : source
}

function handshakeHead(socket: SocketIoSocket): RequestHead {
  const head = headOf(socket.request)
  const { token } = socket.handshake.auth
  return {
    // Whatever the first request was, what comes of it can be read and written: a cookie needs the same origin.
    method: 'POST',
    values: (name) => {
      if (name !== AUTH_HEADER) return head.values(name)
      // What is no string, `verify` refuses.
      return token === undefined || token === null ? [] : [token as string]
    },
  }
}

/** @throws TypeError where Socket.IO hands rooms and messages to whoever knows their id, before any middleware */
function assertNoRecovery({ nsp: { server } }: SocketIoSocket): void {
  const { opts } = server as { opts?: { connectionStateRecovery?: unknown } }
  if (opts?.connectionStateRecovery) throw new TypeError(`${OWNER}: connectionStateRecovery must be absent`)
}

function refused({ status, body: { title, error } }: Refusal): Error {
  const data: SocketIoRefusal = { status, ...(error === undefined ? {} : { error }) }
  return Object.assign(new Error(title), { data })
}
