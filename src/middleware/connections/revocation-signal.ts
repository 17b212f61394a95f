import { RevocationUnavailableError, TokenExpiredError, TokenRevokedError } from '../../errors.js'
import { assertOptionalFunction, assertOptions, optionError } from '../../options.js'
import type { WatchOutcome } from '../../revocation/revocation-watch.js'
import type { CognitoClaims } from '../../tokens/claims.js'
import {
  assertWatchingVerifier,
  type ConnectionOptions,
  type WatchingVerifier,
  watchConnection,
} from './connection-watch.js'

/** Options of `revocationSignal`. */
export interface RevocationSignalOptions extends ConnectionOptions {
  /** Ends the watch: abort it when the work is over, however it ends, or the watch lasts as long as the token. */
  readonly signal: AbortSignal
}

const OWNER = 'revocationSignal'

const REASONS: Readonly<Record<WatchOutcome, () => Error>> = {
  revoked: () => new TokenRevokedError('The token has been revoked meanwhile'),
  expired: () => new TokenExpiredError('The token has expired meanwhile'),
  unavailable: () =>
    new RevocationUnavailableError('It cannot be known any more whether the token is revoked'),
}

/**
 * A signal that is aborted when the session behind these claims is revoked, or its token expires: for streams of
 * Hono and of the Fetch standard, and for any work that takes long. Its reason is a `TokenRevokedError`, a
 * `TokenExpiredError` or a `RevocationUnavailableError`, the last also where it cannot be watched; or that of
 * `signal`, where it was this one that ended it.
 *
 * @throws TypeError naming the option
 * @example
 * import { revocationSignal } from 'cognito-revocation/connections'
 * const done = new AbortController()
 * const over = revocationSignal(verifier, claims, { signal: done.signal })
 * try {
 *   await fetch('https://api.example.com/export', { signal: over })
 * } finally {
 *   done.abort()
 * }
 */
export function revocationSignal(
  verifier: WatchingVerifier,
  claims: CognitoClaims,
  options: RevocationSignalOptions,
): AbortSignal {
  assertWatchingVerifier(OWNER, verifier)
  assertOptions(OWNER, options, ['signal', 'observer'])
  const { signal, observer } = options
  if (!(signal instanceof AbortSignal)) throw optionError(OWNER, 'signal', 'an AbortSignal', signal)
  assertOptionalFunction(OWNER, 'observer', observer)
  const over = new AbortController()
  if (signal.aborted) over.abort(signal.reason)
  const connection = {
    isClosed: signal.aborted,
    onClose: (listener: () => void) => {
      const aborted = (): void => {
        listener()
        over.abort(signal.reason)
      }
      signal.addEventListener('abort', aborted, { once: true })
      return () => signal.removeEventListener('abort', aborted)
    },
    close: (outcome: WatchOutcome) => over.abort(REASONS[outcome]()),
    breakOff: () => over.abort(),
  }
  watchConnection(connection, verifier, claims, observer)
  return over.signal
}
