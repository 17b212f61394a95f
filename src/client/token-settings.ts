import { CognitoError } from '../errors.js'
import { MAX_ACCESS_VALIDITY_SECONDS, MAX_REFRESH_VALIDITY_SECONDS } from '../revocation/revoker.js'
import type { CarriedSettings } from './app-client-settings.js'

/** What an app client's settings say of its tokens, with Cognito's defaults filled in. */
export interface TokenSettings {
  /** EnableTokenRevocation: whether tokens have an `origin_jti`, and refresh tokens can be revoked. */
  readonly tokenRevocation: boolean
  /**
   * The larger of the access and the ID token validity, in seconds: what the option of this name of `Revoker`
   * and `CognitoTokenClient` means. Each by itself is in `validity`.
   */
  readonly accessTokenValiditySeconds: number
  /** The refresh token validity, in seconds: the option of this name of `Revoker` and `CognitoTokenClient`. */
  readonly refreshTokenValiditySeconds: number
  /** How long each kind of token is valid, with its unit applied. */
  readonly validity: {
    readonly accessTokenSeconds: number
    readonly idTokenSeconds: number
    readonly refreshTokenSeconds: number
  }
  readonly refreshTokenRotation: {
    readonly enabled: boolean
    /** For how long a replaced refresh token can still be used, in seconds; 0 where rotation is off. */
    readonly retryGracePeriodSeconds: number
  }
  /** ExplicitAuthFlows: the flows of the API by which users can sign in and refresh. */
  readonly explicitAuthFlows: readonly string[]
  /** AllowedOAuthFlows: the grants of the token endpoint; none where OAuth is off for the app client. */
  readonly allowedOAuthFlows: readonly string[]
}

const UNIT_SECONDS: ReadonlyMap<string, number> = new Map([
  ['seconds', 1],
  ['minutes', 60],
  ['hours', 3_600],
  ['days', 86_400],
])

/** The flows of an app client that names none (CreateUserPoolClient, "ExplicitAuthFlows"). */
const DEFAULT_FLOWS = ['ALLOW_REFRESH_TOKEN_AUTH', 'ALLOW_USER_SRP_AUTH', 'ALLOW_CUSTOM_AUTH']
const DEFAULT_ACCESS_SECONDS = 3_600
const DEFAULT_REFRESH_SECONDS = 30 * 86_400
/** Cognito's default (UpdateUserPoolClient, "RefreshTokenRotation"). */
const NO_ROTATION = { Feature: 'DISABLED', RetryGracePeriodSeconds: 0 }

/** @throws CognitoError if a validity or its unit is none that Cognito has */
export function toTokenSettings(operation: string, settings: CarriedSettings): TokenSettings {
  const { TokenValidityUnits: units = {}, RefreshTokenRotation: rotation = NO_ROTATION } = settings
  const rules = [
    ['AccessToken', 'hours', DEFAULT_ACCESS_SECONDS, MAX_ACCESS_VALIDITY_SECONDS],
    ['IdToken', 'hours', DEFAULT_ACCESS_SECONDS, MAX_ACCESS_VALIDITY_SECONDS],
    ['RefreshToken', 'days', DEFAULT_REFRESH_SECONDS, MAX_REFRESH_VALIDITY_SECONDS],
  ] as const
  const [accessTokenSeconds = 0, idTokenSeconds = 0, refreshTokenSeconds = 0] = rules.map(
    ([token, defaultUnit, defaultSeconds, maxSeconds]) => {
      const value = settings[`${token}Validity`] ?? 0
      const unitSeconds = UNIT_SECONDS.get(units[token] ?? defaultUnit) ?? Number.NaN
      const seconds = value * unitSeconds
      if (!(Number.isSafeInteger(seconds) && seconds >= 0 && seconds <= maxSeconds)) {
        throw new CognitoError(`${operation}: Cognito's answer has no sound ${token}Validity`)
      }
      return seconds === 0 ? defaultSeconds : seconds
    },
  )
  const enabled = rotation.Feature === 'ENABLED'
  return {
    tokenRevocation: settings.EnableTokenRevocation === true,
    accessTokenValiditySeconds: Math.max(accessTokenSeconds, idTokenSeconds),
    refreshTokenValiditySeconds: refreshTokenSeconds,
    validity: { accessTokenSeconds, idTokenSeconds, refreshTokenSeconds },
    refreshTokenRotation: {
      enabled,
      retryGracePeriodSeconds: enabled ? (rotation.RetryGracePeriodSeconds ?? 0) : 0,
    },
    explicitAuthFlows: settings.ExplicitAuthFlows ?? DEFAULT_FLOWS,
    allowedOAuthFlows: settings.AllowedOAuthFlowsUserPoolClient ? (settings.AllowedOAuthFlows ?? []) : [],
  }
}
