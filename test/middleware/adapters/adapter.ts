import type { RequestListener } from 'node:http'
import type { TokenVerifier } from '../../../src/index.js'
import type { VerifyTokenOptions } from '../../../src/middleware/verify-token-options.js'

/** Those options of `verifyToken` that are the same in every framework. */
export type CommonOptions = Omit<VerifyTokenOptions<never>, 'extractToken' | 'skip'>

/** A framework, as the tests of all of them need it. */
export interface Adapter {
  readonly name: string
  /**
   * An API behind `verifyToken` of this framework, on every method and path: it answers 200 and `{ auth }`, the
   * claims it was given or null, as JSON; and to an error that it was handed 500 and `{ handedOn }`, its String().
   */
  listener(verifier: TokenVerifier, options?: CommonOptions): RequestListener | Promise<RequestListener>
}
