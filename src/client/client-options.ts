import type {
  CognitoIdentityProviderClient,
  CognitoIdentityProviderClientConfig,
} from '@aws-sdk/client-cognito-identity-provider'
import { systemClock } from '../clock.js'
import type { Observer } from '../observer.js'
import { assertNumber, assertOptionalFunction, assertOptions, assertString, optionError } from '../options.js'
import { MAX_ACCESS_VALIDITY_SECONDS, MAX_REFRESH_VALIDITY_SECONDS } from '../revocation/revoker.js'
import { isRevocationStore, type RevocationStore } from '../revocation/store.js'
import { parseSecureUrl } from '../secure-url.js'
import { assertUserPoolId, regionOf } from '../tokens/issuer.js'
import type { JwksOptions } from '../tokens/jwks.js'
import { assertClientSecret, type ClientSecretOption } from './client-secrets.js'
import { parseDomain } from './hosted-domain.js'
import { assertRefreshSettings, type RefreshSettings } from './kept-settings.js'
import type { OnRefreshTokenReuse } from './refresh-token-reuse.js'
import { assertRevokeVia, type RevokeVia } from './revoke-via.js'

/** How a refresh token is exchanged for new tokens. */
export type RefreshFlow = 'GetTokensFromRefreshToken' | 'REFRESH_TOKEN_AUTH'

/** Options of a `CognitoTokenClient`. */
export interface CognitoTokenClientOptions {
  readonly userPoolId: string
  readonly clientId: string
  /**
   * The app client's secret, if it has one; two while one replaces the other, the newer first: where Cognito
   * does not take the first, the second is tried, once. Or a function that gives them, asked at every call; where it
   * fails, the call throws ClientSecretUnavailableError.
   */
  readonly clientSecret?: ClientSecretOption | undefined
  /** Where revocations are recorded; `false` is the only way to do without. */
  readonly store: RevocationStore | false
  /**
   * How `refresh` works by preference. 'REFRESH_TOKEN_AUTH' is taken where the app client's settings allow it
   * (rotation off, ALLOW_REFRESH_TOKEN_AUTH on), which are read once with cognito-idp:DescribeUserPoolClient
   * unless `tokenSettings` tells them. Where they don't, or can't be read, it is GetTokensFromRefreshToken, which
   * always works. Default 'GetTokensFromRefreshToken'.
   */
  readonly refreshFlow?: RefreshFlow
  /**
   * Where the hosted endpoints are: `https://my-domain.auth.us-east-1.amazoncognito.com`, or a domain of your own;
   * also without `https://`. Needed for `oauth`, `logoutUrl` and revoking by the endpoint only.
   */
  readonly domain?: string
  /** How `revokeRefreshToken` revokes at Cognito by default; see its `via`. Default 'api'. */
  readonly revokeVia?: RevokeVia
  /**
   * What `describeTokenSettings` gave, or these two parts of it: spares reading the settings for `refreshFlow`,
   * and for the grace period of rotated refresh tokens. Give it where rotation is on: `revokeRefreshToken` then reckons
   * with a refresh token that was replaced elsewhere.
   */
  readonly tokenSettings?: RefreshSettings
  /**
   * Is told when a refresh token comes that was rotated away, whose grace period is over: stolen, or its successor
   * was lost on the way. May end the session by `reuse.revokeSession()`; `refresh` waits for it, up to a minute,
   * and then throws RefreshTokenReuseError, also where this throws.
   *
   * @example
   * onRefreshTokenReuse: async (reuse) => { await reuse.revokeSession({ reason: 'refresh token reused' }) }
   */
  readonly onRefreshTokenReuse?: OnRefreshTokenReuse
  /** The larger of the app client's access and ID token validities, in seconds. Default 86,400, Cognito's maximum. */
  readonly accessTokenValiditySeconds?: number
  /** The app client's refresh token validity, in seconds. Default 315,360,000, Cognito's maximum. */
  readonly refreshTokenValiditySeconds?: number
  /** How long a write to the store may take, in milliseconds, before Cognito is asked without it. Default 5,000. */
  readonly storeTimeoutMs?: number
  /** How long a request to Cognito may take, in milliseconds; a call with its retries four times that. Default 5,000. */
  readonly requestTimeoutMs?: number
  /** AWS Region. Default: the one in the user pool id. */
  readonly region?: string
  /** Where Cognito's API is, for emulators and VPC endpoints. Default: AWS's. */
  readonly endpoint?: string
  /** AWS credentials for the admin operations. Default: the SDK's provider chain. */
  readonly credentials?: NonNullable<CognitoIdentityProviderClientConfig['credentials']>
  /** An SDK client of your own instead; then region, endpoint and credentials are its matter. */
  readonly sdk?: CognitoIdentityProviderClient
  /** `iss`, where it is not Cognito's own: emulators. */
  readonly issuer?: string | readonly string[]
  readonly jwksUri?: string
  readonly jwks?: JwksOptions
  /** Allow plain http beyond loopback for `endpoint`, `domain`, `issuer` and `jwksUri`. Default false. */
  readonly allowInsecureHttp?: boolean
  /** Epoch milliseconds. Default Date.now. */
  readonly clock?: () => number
  readonly observer?: Observer
}

