import type { AppClient, AppClientSettingsOnWire, AppClientUpdate } from './app-client.js'
import type { OAuthClientSettings } from './oauth-client-settings.js'

/** What DescribeUserPoolClient tells of a client for which nothing else was said. */
const defaults: AppClientSettingsOnWire = {
  RefreshTokenValidity: 30,
  TokenValidityUnits: {},
  EnableTokenRevocation: true,
  EnablePropagateAdditionalUserContextData: false,
  AllowedOAuthFlowsUserPoolClient: false,
  AuthSessionValidity: 3,
}

const validityFields = [
  'AccessTokenValidity',
  'IdTokenValidity',
  'RefreshTokenValidity',
  'TokenValidityUnits',
]

/** Where a setting shows on the wire. Validities share their units; the default flows depend on rotation. */
const fieldsOf: Readonly<Record<keyof AppClientUpdate, readonly string[]>> = {
  accessTokenValiditySeconds: validityFields,
  idTokenValiditySeconds: validityFields,
  refreshTokenValiditySeconds: validityFields,
  explicitAuthFlows: ['ExplicitAuthFlows'],
  refreshTokenRotation: ['RefreshTokenRotation', 'ExplicitAuthFlows'],
  enableTokenRevocation: ['EnableTokenRevocation'],
  preventUserExistenceErrors: ['PreventUserExistenceErrors'],
  clientName: ['ClientName'],
  oauth: [
    ...['AllowedOAuthFlowsUserPoolClient', 'AllowedOAuthFlows', 'AllowedOAuthScopes'],
    ...['CallbackURLs', 'LogoutURLs'],
  ],
  newerSettings: [],
  newOriginJtiOnRefresh: [],
  revokeTokenEndsSuccessors: [],
}

/** Settings that a test gave, as they show on the wire. */
export function onWire(client: Required<AppClientUpdate>): AppClientSettingsOnWire {
  const { feature, retryGracePeriodSeconds = 0 } = client.refreshTokenRotation
  return {
    ClientName: client.clientName,
    AccessTokenValidity: client.accessTokenValiditySeconds,
    IdTokenValidity: client.idTokenValiditySeconds,
    RefreshTokenValidity: client.refreshTokenValiditySeconds,
    TokenValidityUnits: { AccessToken: 'seconds', IdToken: 'seconds', RefreshToken: 'seconds' },
    ExplicitAuthFlows: client.explicitAuthFlows,
    EnableTokenRevocation: client.enableTokenRevocation,
    PreventUserExistenceErrors: client.preventUserExistenceErrors,
    RefreshTokenRotation: {
      Feature: feature,
      ...(feature === 'ENABLED' ? { RetryGracePeriodSeconds: retryGracePeriodSeconds } : {}),
    },
    ...oauthOnWire(client.oauth),
  }
}

/** Undefined, which takes its place but is not told, where there is nothing. */
function oauthOnWire({ flows, scopes, callbackUrls = [], logoutUrls = [] }: OAuthClientSettings) {
  const list = (values: readonly string[]) => (values.length > 0 ? values : undefined)
  return {
    AllowedOAuthFlowsUserPoolClient: flows.length > 0,
    AllowedOAuthFlows: list(flows),
    AllowedOAuthScopes: list(scopes),
    CallbackURLs: list(callbackUrls),
    LogoutURLs: list(logoutUrls),
  }
}

/** What a test's changes change on the wire. */
export function changedOnWire(
  client: Required<AppClientUpdate>,
  changes: AppClientUpdate,
): AppClientSettingsOnWire {
  const fields = (Object.keys(changes) as (keyof AppClientUpdate)[]).flatMap((name) => fieldsOf[name])
  return Object.fromEntries(Object.entries(onWire(client)).filter(([field]) => fields.includes(field)))
}

/** The `UserPoolClient` of an answer. */
export function describeOnWire(userPoolId: string, client: AppClient): object {
  const [secret] = client.secrets
  return {
    UserPoolId: userPoolId,
    ClientId: client.clientId,
    ...(secret === undefined ? {} : { ClientSecret: secret }),
    CreationDate: client.createdAt / 1000,
    LastModifiedDate: client.modifiedAt / 1000,
    ClientType: 'REGULAR',
    ...merge({ ...defaults, ...client.wire }, client.newerSettings),
  }
}

/** Those of the newer settings that a request sends along: the others are reset, which is to be gone. */
export function keepSent(
  newer: AppClientSettingsOnWire,
  sent: (name: string) => unknown,
): AppClientSettingsOnWire {
  return Object.fromEntries(
    Object.entries(newer).flatMap(([name, value]) => {
      const other = sent(name)
      if (other === undefined) return []
      if (!isRecord(value) || !isRecord(other)) return [[name, other]]
      const kept = keepSent(value, (inner) => other[inner])
      return Object.keys(kept).length === 0 ? [] : [[name, kept]]
    }),
  )
}

function merge(settings: AppClientSettingsOnWire, newer: AppClientSettingsOnWire): AppClientSettingsOnWire {
  const merged = Object.entries(newer).map(([name, value]) => {
    const known = settings[name]
    return [name, isRecord(known) && isRecord(value) ? { ...known, ...value } : value]
  })
  return { ...settings, ...Object.fromEntries(merged) }
}

function isRecord(value: unknown): value is AppClientSettingsOnWire {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
