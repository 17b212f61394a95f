import { optionError } from '../options.js'
import { cognitoIssuers } from '../tokens/issuer.js'
import type { CheckedClientOptions } from './client-options.js'
import { HostedTransport } from './hosted-transport.js'
import { OAuthProtocol } from './oauth-protocol.js'

/** The hosted endpoints of a user pool, as far as the option `domain` tells where they are. */
export class HostedEndpoints {
  readonly #domain: URL | undefined
  readonly #protocol: OAuthProtocol | undefined

  constructor(options: CheckedClientOptions) {
    this.#domain = options.hostedDomain
    this.#protocol = this.#domain && createProtocol(options, this.#domain)
  }

  /**
   * The address of an endpoint.
   *
   * @param user what needs it, for the error
   * @throws TypeError without `domain`
   */
  url(user: string, path: string): URL {
    if (this.#domain === undefined) throw noDomain(user)
    return new URL(path, this.#domain)
  }

  /**
   * OAuth with them.
   *
   * @throws TypeError without `domain`
   */
  protocol(user: string): OAuthProtocol {
    if (this.#protocol === undefined) throw noDomain(user)
    return this.#protocol
  }
}

function createProtocol(options: CheckedClientOptions, domain: URL): OAuthProtocol {
  const { userPoolId, clientId, clock, issuer, requestTimeoutMs } = options
  const issuers = issuer === undefined ? cognitoIssuers('CognitoTokenClient', userPoolId) : [issuer].flat()
  return new OAuthProtocol({
    domain,
    clientId,
    clock,
    issuers,
    transport: new HostedTransport(requestTimeoutMs),
  })
}

function noDomain(user: string): TypeError {
  return optionError(
    'CognitoTokenClient',
    'domain',
    `given for ${user}: the domain of the user pool, such as "https://my-domain.auth.us-east-1.amazoncognito.com"`,
  )
}