/** The options, checked, with their defaults. */
export type CheckedClientOptions = CognitoTokenClientOptions & {
  readonly region: string
  readonly refreshFlow: RefreshFlow
  readonly revokeVia: RevokeVia
  readonly hostedDomain: URL | undefined
  readonly storeTimeoutMs: number
  readonly requestTimeoutMs: number
  readonly clock: () => number
}

const OWNER = 'CognitoTokenClient'
/** What Cognito allows, in seconds. */
const VALIDITIES = {
  accessTokenValiditySeconds: [300, MAX_ACCESS_VALIDITY_SECONDS],
  refreshTokenValiditySeconds: [3_600, MAX_REFRESH_VALIDITY_SECONDS],
} as const
const KNOWN = [
  ...['userPoolId', 'clientId', 'clientSecret', 'store', 'refreshFlow', 'accessTokenValiditySeconds'],
  ...['refreshTokenValiditySeconds', 'region', 'endpoint', 'credentials', 'sdk', 'issuer', 'jwksUri', 'jwks'],
  ...['storeTimeoutMs', 'requestTimeoutMs', 'allowInsecureHttp', 'clock', 'observer'],
  ...['tokenSettings', 'onRefreshTokenReuse'],
  ...['domain', 'revokeVia'],
]

/** @throws TypeError naming the option */
export function checkClientOptions(options: CognitoTokenClientOptions): CheckedClientOptions {
  assertOptions(OWNER, options, KNOWN)
  const { userPoolId, clientId, clientSecret, store, refreshFlow = 'GetTokensFromRefreshToken' } = options
  const {
    clock = systemClock,
    observer,
    endpoint,
    allowInsecureHttp,
    storeTimeoutMs = 5_000,
    requestTimeoutMs = 5_000,
  } = options
  assertUserPoolId(OWNER, userPoolId)
  assertString(OWNER, 'clientId', clientId)
  assertClientSecret(OWNER, clientSecret)
  if (store !== false && !isRevocationStore(store)) {
    throw optionError(OWNER, 'store', 'a RevocationStore, or false to do without', store)
  }
  if (refreshFlow !== 'GetTokensFromRefreshToken' && refreshFlow !== 'REFRESH_TOKEN_AUTH') {
    throw optionError(OWNER, 'refreshFlow', "'GetTokensFromRefreshToken' or 'REFRESH_TOKEN_AUTH'")
  }
  if (options.tokenSettings !== undefined) assertRefreshSettings(OWNER, options.tokenSettings)
  assertOptionalFunction(OWNER, 'onRefreshTokenReuse', options.onRefreshTokenReuse)
  assertNumber(OWNER, 'storeTimeoutMs', storeTimeoutMs, 1, 60_000)
  assertNumber(OWNER, 'requestTimeoutMs', requestTimeoutMs, 1, 60_000)
  assertOptionalFunction(OWNER, 'clock', clock)
  assertOptionalFunction(OWNER, 'observer', observer)
  for (const [name, [min, max]] of Object.entries(VALIDITIES)) {
    const value = options[name as keyof typeof VALIDITIES]
    if (value !== undefined) assertNumber(OWNER, name, value, min, max)
  }
  for (const issuer of [options.issuer ?? []].flat()) {
    parseSecureUrl(OWNER, 'issuer', issuer, { allowInsecureHttp, observer: undefined })
  }
  if (endpoint !== undefined) parseSecureUrl(OWNER, 'endpoint', endpoint, { allowInsecureHttp, observer })
  const { domain, revokeVia = 'api' } = options
  const hostedDomain =
    domain === undefined ? undefined : parseDomain(OWNER, domain, { allowInsecureHttp, observer })
  assertRevokeVia(OWNER, 'revokeVia', revokeVia)
  if (revokeVia === 'endpoint' && domain === undefined) {
    throw optionError(OWNER, 'domain', "given, since revokeVia is 'endpoint'")
  }
  const region =
    options.region ?? regionOf(userPoolId) ?? (options.endpoint || options.sdk ? 'us-east-1' : undefined)
  if (region === undefined)
    throw optionError(OWNER, 'region', 'given, since the user pool id does not tell one')
  assertString(OWNER, 'region', region)
  const checked = { region, refreshFlow, revokeVia, hostedDomain, storeTimeoutMs, requestTimeoutMs, clock }
  return { ...options, ...checked }
}
