export type { Grants } from '../grants.js'
export type { TokenSource } from '../token-source.js'
export type { Verifier } from '../verify-token-options.js'
export { createLambdaAuthorizer, type LambdaAuthorizer } from './authorizer.js'
export type { AppSyncAnswer, AuthorizerAnswer, PolicyAnswer, SimpleAnswer } from './authorizer-answers.js'
export type { AuthorizerContext } from './authorizer-context.js'
export type {
  AppSyncAuthorizerEvent,
  HttpApiAuthorizerEvent,
  LambdaAuthorizerEvent,
  PolicyAuthorizerEvent,
  RequestAuthorizerEvent,
  TokenAuthorizerEvent,
  WebSocketAuthorizerEvent,
} from './authorizer-events.js'
export type { LambdaAuthorizerOptions } from './authorizer-options.js'
export type { AuthorizerTokenSource } from './event-token.js'
export type { EventMultiValues, EventValues } from './event-values.js'
export { createPreTokenGenerationGuard } from './pre-token-generation.js'
export type {
  PreTokenGenerationEvent,
  PreTokenGenerationGuardOptions,
} from './pre-token-generation-options.js'
export { type AuthorizedCaller, readAuthorizerContext } from './read-authorizer-context.js'
