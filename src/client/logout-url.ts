import { assertOptions, assertString } from '../options.js'
import type { HostedEndpoints } from './hosted-endpoints.js'
import { assertRedirect, withParameters } from './redirects.js'

/** What `logoutUrl` takes. */
export interface LogoutUrlInput {
  /** Where the browser goes from /logout: one of the app client's LogoutURLs, to the letter. */
  readonly logoutUri: string
  /** Comes back with the browser. Default none. */
  readonly state?: string
}

const OWNER = 'logoutUrl'

/** The address of /logout (Cognito developer guide, "The managed login sign-out endpoint"). */
export function logoutUrl(hosted: HostedEndpoints, clientId: string, input: LogoutUrlInput): string {
  assertOptions(OWNER, input, ['logoutUri', 'state'])
  const { logoutUri, state } = input
  assertRedirect(OWNER, 'logoutUri', logoutUri)
  if (state !== undefined) assertString(OWNER, 'state', state)
  const url = hosted.url(OWNER, '/logout')
  return withParameters(url, { client_id: clientId, logout_uri: logoutUri, state })
}
