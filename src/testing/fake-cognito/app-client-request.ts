import type {
  AppClientSettingsOnWire,
  AppClientUpdate,
  ExplicitAuthFlow,
  RefreshTokenRotation,
} from './app-client.js'
import { withoutUndefined } from './defaults.js'
import { type CognitoException, invalidParameter } from './exceptions.js'
import { readOAuthSettings, toOAuthClientSettings } from './oauth-settings.js'
import type { Parameters } from './parameters.js'

/** What a request to make or update an app client says, as it was sent and as it is meant. */
export interface AppClientRequest {
  readonly given: AppClientUpdate
  readonly wire: AppClientSettingsOnWire
}

const unitSeconds: Readonly<Record<string, number>> = { seconds: 1, minutes: 60, hours: 3_600, days: 86_400 }
const day = 86_400

/** The old names, which exclude the new ones; with them, refreshing is always allowed. */
const legacyFlows: Readonly<Record<string, ExplicitAuthFlow>> = {
  ADMIN_NO_SRP_AUTH: 'ALLOW_ADMIN_USER_PASSWORD_AUTH',
  CUSTOM_AUTH_FLOW_ONLY: 'ALLOW_CUSTOM_AUTH',
  USER_PASSWORD_AUTH: 'ALLOW_USER_PASSWORD_AUTH',
}
const flows: readonly ExplicitAuthFlow[] = [
  'ALLOW_USER_PASSWORD_AUTH',
  'ALLOW_ADMIN_USER_PASSWORD_AUTH',
  'ALLOW_REFRESH_TOKEN_AUTH',
  'ALLOW_USER_SRP_AUTH',
  'ALLOW_USER_AUTH',
  'ALLOW_CUSTOM_AUTH',
]

/** Reads the settings of a CreateUserPoolClient or UpdateUserPoolClient request; what is left out is default. */
export function readAppClientRequest(
  parameters: Parameters,
  clientName: string,
  hasSecret: boolean,
): AppClientRequest {
  if (!/^[\w\s+=,.@-]{1,128}$/.test(clientName)) throw constraint('clientName')
  const refreshTokenRotation = readRotation(parameters)
  const oauth = readOAuthSettings(parameters, hasSecret)
  const given: AppClientUpdate = {
    clientName,
    ...readValidities(parameters),
    refreshTokenRotation,
    explicitAuthFlows: readFlows(parameters, refreshTokenRotation),
    enableTokenRevocation: parameters.optionalBoolean('EnableTokenRevocation') ?? true,
    preventUserExistenceErrors:
      oneOf(parameters, 'PreventUserExistenceErrors', ['LEGACY', 'ENABLED'] as const) ?? 'LEGACY',
    oauth: toOAuthClientSettings(oauth),
  }
  const wire = {
    ClientName: clientName,
    RefreshTokenValidity: parameters.optionalInteger('RefreshTokenValidity') || undefined,
    AccessTokenValidity: parameters.optionalInteger('AccessTokenValidity') || undefined,
    IdTokenValidity: parameters.optionalInteger('IdTokenValidity') || undefined,
    TokenValidityUnits: unitsOf(parameters),
    ExplicitAuthFlows: parameters.optionalStrings('ExplicitAuthFlows') ?? given.explicitAuthFlows,
    RefreshTokenRotation: parameters.optionalStructure('RefreshTokenRotation') && {
      Feature: refreshTokenRotation.feature,
      RetryGracePeriodSeconds: refreshTokenRotation.retryGracePeriodSeconds,
    },
    EnableTokenRevocation: given.enableTokenRevocation,
    PreventUserExistenceErrors: given.preventUserExistenceErrors,
    ReadAttributes: parameters.optionalStrings('ReadAttributes'),
    WriteAttributes: parameters.optionalStrings('WriteAttributes'),
    SupportedIdentityProviders: parameters.optionalStrings('SupportedIdentityProviders'),
    AnalyticsConfiguration: readAnalytics(parameters),
    EnablePropagateAdditionalUserContextData: readPropagation(parameters, hasSecret),
    AuthSessionValidity: readAuthSession(parameters),
    ...oauth,
  }
  return { given, wire: withoutUndefined(wire) }
}

function readValidities(parameters: Parameters) {
  const units = unitsOf(parameters)
  const read = (token: string, unit: string, byDefault: number, min: number, max: number): number => {
    const value = parameters.optionalInteger(`${token}Validity`)
    // 0 is as good as nothing.
    if (value === undefined || value === 0) return byDefault
    const seconds = value * (unitSeconds[units?.[token] ?? unit] ?? Number.NaN)
    if (!(seconds >= min && seconds <= max)) throw invalidParameter('Invalid range for token validity.')
    return seconds
  }
  return {
    accessTokenValiditySeconds: read('AccessToken', 'hours', 3_600, 300, day),
    idTokenValiditySeconds: read('IdToken', 'hours', 3_600, 300, day),
    refreshTokenValiditySeconds: read('RefreshToken', 'days', 30 * day, 3_600, 3_650 * day),
  }
}

