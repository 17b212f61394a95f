import { systemClock } from '../../clock.js'
import type { Observer } from '../../observer.js'
import { assertNumber, assertOptionalFunction, assertOptions, optionError } from '../../options.js'
import { MAX_REFRESH_VALIDITY_SECONDS } from '../../revocation/revoker.js'
import { isRevocationStore, type RevocationStore } from '../../revocation/store.js'

/** What the guard reads of the trigger's event, in versions 1, 2 and 3. */
export interface PreTokenGenerationEvent {
  readonly triggerSource: string
  readonly userPoolId: string
  readonly callerContext: { readonly clientId: string }
  readonly request: { readonly userAttributes: Readonly<Record<string, string>> }
}

/** Options of `createPreTokenGenerationGuard`. `Event` and `Context` are those of your own handler. */
export interface PreTokenGenerationGuardOptions<
  Event extends PreTokenGenerationEvent = PreTokenGenerationEvent,
  Context = unknown,
> {
  /** Where revocations are recorded. In a function, the bare store: it freezes between calls. */
  readonly store: RevocationStore
  /**
   * Your own trigger, which adds claims, say. Called with every event that is not refused, and its answer is
   * Cognito's. Default: the event as it came.
   */
  readonly handler?: (event: Event, context: Context) => Event | Promise<Event>
  /**
   * What to refuse for records with a cutoff ("all tokens until then", as `Revoker` writes them). Cognito does not tell
   * when the session began that is to be refreshed, so those are refused, too, that began after the cutoff: their users
   * have to sign in again whenever an access token expires.
   *
   * - `'unconfirmed'` (default): refuse, but for users whom Cognito itself has signed out (`adminGlobalSignOut`,
   *   `globalSignOut`, or `cognitoConfirmed: true`): their old refresh tokens are dead, so only the new ones come here.
   *   They are known by a record that lives for a day at most after its cutoff. So they are not where Cognito failed at
   *   first and succeeded later; and every cutoff looks like that where the `Revoker` was told a
   *   `refreshTokenValiditySeconds` of a day or less.
   * - `'all'`: refuse.
   * - `'none'`: refuse for records without a cutoff alone.
   */
  readonly cutoffs?: 'unconfirmed' | 'all' | 'none'
  /**
   * The largest refresh token validity of the pool's app clients, in seconds. A cutoff longer ago than that refuses
   * nobody: no session from before it can be refreshed any more. Told too small, some can. Default 315,360,000,
   * Cognito's maximum of ten years.
   */
  readonly refreshTokenValiditySeconds?: number
  /**
   * What to do while the store cannot say: 'reject' (default) throws, so that nobody gets new tokens meanwhile,
   * 'accept' lets them be refreshed and tells the observer.
   */
  readonly onRevocationUnavailable?: 'reject' | 'accept'
  /**
   * How long a look-up in the store may take, in milliseconds, at most 2,400: there are one or two, and Cognito waits
   * for 5 s. Default 2,000.
   */
  readonly revocationTimeoutMs?: number
  /** Is told of refusals, and of a store that cannot say. */
  readonly observer?: Observer
  /** Epoch milliseconds. Default Date.now. */
  readonly clock?: () => number
}

/** The options, checked, with their defaults. */
export interface CheckedPreTokenGenerationGuardOptions {
  readonly store: RevocationStore
  readonly cutoffs: 'unconfirmed' | 'all' | 'none'
  readonly refreshTokenValiditySeconds: number
  readonly accept: boolean
  readonly revocationTimeoutMs: number
  readonly observer: Observer | undefined
  readonly clock: () => number
}

const OWNER = 'createPreTokenGenerationGuard'
const KNOWN = [
  ...['store', 'handler', 'cutoffs', 'refreshTokenValiditySeconds', 'onRevocationUnavailable'],
  ...['revocationTimeoutMs', 'observer', 'clock'],
]

/** @throws TypeError naming the option */
export function checkPreTokenGenerationGuardOptions<Event extends PreTokenGenerationEvent, Context>(
  options: PreTokenGenerationGuardOptions<Event, Context>,
): CheckedPreTokenGenerationGuardOptions {
  assertOptions(OWNER, options, KNOWN)
  const {
    store,
    cutoffs = 'unconfirmed',
    refreshTokenValiditySeconds = MAX_REFRESH_VALIDITY_SECONDS,
    onRevocationUnavailable = 'reject',
    revocationTimeoutMs = 2_000,
    observer,
    clock = systemClock,
  } = options
  if (!isRevocationStore(store)) throw optionError(OWNER, 'store', 'a RevocationStore', store)
  if (!['unconfirmed', 'all', 'none'].includes(cutoffs))
    throw optionError(OWNER, 'cutoffs', "'unconfirmed', 'all' or 'none'", cutoffs)
  if (!['reject', 'accept'].includes(onRevocationUnavailable))
    throw optionError(OWNER, 'onRevocationUnavailable', "'reject' or 'accept'", onRevocationUnavailable)
  const validity = [refreshTokenValiditySeconds, 3_600, MAX_REFRESH_VALIDITY_SECONDS] as const
  assertNumber(OWNER, 'refreshTokenValiditySeconds', ...validity)
  assertNumber(OWNER, 'revocationTimeoutMs', revocationTimeoutMs, 1, 2_400)
  assertOptionalFunction(OWNER, 'handler', options.handler)
  assertOptionalFunction(OWNER, 'observer', observer)
  assertOptionalFunction(OWNER, 'clock', clock)
  const accept = onRevocationUnavailable === 'accept'
  return { store, cutoffs, refreshTokenValiditySeconds, accept, revocationTimeoutMs, observer, clock }
}
