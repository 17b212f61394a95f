import * as errors from '../errors.js'

type ErrorClass = new (message: string, options: ErrorOptions) => errors.CognitoRevocationError
type Advice = readonly [ErrorClass, string]

/** What each exception of Cognito's means, by name. Messages decide only where a name means several things. */
const BY_NAME: Readonly<Record<string, Advice>> = {
  UserNotFoundException: [errors.UserNotFoundError, 'There is no such user'],
  UserNotConfirmedException: [errors.UserNotConfirmedError, 'The user must confirm the sign-up first'],
  PasswordResetRequiredException: [
    errors.PasswordResetRequiredError,
    'The user must set a new password first',
  ],
  ...each(
    ['CodeMismatchException', 'EnableSoftwareTokenMFAException'],
    [errors.CodeMismatchError, 'The code or answer is wrong; ask the user again'],
  ),
  ExpiredCodeException: [
    errors.CodeExpiredError,
    'The code has expired; begin the sign-in again for a new one',
  ],
  InvalidPasswordException: [
    errors.InvalidPasswordError,
    "The new password does not meet the user pool's policy; ask for another",
  ],
  PasswordHistoryPolicyViolationException: [
    errors.PasswordHistoryError,
    'The user has had this password before; ask for another',
  ],
  AliasExistsException: [
    errors.AliasExistsError,
    'Another user has this e-mail address or phone number as an alias',
  ],
  ...each(
    ['MFAMethodNotFoundException', 'SoftwareTokenMFANotFoundException'],
    [errors.MfaMethodNotFoundError, 'The user or the user pool has no such second factor; set it up first'],
  ),
  DeviceKeyExistsException: [errors.InvalidParameterError, 'This device is confirmed already'],
  RefreshTokenReuseException: [
    errors.RefreshTokenReuseError,
    'The refresh token was rotated away: a response was lost, or the token was stolen',
  ],
  UnsupportedTokenTypeException: [errors.NotARefreshTokenError, 'Only refresh tokens can be revoked'],
  UnauthorizedException: [
    errors.WrongClientError,
    "The refresh token is another app client's, or the client secret is wrong or missing",
  ],
  ResourceNotFoundException: [
    errors.ResourceNotFoundError,
    'Check userPoolId, clientId, Region and, if one was given, the device',
  ],
  InvalidParameterException: [
    errors.InvalidParameterError,
    'Check the parameters, and that the app client allows this auth flow (ExplicitAuthFlows)',
  ],
  ConcurrentModificationException: [
    errors.ConcurrentModificationError,
    'Somebody else changes the same thing at the same time; try again',
  ],
  ...each(
    ['InvalidOAuthFlowException', 'ScopeDoesNotExistException'],
    [errors.InvalidParameterError, 'Check AllowedOAuthFlows and AllowedOAuthScopes'],
  ),
  ForbiddenException: [errors.ForbiddenError, 'AWS WAF or threat protection blocked the request'],
  UserLambdaValidationException: [errors.LambdaTriggerError, 'A Lambda trigger of the user pool refused'],
  UnexpectedLambdaException: [errors.LambdaTriggerError, 'A Lambda trigger of the user pool failed'],
  InvalidLambdaResponseException: [
    errors.LambdaTriggerError,
    'A Lambda trigger of the user pool gave a bad answer',
  ],
  ...each(
    ['TooManyRequestsException', 'LimitExceededException', 'ThrottlingException', 'RequestLimitExceeded'],
    [errors.ThrottledError, "Cognito's quota is used up; try again later, and slower"],
  ),
  ...each(
    [
      'InvalidUserPoolConfigurationException',
      'InvalidSmsRoleAccessPolicyException',
      'InvalidSmsRoleTrustRelationshipException',
      'InvalidEmailRoleAccessPolicyException',
      'FeatureUnavailableInTierException',
      'OperationNotEnabledException',
      'UnsupportedOperationException',
    ],
    [errors.CognitoConfigurationError, "The user pool's settings, feature plan or Region do not allow this"],
  ),
  ...each(
    [
      'AccessDeniedException',
      'UnrecognizedClientException',
      'MissingAuthenticationTokenException',
      'InvalidSignatureException',
      'IncompleteSignatureException',
      'ExpiredTokenException',
      'CredentialsProviderError',
      'TokenProviderError',
    ],
    [
      errors.AccessDeniedError,
      'The AWS credentials of this process are missing, expired, or lack the IAM permission',
    ],
  ),
  ...each(
    ['InternalErrorException', 'InternalServerException', 'ServiceUnavailable'],
    [errors.CognitoUnavailableError, 'Cognito failed inside; whether it took effect is unknown'],
  ),
}

/** Sentences of Cognito's that quote nothing, whatever was sent. */
const USUAL = new RegExp(
  `^(${[
    'Incorrect username or password',
    'Password attempts exceeded',
    'Password reset required for the user',
    'User does not exist',
    'User is disabled',
    'User is not confirmed',
    'Rate exceeded',
    'Invalid session for the user(, session (is expired|can only be used once))?',
    'Invalid code (received for user|or auth state for the user)',
    'Invalid code provided, please request a code again',
    'Your software token has already been used once',
    '(Refresh|Access) Token has (been revoked|expired)',
    'Invalid (Refresh|Access) Token',
    'Client [\\w+]+ is configured with secret but SECRET_HASH was not received',
    'Unable to verify secret hash for client [\\w+]+',
    'SecretHash does not match for the client: [\\w+]+',
  ].join('|')})\\.?$`,
)

