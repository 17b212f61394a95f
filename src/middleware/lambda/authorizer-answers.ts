import type { AuthorizerContext } from './authorizer-context.js'

/**
 * A policy that allows or denies.
 *
 * @see https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-lambda-authorizer-output.html
 */
export interface PolicyAnswer {
  /** The token's `sub`, which is a machine's client id, too; 'unknown' where the policy denies. */
  principalId: string
  policyDocument: {
    Version: '2012-10-17'
    Statement: { Action: 'execute-api:Invoke'; Effect: 'Allow' | 'Deny'; Resource: string }[]
  }
  context: AuthorizerContext
}

/**
 * The simple answer for an HTTP API with payload format 2.0.
 *
 * @see https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-lambda-authorizer.html
 */
export interface SimpleAnswer {
  isAuthorized: boolean
  context: AuthorizerContext
}

/**
 * The answer for AppSync.
 *
 * @see https://docs.aws.amazon.com/appsync/latest/devguide/security-authz.html#aws-lambda-authorization
 */
export interface AppSyncAnswer {
  isAuthorized: boolean
  resolverContext?: AuthorizerContext
  /** Fields that this caller gets null for, as ARNs or `Type.field`. */
  deniedFields?: string[]
  /** How long AppSync may use this answer again, in seconds. */
  ttlOverride: number
}

/** What an authorizer answers. */
export type AuthorizerAnswer = PolicyAnswer | SimpleAnswer | AppSyncAnswer

/** A policy with one statement. */
export function policyAnswer(
  effect: 'Allow' | 'Deny',
  principalId: string,
  resource: string,
  context: AuthorizerContext,
): PolicyAnswer {
  const statement = { Action: 'execute-api:Invoke' as const, Effect: effect, Resource: resource }
  return { principalId, policyDocument: { Version: '2012-10-17', Statement: [statement] }, context }
}
