/** What an `execute-api` ARN names, up to the stage, and what of the stage. No part before the path has a wildcard. */
const ARN =
  /^(arn:aws(?:-[a-z]+)*:execute-api:[a-z0-9-]+:[A-Za-z0-9-]+:[A-Za-z0-9-]+\/(?:\$default|[A-Za-z0-9_-]+))\/(.+)$/s

/** Where one is put into a policy. A REST API itself refuses longer ones (1,600 bytes), an HTTP API does not. */
const MAX_METHOD_LENGTH = 2_048

/** What a policy is about. */
export interface PolicyResources {
  /** All of the stage. */
  readonly stage: string
  /** The method and path that are asked for; undefined where no policy can name them without naming others, too. */
  readonly method: string | undefined
}

/**
 * What a policy can be about, by the ARN of an event.
 *
 * @throws TypeError unless it is the ARN of a method, in whichever partition
 * @see https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-control-access-using-iam-policies-to-invoke-api.html
 */
export function policyResources(arn: string): PolicyResources {
  const [, stage, rest] = ARN.exec(arn) ?? []
  if (stage === undefined || rest === undefined)
    throw new TypeError('createLambdaAuthorizer: methodArn or routeArn of the event is no execute-api ARN')
  return {
    // Not `*/*`: a WebSocket's `$connect` has no method, and a route may have no path.
    stage: `${stage}/*`,
    // A path is the caller's: in a policy its wildcards, or a variable, would stand for other paths.
    method: arn.length > MAX_METHOD_LENGTH || /[*?]|\$\{/.test(rest) ? undefined : arn,
  }
}