const APP_CLIENT_OPERATIONS =
  /^((Describe|Update|Create)UserPoolClient|(Add|List|Delete)UserPoolClientSecrets?)$/

/** NotAuthorizedException means many things; only its message tells which. Cognito varies the final period. */
const NOT_AUTHORIZED: readonly (readonly [RegExp, ErrorClass, string])[] = [
  [/refresh token has been revoked/i, errors.RefreshTokenRevokedError, 'Refresh Token has been revoked'],
  [
    /invalid refresh token|refresh token has expired/i,
    errors.RefreshTokenInvalidError,
    'The refresh token has expired, is of another app client or user pool, or is of a device that is tracked: ' +
      'then give its deviceKey (DEVICE_KEY), which must have been confirmed. With rotation, one of ' +
      'ADMIN_NO_SRP_AUTH is refused too',
  ],
  [
    /secret/i,
    errors.SecretHashMismatchError,
    'The client secret is wrong, missing or superfluous, or (on refresh) the username is not the real one',
  ],
  [
    /invalid session for the user/i,
    errors.ChallengeSessionExpiredError,
    "The sign-in's session is over: too late, too many wrong answers, or answered before; begin it again",
  ],
  [/user is disabled/i, errors.UserDisabledError, 'An administrator has disabled the user'],
]

/**
 * Turns what the AWS SDK threw into a typed error, with the SDK's error as `cause`. What Cognito or the
 * network said is passed on only without the tokens, passwords and secrets that were sent.
 */
export function toTypedError(
  operation: string,
  thrown: unknown,
  sensitive: readonly (string | undefined)[],
): errors.CognitoRevocationError {
  if (thrown instanceof errors.CognitoRevocationError) return thrown
  const error = thrown as Error & { $fault?: string; $metadata?: { httpStatusCode?: number } }
  const name = error?.name ?? 'Error'
  // A parser quotes what it could not parse: an answer with tokens, maybe.
  const message = name === 'SyntaxError' ? 'not JSON' : String(error?.message ?? thrown)
  const said = quotes(message, sensitive) ? 'its message is withheld, since it quotes what was sent' : message
  // Only on an error that the service itself wrote does no part of an answer hang.
  const clean = error?.$fault !== undefined && said === error.message
  const cause = clean ? error : Object.assign(new Error(said), { name, $metadata: error?.$metadata })
  const make = (Class: ErrorClass, advice: string) =>
    new Class(`${operation}: ${advice}. Cognito: ${name}: ${said}`, { cause })

  if (APP_CLIENT_OPERATIONS.test(operation)) {
    // Neither of users nor of tokens: what those words mean elsewhere does not hold here.
    if (name === 'NotAuthorizedException')
      return make(errors.NotAuthorizedError, 'Cognito refuses this caller: check the IAM policy')
    if (name === 'LimitExceededException') return make(errors.ThrottledError, limitAdvice(operation))
    if (name === 'InvalidParameterException' && operation.includes('ClientSecret')) {
      return make(
        errors.InvalidParameterError,
        'Check the parameters; an app client that has no secret gets none, and the last one cannot be deleted',
      )
    }
  }
  if (name === 'NotAuthorizedException') {
    for (const [pattern, Class, advice] of NOT_AUTHORIZED)
      if (pattern.test(message)) return make(Class, advice)
    if (/access token has been revoked/i.test(message)) {
      return new errors.TokenRevokedError(`${operation}: Access Token has been revoked`, undefined, { cause })
    }
    if (/access token has expired/i.test(message))
      return make(errors.TokenExpiredError, 'The access token has expired')
    if (operation === 'RevokeToken') return make(...advised('UnauthorizedException'))
    return make(errors.NotAuthorizedError, 'Cognito refuses: wrong username or password, or an invalid token')
  }
  if (operation === 'RevokeToken' && name === 'UnsupportedOperationException') {
    return make(errors.TokenRevocationDisabledError, 'Turn on EnableTokenRevocation for the app client')
  }
  if (Object.hasOwn(BY_NAME, name)) return make(...advised(name))
  const status = error?.$metadata?.httpStatusCode
  if (error?.$fault !== undefined && status !== undefined && status < 500) {
    return make(errors.CognitoError, 'Cognito refused, for a reason that this library does not know')
  }
  return make(errors.CognitoUnavailableError, 'No answer to rely on came; whether it took effect is unknown')
}

function limitAdvice(operation: string): string {
  if (operation === 'CreateUserPoolClient') return 'The user pool has as many app clients as its quota allows'
  return (
    'An app client has two secrets at most: find the one that is no longer used by listClientSecrets, and ' +
    'deleteClientSecret it. It may be one whose answer was lost a moment ago'
  )
}

function advised(name: string): Advice {
  return BY_NAME[name] as Advice
}

function each(names: readonly string[], advice: Advice): Record<string, Advice> {
  return Object.fromEntries(names.map((name) => [name, advice]))
}

/**
 * Whether a message quotes a token, password or secret. Cognito's usual sentences don't, whatever was sent:
 * a password that is a word of theirs must not be told by what becomes of them.
 */
function quotes(message: string, sensitive: readonly (string | undefined)[]): boolean {
  if (USUAL.test(message)) return false
  return /eyJ[\w.=-]{16,}/.test(message) || sensitive.some((secret) => secret && message.includes(secret))
}
