import { RevocationUnavailableError, TokenRevokedError } from '../../errors.js'
import { notify } from '../../observer.js'
import type { RevocationMatch } from '../../revocation/revocation.js'
import { RevocationLookup } from '../../revocation/revocation-lookup.js'
import { MAX_ACCESS_VALIDITY_SECONDS } from '../../revocation/revoker.js'
import { CLOCK_TOLERANCE_SECONDS, isIdentifier } from '../../tokens/claims.js'
import type { TokenIdentity } from '../../tokens/token-identity.js'
import {
  type CheckedPreTokenGenerationGuardOptions,
  checkPreTokenGenerationGuardOptions,
  type PreTokenGenerationEvent,
  type PreTokenGenerationGuardOptions,
} from './pre-token-generation-options.js'

/** The one trigger source that comes with a refresh token. */
const REFRESH = 'TokenGeneration_RefreshTokens'

/**
 * A record of a cutoff that Cognito has confirmed lives as long as an access token at most, and the clock tolerance:
 * that of its own life, that by which the first cutoff of a sign-out is early, and that between two clocks.
 */
const LONGEST_CONFIRMED_SECONDS = MAX_ACCESS_VALIDITY_SECONDS + 3 * CLOCK_TOLERANCE_SECONDS

/**
 * Makes the handler of a pre token generation trigger, versions 1 to 3, that refuses to refresh for a user, an app
 * client or a user pool that is revoked in the store: by throwing, which Cognito answers with
 * `UserLambdaValidationException` and no tokens. Whatever else the trigger is called for goes through. It reads no
 * `clientMetadata`, which anybody can write, and changes no claims.
 *
 * It is a second line, for what Cognito was not told, or did not do: tokens that are refreshed for a revoked user are
 * refused by every verifier of this library, but not by services without one. What it cannot do, because of what Cognito tells it
 * (the user's attributes, the app client, the pool; no `origin_jti`, no `jti`, no `auth_time`):
 *
 * - **It cannot refuse a single session, nor a single token.** Revoke a session at Cognito
 *   (`client.revokeRefreshToken`): then Cognito itself refuses to refresh it.
 * - **It cannot tell sessions from before a cutoff from those after it**: see the option `cutoffs`.
 *
 * Cognito waits for 5 s, and calls again where that is over.
 *
 * @throws TypeError naming the option
 * @see https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-lambda-pre-token-generation.html
 * @example
 * import { createPreTokenGenerationGuard } from 'cognito-revocation/lambda'
 * export const handler = createPreTokenGenerationGuard({ store, refreshTokenValiditySeconds: 30 * 86_400 })
 */
export function createPreTokenGenerationGuard<
  Event extends PreTokenGenerationEvent = PreTokenGenerationEvent,
  Context = unknown,
>(
  options: PreTokenGenerationGuardOptions<Event, Context>,
): (event: Event, context: Context) => Promise<Event> {
  const checked = checkPreTokenGenerationGuardOptions(options)
  const { handler = (event: Event) => event } = options
  const lookup = new RevocationLookup(checked.store, checked.revocationTimeoutMs)
  return async (event, context) => {
    if (event.triggerSource === REFRESH) await assertMayRefresh(event, lookup, checked)
    return handler(event, context)
  }
}

/**
 * @throws TokenRevokedError, RevocationUnavailableError; TypeError for an event that says not whose it is, which no
 * option lets through. Their messages are shown to who wants to refresh
 */
async function assertMayRefresh(
  event: PreTokenGenerationEvent,
  lookup: RevocationLookup,
  options: CheckedPreTokenGenerationGuardOptions,
): Promise<void> {
  const { accept, observer } = options
  const identity = identityOf(event, options)
  let match: RevocationMatch | undefined
  try {
    match = await findRefusal(identity, lookup, options)
  } catch (cause) {
    const error = new RevocationUnavailableError('It cannot be known now whether the session is revoked', {
      cause,
    })
    notify(observer, { type: 'revocation_unavailable', decision: accept ? 'accepted' : 'rejected', error })
    if (accept) return
    throw error
  }
  if (match === undefined) return
  const error = new TokenRevokedError('The session has been revoked: sign in again', match.scope)
  const { poolId, sub } = identity
  notify(observer, { type: 'token_refused', code: error.code, error, poolId, sub })
  throw error
}

/** Whose tokens are asked for, as those of a session to look up. @throws TypeError */
function identityOf(
  event: PreTokenGenerationEvent,
  { cutoffs, refreshTokenValiditySeconds, clock }: CheckedPreTokenGenerationGuardOptions,
): TokenIdentity {
  const poolId = event.userPoolId
  const clientId = event.callerContext?.clientId
  const sub = event.request?.userAttributes?.sub
  if (!isIdentifier(poolId) || !isIdentifier(clientId) || !isIdentifier(sub))
    throw new TypeError('The event lacks userPoolId, callerContext.clientId or userAttributes.sub')

  // As a session that has just begun, it is revoked by records without a cutoff alone; as the oldest that can still be
  // refreshed, by every cutoff as well that can matter.
  const nowSeconds = Math.floor(clock() / 1000)
  const iat =
    cutoffs === 'none'
      ? nowSeconds + 2 * CLOCK_TOLERANCE_SECONDS
      : nowSeconds - refreshTokenValiditySeconds - CLOCK_TOLERANCE_SECONDS
  return { poolId, clientId, sub, iat }
}

/** The record for which to refuse. @throws RevocationUnavailableError */
async function findRefusal(
  identity: TokenIdentity,
  lookup: RevocationLookup,
  { cutoffs }: CheckedPreTokenGenerationGuardOptions,
): Promise<RevocationMatch | undefined> {
  const match = await lookup.find(identity)
  if (match === undefined || cutoffs !== 'unconfirmed' || !isConfirmed(match)) return match
  // One record was found; of the app client or the pool there may be another. The pool's id is no user's.
  return lookup.find({ ...identity, sub: identity.poolId })
}

/** Whether Cognito, by all appearances, has ended the sessions itself: it can do so for a user only. */
function isConfirmed({ scope, cutoff, expiresAt }: RevocationMatch): boolean {
  if (scope !== 'user' || typeof cutoff !== 'number') return false
  const lifeSeconds = expiresAt - cutoff
  return lifeSeconds >= 0 && lifeSeconds <= LONGEST_CONFIRMED_SECONDS
}
