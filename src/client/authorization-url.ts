import { assertOptions, assertString, optionError } from '../options.js'
import type { HostedEndpoints } from './hosted-endpoints.js'
import { assertCodeChallenge, assertCodeVerifier, challengeOf } from './pkce.js'
import { assertRedirect, scopeParameter, withParameters } from './redirects.js'

/** PKCE: the challenge, or the verifier that it is made of; both, where they belong together. */
type Challenge =
  | { readonly codeChallenge: string; readonly codeVerifier?: string }
  | { readonly codeChallenge?: undefined; readonly codeVerifier: string }

/** What `oauth.authorizationUrl` takes (Cognito developer guide, "The redirect and authorization endpoint"). */
export type AuthorizationUrlInput = Challenge & {
  /** Where Cognito sends the browser back to: one of CallbackURLs, to the letter. */
  readonly redirectUri: string
  readonly state: string
  /** Comes back in the ID token: needs the scope `openid`. Default none. */
  readonly nonce?: string
  /** Default: all scopes of the app client. `globalSignOut` needs aws.cognito.signin.user.admin. */
  readonly scopes?: readonly string[]
  /** The name of an identity provider, such as `Google`, to skip Cognito's own page. */
  readonly identityProvider?: string
  /** The same by an identifier of the provider, such as an email's domain. */
  readonly idpIdentifier?: string
  /** A username to fill in, or to pass on to the identity provider. */
  readonly loginHint?: string
  /** The language of managed login, such as `de`. */
  readonly lang?: string
  /** `login` asks for the password even where the managed-login cookie would do; `none` never asks. */
  readonly prompt?: 'none' | 'login' | 'select_account' | 'consent'
  /** The API that the access token is for (RFC 8707). */
  readonly resource?: string
}

const OWNER = 'oauth.authorizationUrl'
const KNOWN = [
  ...['redirectUri', 'state', 'nonce', 'scopes', 'codeChallenge', 'codeVerifier', 'identityProvider'],
  ...['idpIdentifier', 'loginHint', 'lang', 'prompt', 'resource'],
]
const TEXTS = [
  'nonce',
  'identityProvider',
  'idpIdentifier',
  'loginHint',
  'lang',
  'prompt',
  'resource',
] as const

/** Where to send the browser for a sign-in. */
export function authorizationUrl(
  hosted: HostedEndpoints,
  clientId: string,
  input: AuthorizationUrlInput,
): string {
  // The whole of createAuthorizationChecks() can be handed over.
  assertOptions(OWNER, input, KNOWN)
  const { redirectUri, state } = input
  assertRedirect(OWNER, 'redirectUri', redirectUri)
  assertString(OWNER, 'state', state)
  for (const name of TEXTS) if (input[name] !== undefined) assertString(OWNER, name, input[name])
  return withParameters(hosted.url(OWNER, '/oauth2/authorize'), {
    response_type: 'code',
    client_id: clientId,
    redirect_uri: redirectUri,
    state,
    scope: scopeParameter(OWNER, input.scopes),
    code_challenge: challengeIn(input),
    code_challenge_method: 'S256',
    nonce: input.nonce,
    identity_provider: input.identityProvider,
    idp_identifier: input.idpIdentifier,
    login_hint: input.loginHint,
    lang: input.lang,
    prompt: input.prompt,
    resource: input.resource,
  })
}

function challengeIn({ codeChallenge, codeVerifier }: Challenge): string {
  if (codeChallenge !== undefined) assertCodeChallenge(OWNER, codeChallenge)
  if (codeChallenge !== undefined && codeVerifier === undefined) return codeChallenge
  assertCodeVerifier(OWNER, codeVerifier)
  const challenge = challengeOf(codeVerifier)
  if (codeChallenge !== undefined && codeChallenge !== challenge) {
    throw optionError(OWNER, 'codeChallenge', 'that of the codeVerifier, where both are given')
  }
  return challenge
}
