import type { CognitoClaims } from '../../tokens/claims.js'

export type * from '../option-types.js'
export type { Refusal } from '../refusal.js'
export { Claims } from './claims-decorator.js'
export { CognitoAuthException } from './cognito-auth-exception.js'
export { CognitoAuthGuard } from './cognito-auth-guard.js'
export { CognitoRevocationModule } from './cognito-revocation-module.js'
export {
  Groups,
  OptionalAuth,
  Public,
  type RouteDecorator,
  type RouteOptions,
  Scopes,
  VerifyToken,
} from './decorators.js'
export type { GuardOptions } from './guard-options.js'
export {
  type CognitoRevocationModuleAsyncOptions,
  type CognitoRevocationModuleOptions,
  type CognitoRevocationModulePlace,
  type CognitoRevocationOptionsFactory,
  TOKEN_VERIFIER,
} from './module-options.js'
export type { GetRequest, NestRequest } from './request-of.js'
export { revokeSessionHandler } from './revoke-session-handler.js'
export { verifyToken } from './verify-token.js'

declare global {
  // The place that @types/express leaves for this; it exists without it, too.
  namespace Express {
    interface Request {
      /** The verified claims of the request's token, set by the guard. */
      auth?: CognitoClaims
    }
  }
}
