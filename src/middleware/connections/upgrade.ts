import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { notify } from '../../observer.js'
import { optionError } from '../../options.js'
import type { CognitoClaims } from '../../tokens/claims.js'
import type { VerifyOptions } from '../../verifier-options.js'
import { createAdmission } from '../admission.js'
import { type Refusal, refusal } from '../refusal.js'
import { headOf } from '../request-head.js'
import type { VerifyTokenOptions } from '../verify-token-options.js'
import { closeTimer } from './closing.js'

/**
 * Options of `authenticateUpgrade`: those of `verifyToken` that concern a connection which needs a token. With
 * `onRevocationUnavailable: 'accept'` here, but not in the verifier, the watch of the connection would end it at once.
 */
export type UpgradeOptions = Omit<VerifyTokenOptions<IncomingMessage>, 'optional' | 'skip'>

/** What is needed of a `TokenVerifier`, by the claims that it gives. */
export interface ClaimsVerifier<Claims extends CognitoClaims> {
  verify(token: string, options?: VerifyOptions): Promise<Claims>
}

/** Authenticates a request to upgrade; undefined where it has been refused, or the client is gone. */
export type AuthenticateUpgrade<Claims> = (
  request: IncomingMessage,
  socket: Duplex,
) => Promise<Claims | undefined>

const OWNER = 'authenticateUpgrade'
/** How long a client that was refused has to read why, in milliseconds. */
const LINGER_MS = 1_000

/**
 * Authenticates the requests of Node's `upgrade` event, before ws (`noServer`) or another library shakes hands. It
 * gives the verified claims; or it answers itself, as `verifyToken` does, closes the connection, and gives undefined.
 * What the client sent behind the request (`head`) stays untouched.
 *
 * A browser cannot set the Authorization header of a WebSocket: take the token out of a subprotocol, with
 * `{ webSocketProtocol: 'bearer.' }` and `selectSubprotocol`, or out of a cookie. A cookie counts only if the request
 * comes from the same origin (`Sec-Fetch-Site`), or from one of `allowedOrigins`: list your own, since not every
 * browser sends `Sec-Fetch-Site` here.
 *
 * It never rejects, since nobody hears of that where the event is Node's own: where `extractToken` throws, the answer is
 * 500, and `observer` is told the error.
 *
 * @throws TypeError naming the option
 * @example
 * import { authenticateUpgrade } from 'cognito-revocation/connections'
 * const authenticate = authenticateUpgrade(verifier, { tokenFrom: { webSocketProtocol: 'bearer.' } })
 * server.on('upgrade', async (request, socket, head) => {
 *   const claims = await authenticate(request, socket)
 *   if (claims === undefined) return
 *   sockets.handleUpgrade(request, socket, head, (webSocket) => sockets.emit('connection', webSocket, claims))
 * })
 */
export function authenticateUpgrade<Claims extends CognitoClaims>(
  verifier: ClaimsVerifier<Claims>,
  options: UpgradeOptions = {},
): AuthenticateUpgrade<Claims> {
  for (const option of ['optional', 'skip']) {
    if (Object.hasOwn(options, option)) throw optionError(OWNER, option, 'absent')
  }
  const admit = createAdmission(verifier, options, OWNER)
  return async (request, socket) => {
    // Node has taken its own listener away. This one stays, for as long as the application takes to shake hands.
    socket.on('error', () => socket.destroy())
    try {
      const admission = await admit(headOf(request), request)
      if (admission.refusal !== undefined) answer(socket, admission.refusal)
      // Those of this verifier, of which the admission has forgotten the type.
      return socket.destroyed ? undefined : (admission.claims as Claims | undefined)
    } catch (error) {
      const failure = error instanceof Error ? error : new Error(`${OWNER} failed`, { cause: error })
      notify(options.observer, { type: 'request_refused', status: 500, error: failure })
      answer(socket, refusal(500, {}, { title: 'Internal Server Error' }))
      return undefined
    }
  }
}

/** Answers in HTTP/1.1 on the bare connection, and closes it. */
function answer(socket: Duplex, { status, headers, body }: Refusal): void {
  if (!socket.writable) {
    socket.destroy()
    return
  }
  const text = JSON.stringify(body)
  const all = { ...headers, 'Content-Length': Buffer.byteLength(text), Connection: 'close' }
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`)
  closeTimer(socket, LINGER_MS, () => socket.destroy())
  // Unread data would turn the end into a reset, by which the answer is lost.
  socket.resume().end(`HTTP/1.1 ${status} ${body.title}\r\n${lines.join('')}\r\n${text}`)
}