function unitsOf(parameters: Parameters): Readonly<Record<string, string>> | undefined {
  const units = parameters.optionalStructure('TokenValidityUnits')
  if (units === undefined) return undefined
  const entries = ['AccessToken', 'IdToken', 'RefreshToken'].flatMap((token) => {
    const unit = oneOf(units, token, Object.keys(unitSeconds))
    return unit === undefined ? [] : [[token, unit]]
  })
  const read: Readonly<Record<string, string>> = Object.fromEntries(entries)
  // The 30 days that it then is are told in days, whatever unit was sent with nothing.
  const isDefault = !parameters.optionalInteger('RefreshTokenValidity')
  return isDefault && read.RefreshToken !== undefined ? { ...read, RefreshToken: 'days' } : read
}

function readRotation(parameters: Parameters): RefreshTokenRotation {
  const rotation = parameters.optionalStructure('RefreshTokenRotation')
  if (rotation === undefined) return { feature: 'DISABLED' }
  const feature = oneOf(rotation, 'Feature', ['ENABLED', 'DISABLED'] as const)
  const grace = rotation.optionalInteger('RetryGracePeriodSeconds')
  if (feature === undefined) throw constraint('refreshTokenRotation.feature')
  if (grace !== undefined && !(grace >= 0 && grace <= 60)) {
    throw constraint('refreshTokenRotation.retryGracePeriodSeconds')
  }
  return grace === undefined ? { feature } : { feature, retryGracePeriodSeconds: grace }
}

function readFlows(parameters: Parameters, { feature }: RefreshTokenRotation): readonly ExplicitAuthFlow[] {
  const names = parameters.optionalStrings('ExplicitAuthFlows')
  const rotates = feature === 'ENABLED'
  const refreshing: readonly ExplicitAuthFlow[] = rotates ? [] : ['ALLOW_REFRESH_TOKEN_AUTH']
  if (names === undefined) return [...refreshing, 'ALLOW_USER_SRP_AUTH', 'ALLOW_CUSTOM_AUTH']
  const known = flows.filter((flow) => names.includes(flow))
  const legacy = Object.keys(legacyFlows).filter((flow) => names.includes(flow))
  if (known.length + legacy.length !== new Set(names).size) throw constraint('explicitAuthFlows')
  if (known.length > 0 && legacy.length > 0) {
    throw invalidParameter('Legacy ExplicitAuthFlows can not be combined with those that begin with ALLOW_')
  }
  if (rotates && known.includes('ALLOW_REFRESH_TOKEN_AUTH')) {
    throw invalidParameter('ALLOW_REFRESH_TOKEN_AUTH can not be enabled with refresh token rotation')
  }
  if (legacy.length === 0) return known
  return [...refreshing, ...legacy.flatMap((flow) => legacyFlows[flow] ?? [])]
}

function readAnalytics(parameters: Parameters): object | undefined {
  const analytics = parameters.optionalStructure('AnalyticsConfiguration')
  if (analytics === undefined) return undefined
  const names = ['ApplicationId', 'ApplicationArn', 'RoleArn', 'ExternalId']
  const texts = Object.fromEntries(names.map((name) => [name, analytics.optionalString(name)]))
  return withoutUndefined({ ...texts, UserDataShared: analytics.optionalBoolean('UserDataShared') })
}

function readPropagation(parameters: Parameters, hasSecret: boolean): boolean | undefined {
  const propagates = parameters.optionalBoolean('EnablePropagateAdditionalUserContextData')
  if (propagates === true && !hasSecret) {
    throw invalidParameter('EnablePropagateAdditionalUserContextData needs a client with a secret')
  }
  return propagates
}

function readAuthSession(parameters: Parameters): number | undefined {
  const minutes = parameters.optionalInteger('AuthSessionValidity')
  if (minutes !== undefined && !(minutes >= 3 && minutes <= 15)) throw constraint('authSessionValidity')
  return minutes
}

function oneOf<T extends string>(parameters: Parameters, name: string, values: readonly T[]): T | undefined {
  const value = parameters.optionalString(name)
  const found = values.find((each) => each === value)
  if (value !== undefined && found === undefined) throw constraint(name)
  return found
}

function constraint(name: string): CognitoException {
  return invalidParameter(
    `1 validation error detected: Value at '${name}' failed to satisfy constraint: Member is out of its range`,
  )
}
