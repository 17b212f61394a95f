import { systemClock } from './clock.js'
import type { Observer } from './observer.js'
import {
  assertInteger,
  assertNumber,
  assertOptionalBoolean,
  assertOptionalFunction,
  assertOptions,
  optionError,
  stringList,
} from './options.js'
import { isRevocationStore, type RevocationStore } from './revocation/store.js'
import { parseSecureUrl } from './secure-url.js'
import { CLOCK_TOLERANCE_SECONDS, type CognitoClaims, type TokenUse } from './tokens/claims.js'
import type { JsonObject } from './tokens/compact-jws.js'
import { assertUserPoolId, cognitoIssuers } from './tokens/issuer.js'
import type { JwksOptions } from './tokens/jwks.js'
import { scopeList } from './tokens/scope.js'
import type { JsonWebKey } from './tokens/signing-key.js'
import type { PoolRules } from './tokens/token-authenticator.js'

/** A check of the owner's own, after all checks of claims and before revocation. */
export type CustomJwtCheck = (token: {
  readonly header: JsonObject
  readonly payload: CognitoClaims
  readonly jwk: JsonWebKey
}) => void | Promise<void>

/** Which tokens of one user pool are accepted. */
export interface UserPoolOptions<Use extends TokenUse | null = TokenUse | null> {
  readonly userPoolId: string
  /** The app clients whose tokens are accepted: one, several, or null to accept any. */
  readonly clientId: string | readonly string[] | null
  /** 'access', 'id', or null to accept both. */
  readonly tokenUse: Use
  /** Scopes of which an access token must have at least one. */
  readonly scope?: string | readonly string[] | null
  /** Groups (`cognito:groups`) of which the user must be in at least one. */
  readonly groups?: string | readonly string[] | null
  /** Claims that must be there, whatever their value. */
  readonly requiredClaims?: readonly string[]
  /** For how long past `exp` a token is still accepted, in seconds, 0 to 300. Default 0. */
  readonly graceSeconds?: number
  /** Refuse tokens issued longer ago than this, in seconds. */
  readonly maxTokenAgeSeconds?: number
  /** `iss`, one or several, where it is not Cognito's own: emulators. Compared exactly. */
  readonly issuer?: string | readonly string[]
  /** Where the keys are, where that is not `<issuer>/.well-known/jwks.json`. */
  readonly jwksUri?: string
  /**
   * A check of the owner's own. What it throws refuses the token: a CognitoRevocationError as it is,
   * anything else as the cause of a TokenClaimError. So does false.
   */
  readonly customJwtCheck?: CustomJwtCheck
  /**
   * Accept users' tokens without `origin_jti`, which no session can be revoked of: they come from app
   * clients whose token revocation is off. Default false.
   */
  readonly allowUnrevocable?: boolean
}

/** What holds for all user pools of a verifier. */
export interface SharedVerifierOptions {
  /** Where revocations are looked up. `false` is the only way to do without. */
  readonly revocation: RevocationStore | false
  /**
   * What to do with a good token while the store cannot say whether it is revoked: 'reject' (default) throws
   * RevocationUnavailableError (503), 'accept' lets it through and tells the observer each time.
   */
  readonly onRevocationUnavailable?: 'reject' | 'accept'
  /** How long a look-up in the store may take, in milliseconds. Default 500. */
  readonly revocationTimeoutMs?: number
  /** How many verified tokens are remembered, so that seen ones cost no signature; 0 for none. Default 10,000. */
  readonly maxCachedTokens?: number
  /** How keys are fetched and how long they are kept. */
  readonly jwks?: JwksOptions
  /** Epoch milliseconds. Default Date.now. */
  readonly clock?: () => number
  /** Is told what happens, for logs and metrics. Never gets a token. */
  readonly observer?: Observer
  /** Allow plain http beyond loopback for `issuer` and `jwksUri`. Default false. */
  readonly allowInsecureHttp?: boolean
}

/** Options of a `TokenVerifier`: one user pool's at the top level, or several in `pools`. */
export type TokenVerifierOptions<Use extends TokenUse | null = TokenUse | null> = SharedVerifierOptions &
  (
    | (UserPoolOptions<Use> & { readonly pools?: never })
    | ({ readonly pools: readonly UserPoolOptions<Use>[] } & {
        readonly [Option in keyof UserPoolOptions]?: never
      })
  )

/** What may be otherwise for one call of `verify`. */
export interface VerifyOptions {
  /** In place of the verifier's own. */
  readonly onRevocationUnavailable?: 'reject' | 'accept'
}

/** A user pool's options, checked. */
export interface UserPool extends PoolRules {
  readonly customJwtCheck: CustomJwtCheck | undefined
  readonly allowUnrevocable: boolean
}

/** All options, checked, with their defaults. */
export interface CheckedOptions {
  readonly pools: readonly UserPool[]
  readonly revocation: RevocationStore | undefined
  readonly accept: boolean
  readonly revocationTimeoutMs: number
  readonly maxCachedTokens: number
  readonly jwks: JwksOptions
  readonly clock: () => number
  readonly observer: Observer | undefined
}

const OWNER = 'TokenVerifier'
/** Timers that are longer fire at once. */
const MAX_TIMER_MS = 2 ** 31 - 1
const POOL = [
  ...['userPoolId', 'clientId', 'tokenUse', 'scope', 'groups', 'requiredClaims', 'graceSeconds'],
  ...['maxTokenAgeSeconds', 'issuer', 'jwksUri', 'customJwtCheck', 'allowUnrevocable'],
]
const SHARED = [
  ...['revocation', 'onRevocationUnavailable', 'revocationTimeoutMs', 'maxCachedTokens', 'jwks', 'clock'],
  ...['observer', 'allowInsecureHttp'],
]

