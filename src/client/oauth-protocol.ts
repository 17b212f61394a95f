import * as errors from '../errors.js'
import { basicAuthorization } from './client-authentication.js'
import type { Fetch, HostedCall, HostedTransport } from './hosted-transport.js'
import { ERROR_CODE, tellable } from './oauth-errors.js'

/** The answer of the token endpoint. */
export interface TokenAnswer {
  readonly access_token: string
  readonly id_token?: string
  readonly refresh_token?: string
  readonly expires_in?: number
}

/** Loaded when it is needed: most clients never use a hosted endpoint. */
const load = () => import('oauth4webapi')
type Library = Awaited<ReturnType<typeof load>>
type ClientAuthentication = ReturnType<Library['None']>

/** Who asks, of whom, and how. */
export interface OAuthParties {
  readonly domain: URL
  readonly clientId: string
  /** Both forms that Cognito has, unless told otherwise. */
  readonly issuers: readonly string[]
  /** Epoch milliseconds. */
  readonly clock: () => number
  readonly transport: HostedTransport
}

type Call = Omit<HostedCall, 'sensitive'> & { readonly sensitive?: HostedCall['sensitive'] }

/** Clocks may disagree so far, in seconds. The verifier looks at the time once more, and by its own rules. */
const CLOCK_TOLERANCE_SECONDS = 300

/** OAuth 2.0 by oauth4webapi, which this file alone knows. */
export class OAuthProtocol {
  readonly #parties: OAuthParties

  constructor(parties: OAuthParties) {
    this.#parties = parties
  }

  /**
   * The code in an authorization response, once its state is found to be the expected one.
   *
   * @throws AuthorizationResponseError, which quotes none of it but the server's error
   */
  async readAuthorizationResponse(parameters: URLSearchParams, expectedState: string): Promise<string> {
    const library = await load()
    let code: string | null
    try {
      const { server, client } = this.#describe(library)
      code = library.validateAuthResponse(server, client, parameters, expectedState).get('code')
    } catch (error) {
      throw toAuthorizationResponseError(error, parameters, expectedState)
    }
    if (code === null || code === '' || parameters.getAll('code').length > 1) {
      throw new errors.AuthorizationResponseError('The authorization response has not one code', 'malformed')
    }
    return code
  }

