import { TokenClaimError } from '../../errors.js'
import { notify, type Observer } from '../../observer.js'
import type { WatchOutcome } from '../../revocation/revocation-watch.js'
import { type CognitoClaims, clientIdOf } from '../../tokens/claims.js'
import { orClose } from './closing.js'

/** What these helpers need of a `TokenVerifier`; its store must have a change feed. */
export interface WatchingVerifier {
  watch(claims: CognitoClaims, options?: { signal?: AbortSignal }): Promise<WatchOutcome>
}

/** Why a watch of a connection ended; `closed`: by itself, or by `stop()`. */
export type ConnectionEnd = WatchOutcome | 'closed'

/** Options of every helper that closes a connection. */
export interface ConnectionOptions {
  /** Is told of every connection that is closed here, and of the error if the watch or the closing failed. */
  readonly observer?: Observer
}

/** The watch of one connection. */
export interface ConnectionWatch {
  /** Resolves when the closing of the connection begins, and why. Never rejects. */
  readonly ended: Promise<ConnectionEnd>
  /**
   * Goes on with the claims of a fresh token of the same session, verified just now: the connection outlives the
   * token that opened it. Without effect once the watch has ended.
   *
   * @throws TokenClaimError unless issuer, user, app client, kind of token and session are the same; then the watch
   *   goes on with the claims that it had
   * @example
   * import { closeWebSocketOnRevocation } from 'cognito-revocation/connections'
   * const watch = closeWebSocketOnRevocation(socket, verifier, claims)
   * watch.renew(await verifier.verify(freshToken))
   */
  renew(claims: CognitoClaims): void
  /** Ends the watch, and leaves the connection open. */
  stop(): void
}

/** A connection, whatever its kind. */
export interface Connection {
  readonly isClosed: boolean
  /** Calls the listener when it closes by itself. Gives what ends that. */
  onClose(listener: () => void): () => void
  close(outcome: WatchOutcome): void
  /** What is left where `close` throws. */
  breakOff(): void
}

/** What stays the same when a session gets fresh tokens. */
const IDENTITY: readonly (readonly [claim: string, of: (claims: CognitoClaims) => unknown])[] = [
  ['iss', ({ iss }) => iss],
  ['token_use', ({ token_use }) => token_use],
  ['sub', ({ sub }) => sub],
  ['client_id', clientIdOf],
  ['origin_jti', ({ origin_jti }) => origin_jti],
]

/** @throws TypeError unless it is a verifier */
export function assertWatchingVerifier(
  owner: string,
  verifier: unknown,
): asserts verifier is WatchingVerifier {
  if (typeof (verifier as WatchingVerifier | undefined)?.watch !== 'function')
    throw new TypeError(`${owner}: verifier must be a TokenVerifier`)
}

/** Closes a connection when its token is over. Where that cannot be watched, it is closed, too: `unavailable`. */
export function watchConnection(
  connection: Connection,
  verifier: WatchingVerifier,
  claims: CognitoClaims,
  observer: Observer | undefined,
): ConnectionWatch {
  let current = claims
  let watching = new AbortController()
  let isOver = false
  let stopListening = (): void => {}
  let settle: (end: ConnectionEnd) => void = () => {}
  const ended = new Promise<ConnectionEnd>((resolve) => {
    settle = resolve
  })

  const finish = (end: ConnectionEnd): void => {
    isOver = true
    watching.abort()
    stopListening()
    settle(end)
  }
  const stop = (): void => {
    if (!isOver) finish('closed')
  }
  const close = (reason: WatchOutcome, failure?: Error): void => {
    // Before it closes, which it may tell of at once.
    finish(reason)
    let error = failure
    try {
      orClose(
        () => connection.breakOff(),
        () => connection.close(reason),
      )
    } catch (thrown) {
      error ??= errorOf(thrown)
    }
    notify(observer, { type: 'connection_closed', reason, ...(error === undefined ? {} : { error }) })
  }
  const start = async (): Promise<void> => {
    const { signal } = watching
    let outcome: WatchOutcome = 'unavailable'
    let failure: Error | undefined
    try {
      outcome = await verifier.watch(current, { signal })
    } catch (error) {
      failure = errorOf(error)
    }
    if (!signal.aborted) close(outcome, failure)
  }
  const renew = (fresh: CognitoClaims): void => {
    assertSameSession(fresh, current)
    if (isOver) return
    const before = watching
    current = fresh
    watching = new AbortController()
    void start()
    before.abort()
  }

  if (connection.isClosed) stop()
  else {
    stopListening = connection.onClose(stop)
    void start()
  }
  return { ended, renew, stop }
}

function errorOf(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error('What was thrown is no Error', { cause: thrown })
}

function assertSameSession(fresh: CognitoClaims, current: CognitoClaims): void {
  for (const [claim, of] of IDENTITY) {
    const [actual, expected] = [of(fresh), of(current)]
    if (actual === expected) continue
    throw new TokenClaimError(`renew: "${claim}" is not that of the connection`, { claim, actual, expected })
  }
}