/** @throws TypeError naming the option */
export function checkVerifierOptions(options: TokenVerifierOptions): CheckedOptions {
  const isOfSeveral = typeof options === 'object' && options !== null && 'pools' in options
  assertOptions(OWNER, options, isOfSeveral ? ['pools', ...SHARED] : [...POOL, ...SHARED])
  const {
    revocation,
    onRevocationUnavailable = 'reject',
    revocationTimeoutMs = 500,
    maxCachedTokens = 10_000,
  } = options
  const { jwks = {}, clock = systemClock, observer, allowInsecureHttp } = options
  if (revocation !== false && !isRevocationStore(revocation)) {
    throw optionError(OWNER, 'revocation', 'a RevocationStore, or false to do without', revocation)
  }
  if (onRevocationUnavailable !== 'reject' && onRevocationUnavailable !== 'accept') {
    throw optionError(OWNER, 'onRevocationUnavailable', "'reject' or 'accept'")
  }
  assertNumber(OWNER, 'revocationTimeoutMs', revocationTimeoutMs, 1, 60_000)
  assertInteger(OWNER, 'maxCachedTokens', maxCachedTokens, 0, 10_000_000)
  assertOptions(`${OWNER} jwks`, jwks, ['cooldownMs', 'refreshAfterMs', 'maxAgeMs', 'timeoutMs'])
  for (const [name, value] of Object.entries(jwks))
    assertInteger(OWNER, `jwks.${name}`, value, 1, MAX_TIMER_MS)
  assertOptionalFunction(OWNER, 'clock', clock)
  assertOptionalFunction(OWNER, 'observer', observer)
  assertOptionalBoolean(OWNER, 'allowInsecureHttp', allowInsecureHttp)
  if ('pools' in options && (!Array.isArray(options.pools) || options.pools.length === 0)) {
    throw optionError(OWNER, 'pools', 'an array of at least one user pool', options.pools)
  }
  const pools =
    'pools' in options
      ? options.pools.map((pool) => {
          assertOptions(`${OWNER} pools[]`, pool, POOL)
          return checkPool(pool, { allowInsecureHttp, observer })
        })
      : [checkPool(options, { allowInsecureHttp, observer })]
  const issuers = pools.flatMap((pool) => pool.issuers.map(({ issuer }) => issuer))
  if (new Set(issuers).size < issuers.length)
    throw optionError(OWNER, 'pools', 'user pools with different issuers')
  return {
    pools,
    revocation: revocation === false ? undefined : revocation,
    accept: onRevocationUnavailable === 'accept',
    revocationTimeoutMs,
    maxCachedTokens,
    jwks,
    clock,
    observer,
  }
}

function checkPool(
  options: UserPoolOptions,
  security: { allowInsecureHttp: boolean | undefined; observer: Observer | undefined },
): UserPool {
  const {
    userPoolId,
    clientId,
    tokenUse,
    graceSeconds = 0,
    maxTokenAgeSeconds,
    customJwtCheck,
    jwksUri,
  } = options
  assertUserPoolId(OWNER, userPoolId)
  if (clientId === undefined) {
    throw optionError(OWNER, 'clientId', 'given: a client id, an array of them, or null to accept any')
  }
  if (tokenUse !== 'access' && tokenUse !== 'id' && tokenUse !== null) {
    throw optionError(OWNER, 'tokenUse', "'access', 'id', or null to accept both")
  }
  assertNumber(OWNER, 'graceSeconds', graceSeconds, 0, CLOCK_TOLERANCE_SECONDS)
  if (maxTokenAgeSeconds !== undefined) assertNumber(OWNER, 'maxTokenAgeSeconds', maxTokenAgeSeconds, 1)
  assertOptionalFunction(OWNER, 'customJwtCheck', customJwtCheck)
  assertOptionalBoolean(OWNER, 'allowUnrevocable', options.allowUnrevocable)
  const clientIds = clientId === null ? null : stringList(OWNER, 'clientId', clientId)
  if (tokenUse === 'id' && !isAbsent(options.scope)) {
    throw optionError(OWNER, 'scope', "absent where tokenUse is 'id': ID tokens have no scope")
  }
  const issuers =
    options.issuer === undefined
      ? cognitoIssuers(OWNER, userPoolId)
      : stringList(OWNER, 'issuer', options.issuer)
  if (new Set(issuers).size < issuers.length) throw optionError(OWNER, 'issuer', 'issuers that differ')
  for (const issuer of issuers) parseSecureUrl(OWNER, 'issuer', issuer, security)
  if (jwksUri !== undefined) parseSecureUrl(OWNER, 'jwksUri', jwksUri, security)
  return {
    poolId: userPoolId,
    issuers: issuers.map((issuer) => ({
      issuer,
      jwksUri: jwksUri ?? `${issuer.replace(/\/$/, '')}/.well-known/jwks.json`,
    })),
    clientIds,
    tokenUse,
    scopes: isAbsent(options.scope) ? [] : scopeList(OWNER, 'scope', options.scope),
    groups: isAbsent(options.groups) ? [] : stringList(OWNER, 'groups', options.groups),
    requiredClaims: requiredClaims(options.requiredClaims),
    graceSeconds,
    maxTokenAgeSeconds,
    customJwtCheck,
    allowUnrevocable: options.allowUnrevocable === true,
  }
}

function isAbsent(value: unknown): value is null | undefined {
  return value === null || value === undefined
}

/** Unlike other lists, this one may be empty: then no claim is demanded. */
function requiredClaims(value: UserPoolOptions['requiredClaims'] = []): readonly string[] {
  return Array.isArray(value) && value.length === 0 ? [] : stringList(OWNER, 'requiredClaims', value)
}