  /** POST /oauth2/token. */
  async requestTokens(
    grant: 'authorization_code' | 'refresh_token' | 'client_credentials',
    parameters: Readonly<Record<string, string>>,
    secret: string | undefined,
    { sensitive = [], ...call }: Call,
  ): Promise<TokenAnswer> {
    const library = await load()
    const all = { ...call, grant, sensitive: [...sensitive, ...credentialsIn(this.#parties, secret)] }
    return this.#parties.transport.call(
      'POST /oauth2/token',
      async (fetch) => {
        const { server, client, options } = this.#describe(library, fetch)
        const authentication = authenticate(this.#parties.clientId, secret)
        const response = await library.genericTokenEndpointRequest(
          server,
          client,
          authentication,
          grant,
          { ...parameters },
          options,
        )
        const issuer = await this.#issuerIn(response)
        const answer = await library.processGenericTokenEndpointResponse(
          { ...server, issuer },
          client,
          response,
        )
        if (answer.token_type !== 'bearer') {
          throw new errors.CognitoError("POST /oauth2/token: Cognito's answer has no bearer token")
        }
        return answer
      },
      all,
    )
  }

  /** POST /oauth2/revoke. */
  async revoke(
    refreshToken: string,
    secret: string | undefined,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const library = await load()
    await this.#parties.transport.call(
      'POST /oauth2/revoke',
      async (fetch) => {
        const { server, client, options } = this.#describe(library, fetch)
        const authentication = authenticate(this.#parties.clientId, secret)
        const response = await library.revocationRequest(
          server,
          client,
          authentication,
          refreshToken,
          options,
        )
        await library.processRevocationResponse(response)
      },
      { sensitive: [refreshToken, ...credentialsIn(this.#parties, secret)], signal, repeat: 'always' },
    )
  }

  /** GET /oauth2/userInfo. The answer must be of this sub. */
  async userInfo(
    accessToken: string,
    sub: string,
    signal: AbortSignal | undefined,
  ): Promise<Readonly<Record<string, unknown>> & { readonly sub: string }> {
    const library = await load()
    return this.#parties.transport.call(
      'GET /oauth2/userInfo',
      async (fetch) => {
        const { server, client, options } = this.#describe(library, fetch)
        const response = await library.userInfoRequest(server, client, accessToken, options)
        return await library.processUserInfoResponse(server, client, sub, response)
      },
      { sensitive: [accessToken], signal, repeat: 'always' },
    )
  }

  /** The two parties as the library has them. */
  #describe(library: Library, fetch?: Fetch) {
    const { domain, clientId, issuers, clock } = this.#parties
    return {
      server: {
        issuer: issuers[0] ?? '',
        token_endpoint: new URL('/oauth2/token', domain).href,
        revocation_endpoint: new URL('/oauth2/revoke', domain).href,
        userinfo_endpoint: new URL('/oauth2/userInfo', domain).href,
      },
      client: {
        client_id: clientId,
        [library.clockSkew]: Math.round((clock() - Date.now()) / 1000),
        [library.clockTolerance]: CLOCK_TOLERANCE_SECONDS,
      },
      options: {
        // That it may be plain http was settled with the option `domain`.
        [library.allowInsecureRequests]: domain.protocol === 'http:',
        ...(fetch && { [library.customFetch]: fetch }),
      },
    }
  }

  /** The library knows one issuer, a user pool may have two: the ID token chooses among the configured ones. */
  async #issuerIn(response: Response): Promise<string> {
    const { issuers } = this.#parties
    const [first = ''] = issuers
    try {
      const { id_token: token } = (await response.clone().json()) as { id_token?: string }
      const payload = Buffer.from(token?.split('.')[1] ?? '', 'base64url').toString('utf8')
      const { iss } = JSON.parse(payload) as { iss?: unknown }
      return issuers.find((issuer) => issuer === iss) ?? first
    } catch {
      return first
    }
  }
}

function authenticate(clientId: string, secret: string | undefined): ClientAuthentication {
  return (_server, _client, body, headers) => {
    if (secret === undefined) body.set('client_id', clientId)
    else headers.set('authorization', basicAuthorization(clientId, secret))
  }
}

/** In both forms that an error could quote. */
function credentialsIn({ clientId }: OAuthParties, secret: string | undefined): readonly string[] {
  return secret === undefined ? [] : [secret, basicAuthorization(clientId, secret).replace('Basic ', '')]
}

/** The library's errors hold all parameters, the code among them. */
function toAuthorizationResponseError(
  thrown: unknown,
  parameters: URLSearchParams,
  expectedState: string,
): errors.AuthorizationResponseError {
  const { code } = thrown as { code?: string }
  if (code !== 'OAUTH_AUTHORIZATION_RESPONSE_ERROR') {
    const states = parameters.getAll('state')
    if (states.length === 1 && states[0] === expectedState) {
      return new errors.AuthorizationResponseError(
        'The authorization response is not well-formed',
        'malformed',
      )
    }
    return new errors.AuthorizationResponseError(
      'The state of the authorization response is not the one that this browser began to sign in with: a forged or outdated response',
      'state',
    )
  }
  const named = parameters.get('error') ?? ''
  const error = ERROR_CODE.test(named) ? named : 'an unknown error'
  const said = parameters.get('error_description') ?? 'no description'
  const sensitive = [expectedState, ...parameters.getAll('code')]
  const cause = Object.assign(new Error(tellable(said, sensitive)), { name: error })
  return new errors.AuthorizationResponseError(
    `The sign-in ended with ${error}: nobody is signed in`,
    'error',
    { error, cause },
  )
}
