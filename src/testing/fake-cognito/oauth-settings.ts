import { CognitoException, invalidParameter } from './exceptions.js'
import { noOAuth, type OAuthClientSettings } from './oauth-client-settings.js'
import type { Parameters } from './parameters.js'

const grants = ['code', 'implicit', 'client_credentials'] as const
const standardScopes = ['phone', 'email', 'openid', 'profile', 'aws.cognito.signin.user.admin']

/** An app client's settings for the hosted endpoints, as a request has them. */
export function readOAuthSettings(parameters: Parameters, hasSecret: boolean) {
  const settings = {
    AllowedOAuthFlowsUserPoolClient: parameters.optionalBoolean('AllowedOAuthFlowsUserPoolClient'),
    AllowedOAuthFlows: parameters.optionalStrings('AllowedOAuthFlows'),
    AllowedOAuthScopes: parameters.optionalStrings('AllowedOAuthScopes'),
    CallbackURLs: parameters.optionalStrings('CallbackURLs'),
    LogoutURLs: parameters.optionalStrings('LogoutURLs'),
    DefaultRedirectURI: parameters.optionalString('DefaultRedirectURI'),
  }
  const { AllowedOAuthFlows: flows = [], AllowedOAuthScopes: scopes = [], CallbackURLs: urls = [] } = settings
  if (flows.some((flow) => !grants.some((grant) => grant === flow)))
    throw invalidParameter('AllowedOAuthFlows is not known')
  if (settings.AllowedOAuthFlowsUserPoolClient === true && (flows.length === 0 || scopes.length === 0)) {
    throw invalidFlow(
      'AllowedOAuthFlows and AllowedOAuthScopes are required if user pool client is allowed to use OAuth flows.',
    )
  }
  if (flows.includes('client_credentials')) {
    if (flows.length > 1) {
      throw invalidFlow('client_credentials flow can not be selected along with code flow or implicit flow.')
    }
    if (!hasSecret) {
      throw invalidFlow(
        'client_credentials flow can not be selected if client does not have a client secret.',
      )
    }
  }
  // Resource servers are not played: a scope of one, `server/name`, is taken to be there.
  const unknown = scopes.find((scope) => !standardScopes.includes(scope) && !/^[^/]+\/[^/]+$/.test(scope))
  if (unknown !== undefined) {
    throw new CognitoException('ScopeDoesNotExistException', `Invalid scope requested: ${unknown}`)
  }
  for (const url of [...urls, ...(settings.LogoutURLs ?? [])]) assertRedirect(url)
  if (settings.DefaultRedirectURI !== undefined && !urls.includes(settings.DefaultRedirectURI)) {
    throw invalidParameter('DefaultRedirectURI is not included in callback URIs')
  }
  return settings
}

/** The same as the hosted endpoints go by it. */
export function toOAuthClientSettings(settings: ReturnType<typeof readOAuthSettings>): OAuthClientSettings {
  if (settings.AllowedOAuthFlowsUserPoolClient !== true) return noOAuth
  return {
    flows: grants.filter((grant) => settings.AllowedOAuthFlows?.includes(grant)),
    scopes: settings.AllowedOAuthScopes ?? [],
    callbackUrls: settings.CallbackURLs ?? [],
    logoutUrls: settings.LogoutURLs ?? [],
  }
}

/** An absolute address without a fragment; plain http to this machine only. */
function assertRedirect(url: string): void {
  const parsed = URL.canParse(url) ? new URL(url) : undefined
  const local = ['localhost', '127.0.0.1', '[::1]'].includes(parsed?.hostname ?? '')
  if (parsed === undefined || url.includes('#') || (parsed.protocol === 'http:' && !local)) {
    throw invalidParameter(`${url} is not a valid redirect URI`)
  }
}

function invalidFlow(message: string): CognitoException {
  return new CognitoException('InvalidOAuthFlowException', message)
}
