import type { VerifyTokenOptions } from '../verify-token-options.js'
import type { GetRequest, NestRequest } from './request-of.js'

/**
 * Options of `verifyToken` for NestJS. `Request` is the platform's: Express' or Fastify's. `scope` and `groups` hold
 * for all that the guard guards; what `@Scopes` and `@Groups` ask for comes on top.
 */
export interface GuardOptions<Request = NestRequest> extends VerifyTokenOptions<Request> {
  /**
   * Finds the request in contexts other than `http` and `graphql` with `req` in its context: gateways, microservices.
   * What it gives must have `headers`, and gets the claims as `auth`; outside of `http` it must not have an `auth` from
   * elsewhere, which could be taken for claims: that is a TypeError. So give the `request` of a Socket.IO client, not its
   * `handshake`, whose `auth` the client itself writes. Default: a TypeError for such contexts, which refuses them.
   *
   * @example
   * import { verifyToken } from 'cognito-revocation/nestjs'
   * verifyToken(verifier, { getRequest: (context) => context.switchToWs().getClient().request })
   */
  readonly getRequest?: GetRequest<Request>
}
