import { assertOptions, assertString, optionError } from '../options.js'
import type { HostedEndpoints } from './hosted-endpoints.js'
import { assertRedirect, scopeParameter, withParameters } from './redirects.js'

/** What `logoutUrl` takes: where the browser goes from /logout, one of the app client's addresses to the letter. */
export type LogoutUrlInput =
  | {
      /** One of LogoutURLs: there the browser goes at once. */
      readonly logoutUri: string
    }
  | {
      /** One of CallbackURLs: the browser goes there after the next sign-in, which begins at once. */
      readonly redirectUri: string
      /** Of that sign-in. Default 'code'. */
      readonly responseType?: 'code' | 'token'
      readonly scopes?: readonly string[]
      readonly state?: string
    }

const OWNER = 'logoutUrl'

/** The address of /logout (Cognito developer guide, "The managed login sign-out endpoint"). */
export function logoutUrl(hosted: HostedEndpoints, clientId: string, input: LogoutUrlInput): string {
  assertOptions(OWNER, input, ['logoutUri', 'redirectUri', 'responseType', 'scopes', 'state'])
  const url = hosted.url(OWNER, '/logout')
  if ('logoutUri' in input) {
    assertOptions(OWNER, input, ['logoutUri'])
    assertRedirect(OWNER, 'logoutUri', input.logoutUri)
    return withParameters(url, { client_id: clientId, logout_uri: input.logoutUri })
  }
  const { redirectUri, responseType = 'code', scopes, state } = input
  assertRedirect(OWNER, 'redirectUri', redirectUri)
  if (responseType !== 'code' && responseType !== 'token') {
    throw optionError(OWNER, 'responseType', "'code' or 'token'", responseType)
  }
  if (state !== undefined) assertString(OWNER, 'state', state)
  return withParameters(url, {
    client_id: clientId,
    redirect_uri: redirectUri,
    response_type: responseType,
    scope: scopeParameter(OWNER, scopes),
    state,
  })
}
