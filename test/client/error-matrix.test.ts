import { describe, expect, it } from 'vitest'
import type { PasswordSignInInput } from '../../src/client/index.js'
import * as errors from '../../src/errors.js'
import { comeBack, exchange, WEB } from '../support/hosted.js'
import { type Scene, thrownBy, useScene } from '../support/scene.js'

const createScene = useScene()

type ErrorClass = abstract new (...args: never[]) => errors.CognitoRevocationError

/** Pairs (endpoint and grant, error), as OAuth has them on the wire. */
const ENDPOINTS: Record<string, (scene: Scene) => Promise<() => Promise<unknown>>> = {
  'POST /oauth2/token (authorization_code)': async (scene) => {
    const callback = await comeBack(scene)
    return () => exchange(callback, scene.client)
  },
  'POST /oauth2/token (refresh_token)':
    async ({ client }) =>
    () =>
      client.oauth.refresh({ refreshToken: 'a token' }),
  'POST /oauth2/token (client_credentials)':
    async ({ client }) =>
    () =>
      client.oauth.clientCredentials(),
  'POST /oauth2/revoke': async (scene) => {
    const session = await scene.signIn()
    return () => scene.client.revokeRefreshToken({ ...session, via: 'endpoint' })
  },
  'GET /oauth2/userInfo': async (scene) => {
    const { accessToken } = await scene.signIn()
    return () => scene.client.oauth.userInfo({ accessToken })
  },
}
const [BY_CODE = '', BY_REFRESH = '', BY_SECRET = '', REVOKE = '', USER_INFO = ''] = Object.keys(ENDPOINTS)
const TOKEN = [BY_CODE, BY_REFRESH, BY_SECRET]
const ENDPOINT_MATRIX: readonly (readonly [readonly string[], string, object, ErrorClass])[] = [
  [[BY_CODE], 'invalid_grant', {}, errors.AuthorizationCodeInvalidError],
  [[BY_REFRESH], 'invalid_grant', {}, errors.RefreshTokenInvalidError],
  [[BY_SECRET], 'invalid_grant', {}, errors.CognitoError],
  [[...TOKEN, REVOKE], 'invalid_client', {}, errors.SecretHashMismatchError],
  [TOKEN, 'invalid_client', { httpStatus: 400 }, errors.SecretHashMismatchError],
  ...['unauthorized_client', 'unsupported_grant_type', 'invalid_scope'].map(
    (error) => [TOKEN, error, {}, errors.CognitoConfigurationError] as const,
  ),
  [TOKEN, 'invalid_request', {}, errors.InvalidParameterError],
  [[REVOKE], 'invalid_request', {}, errors.TokenRevocationDisabledError],
  [[REVOKE], 'unsupported_token_type', {}, errors.NotARefreshTokenError],
  [[USER_INFO], 'invalid_token', {}, errors.NotAuthorizedError],
  [[USER_INFO], 'insufficient_scope', { httpStatus: 403 }, errors.NotAuthorizedError],
  [Object.keys(ENDPOINTS), 'something_new', {}, errors.CognitoError],
  [Object.keys(ENDPOINTS), 'toString', {}, errors.CognitoError],
  [Object.keys(ENDPOINTS), 'slow_down', { httpStatus: 429 }, errors.ThrottledError],
  [Object.keys(ENDPOINTS), 'blocked', { httpStatus: 403, plainBody: '<html>' }, errors.ForbiddenError],
  [Object.keys(ENDPOINTS), 'gone', { httpStatus: 404, plainBody: '' }, errors.ResourceNotFoundError],
  [Object.keys(ENDPOINTS), 'server_error', {}, errors.CognitoUnavailableError],
  [Object.keys(ENDPOINTS), 'x', { httpStatus: 503, plainBody: '<html>' }, errors.CognitoUnavailableError],
  [Object.keys(ENDPOINTS), 'socket hang up', {}, errors.CognitoUnavailableError],
]

describe('A refusal of a hosted endpoint becomes a typed error', () => {
  const rows = ENDPOINT_MATRIX.flatMap(([names, error, options, Class]) =>
    names.map((name) => ({ name, error, options, Class, expected: Class.name })),
  )

  it.each(rows)('$name: $error $options → $expected', async ({ name, error, options, Class }) => {
    const scene = createScene({ oauth: WEB })
    const act = await ENDPOINTS[name]?.(scene)
    const [asked = ''] = name.split(' (')
    scene.cognito.failNext(asked, error, { ...options, times: 3 })
    const thrown = await thrownBy(act as () => Promise<unknown>)
    const typed = thrown instanceof errors.RevocationIncompleteError ? (thrown.cause as Error) : thrown
    expect(typed).toBeInstanceOf(Class)
    expect(typed.message).toContain(`${asked}: `)
    expect(typed.cause).toMatchObject({ name: /./, message: /./ })
  })
})

/** How each operation is reached. What is thrown may be the cause of a partial outcome. */
const OPERATIONS: Record<string, (scene: Scene) => Promise<() => Promise<unknown>>> = {
  InitiateAuth:
    async ({ client, user }) =>
    () =>
      client.signIn(user),
  AdminInitiateAuth:
    async ({ client, user }) =>
    () =>
      client.signIn({ ...user, flow: 'ADMIN_USER_PASSWORD_AUTH' }),
  GetTokensFromRefreshToken: async (scene) => {
    const { refreshToken } = await scene.signIn()
    return () => scene.client.refresh({ refreshToken })
  },
  'InitiateAuth (REFRESH_TOKEN_AUTH)': async (scene) => {
    const session = await scene.signIn()
    return () => scene.client.refresh({ ...session, flow: 'REFRESH_TOKEN_AUTH' })
  },
  RevokeToken: async (scene) => {
    const session = await scene.signIn()
    return () => scene.client.revokeRefreshToken(session)
  },
  GlobalSignOut: async (scene) => {
    const session = await scene.signIn()
    return () => scene.client.globalSignOut(session)
  },
  AdminGetUser:
    async ({ client, user: { username } }) =>
    () =>
      client.adminGlobalSignOut({ username }),
  AdminUserGlobalSignOut:
    async ({ client, user }) =>
    () =>
      client.adminGlobalSignOut(user),
  DescribeUserPoolClient:
    async ({ client }) =>
    () =>
      client.describeTokenSettings(),
  'DescribeUserPoolClient (enableTokenRevocation)':
    async ({ client }) =>
    () =>
      client.enableTokenRevocation(),
  UpdateUserPoolClient: async ({ client, cognito, app }) => {
    cognito.updateClient(app.clientId, { enableTokenRevocation: false })
    return () => client.enableTokenRevocation()
  },
  CreateUserPoolClient:
    async ({ client }) =>
    () =>
      client.createAppClient({ clientName: 'another' }),
  AddUserPoolClientSecret:
    async ({ client }) =>
    () =>
      client.addClientSecret(),
  ListUserPoolClientSecrets:
    async ({ client }) =>
    () =>
      client.listClientSecrets(),
  DeleteUserPoolClientSecret:
    async ({ client }) =>
    () =>
      client.deleteClientSecret({ clientSecretId: 'abc--1' }),
  RespondToAuthChallenge: (scene) => answering(scene, 'USER_PASSWORD_AUTH'),
  AdminRespondToAuthChallenge: (scene) => answering(scene, 'ADMIN_USER_PASSWORD_AUTH'),
  AssociateSoftwareToken: async (scene) => {
    const { accessToken } = await scene.signIn()
    return () => scene.client.associateSoftwareToken({ accessToken })
  },
  VerifySoftwareToken: async (scene) => {
    const { accessToken } = await scene.signIn()
    return () => scene.client.verifySoftwareToken({ accessToken, code: '123456' })
  },
  ConfirmDevice: async (scene) => {
    const { accessToken } = await scene.signIn()
    const newDevice = { deviceKey: 'us-east-1_key', deviceGroupKey: 'group' }
    return () => scene.client.confirmDevice({ accessToken, newDevice })
  },
  ForgetDevice: async (scene) => {
    const { accessToken } = await scene.signIn()
    return () => scene.client.forgetDevice({ accessToken, deviceKey: 'us-east-1_key' })
  },
  SetUserMFAPreference: async (scene) => {
    const { accessToken } = await scene.signIn()
    return () => scene.client.setMfaPreference({ accessToken, softwareToken: 'preferred' })
  },
}

async function answering({ client, cognito, user }: Scene, flow: PasswordSignInInput['flow'] & string) {
  cognito.challengeNext(user.username, 'CUSTOM_CHALLENGE')
  const result = await client.signIn({ ...user, flow })
  if (result.status !== 'challenge' || result.challengeName !== 'CUSTOM_CHALLENGE') throw new Error('none')
  return () => client.respondToChallenge(result, { answer: 'an answer' })
}

const EVERY = Object.keys(OPERATIONS)
const RESPOND = ['RespondToAuthChallenge', 'AdminRespondToAuthChallenge']
const SIGN_IN = ['InitiateAuth', 'AdminInitiateAuth', ...RESPOND]
const SOFTWARE_TOKEN = ['AssociateSoftwareToken', 'VerifySoftwareToken']
const OF_A_USER = ['ConfirmDevice', 'ForgetDevice', 'SetUserMFAPreference']
const DESCRIBE = ['DescribeUserPoolClient', 'DescribeUserPoolClient (enableTokenRevocation)']
const WRITE_APP_CLIENT = ['UpdateUserPoolClient', 'CreateUserPoolClient']
const SECRETS = ['AddUserPoolClientSecret', 'ListUserPoolClientSecrets', 'DeleteUserPoolClientSecret']
const REFRESH = ['GetTokensFromRefreshToken', 'InitiateAuth (REFRESH_TOKEN_AUTH)']

/** Operations, exception, message, typed error: COGNITO's tables of errors, as they come over the wire. */
const MATRIX: readonly (readonly [readonly string[], string, string, ErrorClass])[] = [
  [EVERY, 'InternalErrorException', 'Internal', errors.CognitoUnavailableError],
  [EVERY, 'TooManyRequestsException', 'Rate exceeded', errors.ThrottledError],
  [EVERY, 'InvalidParameterException', 'Missing required parameter', errors.InvalidParameterError],
  [EVERY, 'OperationNotEnabledException', 'Not in a replica', errors.CognitoConfigurationError],
  [EVERY, 'ForbiddenException', 'Request not allowed due to WAF block.', errors.ForbiddenError],
  [EVERY, 'SomethingNewException', 'Never heard of', errors.CognitoError],
  [EVERY, 'AccessDeniedException', 'User is not authorized to perform', errors.AccessDeniedError],
  [
    [
      ...[...SIGN_IN, ...REFRESH, 'GlobalSignOut', 'AdminGetUser', 'AdminUserGlobalSignOut'],
      ...[...DESCRIBE, ...WRITE_APP_CLIENT, ...SECRETS, ...SOFTWARE_TOKEN, ...OF_A_USER],
    ],
    'ResourceNotFoundException',
    'User pool client abc does not exist.',
    errors.ResourceNotFoundError,
  ],
  [
    [...SIGN_IN, ...REFRESH, 'AdminGetUser', 'AdminUserGlobalSignOut', 'VerifySoftwareToken', ...OF_A_USER],
    'UserNotFoundException',
    'User does not exist.',
    errors.UserNotFoundError,
  ],
  [
    [...SIGN_IN, 'GlobalSignOut', 'VerifySoftwareToken', ...OF_A_USER],
    'PasswordResetRequiredException',
    'Password reset required for the user',
    errors.PasswordResetRequiredError,
  ],
  [
    [...SIGN_IN, 'GlobalSignOut', 'VerifySoftwareToken', ...OF_A_USER],
    'UserNotConfirmedException',
    'User is not confirmed.',
    errors.UserNotConfirmedError,
  ],
  [SIGN_IN, 'NotAuthorizedException', 'Incorrect username or password.', errors.NotAuthorizedError],
  [SIGN_IN, 'NotAuthorizedException', 'Password attempts exceeded', errors.NotAuthorizedError],
  [SIGN_IN, 'NotAuthorizedException', 'User is disabled.', errors.UserDisabledError],
  ...[
    'Client abc is configured with secret but SECRET_HASH was not received',
    'Unable to verify secret hash for client abc',
    'SecretHash does not match for the client: abc',
  ].map((message) => [SIGN_IN, 'NotAuthorizedException', message, errors.SecretHashMismatchError] as const),
  ...[
    ...[
      'InvalidUserPoolConfigurationException',
      'FeatureUnavailableInTierException',
      'UnsupportedOperationException',
    ],
    ...['InvalidSmsRoleAccessPolicyException', 'InvalidSmsRoleTrustRelationshipException'],
    'InvalidEmailRoleAccessPolicyException',
  ].map((name) => [SIGN_IN, name, 'Misconfigured', errors.CognitoConfigurationError] as const),
  ...['UserLambdaValidationException', 'UnexpectedLambdaException', 'InvalidLambdaResponseException'].map(
    (name) =>
      [[...SIGN_IN, ...REFRESH], name, 'PreTokenGeneration failed', errors.LambdaTriggerError] as const,
  ),
  ...['Refresh Token has been revoked', 'Refresh Token has been revoked.'].map(
    (message) => [REFRESH, 'NotAuthorizedException', message, errors.RefreshTokenRevokedError] as const,
  ),
  ...['Invalid Refresh Token', 'Invalid Refresh Token.', 'Refresh Token has expired'].map(
    (message) => [REFRESH, 'NotAuthorizedException', message, errors.RefreshTokenInvalidError] as const,
  ),
  [REFRESH, 'RefreshTokenReuseException', 'Refresh token has been reused', errors.RefreshTokenReuseError],
  ...[
    'Invalid session for the user.',
    'Invalid session for the user, session is expired.',
    'Invalid session for the user, session can only be used once',
  ].map(
    (message) =>
      [
        [...RESPOND, ...SOFTWARE_TOKEN],
        'NotAuthorizedException',
        message,
        errors.ChallengeSessionExpiredError,
      ] as const,
  ),
  [
    [...RESPOND, 'VerifySoftwareToken'],
    'CodeMismatchException',
    'Invalid code or auth state for the user.',
    errors.CodeMismatchError,
  ],
  [['VerifySoftwareToken'], 'EnableSoftwareTokenMFAException', 'Code mismatch', errors.CodeMismatchError],
  [RESPOND, 'ExpiredCodeException', 'Invalid code provided', errors.CodeExpiredError],
  [
    RESPOND,
    'ExpiredCodeException',
    'Your software token has already been used once',
    errors.CodeExpiredError,
  ],
  [RESPOND, 'NotAuthorizedException', 'Incorrect secret answer.', errors.NotAuthorizedError],
  [
    [...SIGN_IN, 'GetTokensFromRefreshToken'],
    'NotAuthorizedException',
    'Client abc is not configured for secret but secret was received',
    errors.SecretHashMismatchError,
  ],
  [
    ['GetTokensFromRefreshToken'],
    'NotAuthorizedException',
    'Whatever it says of a secret',
    errors.SecretHashMismatchError,
  ],
  [[...RESPOND, 'ConfirmDevice'], 'InvalidPasswordException', 'Not long enough', errors.InvalidPasswordError],
  [RESPOND, 'PasswordHistoryPolicyViolationException', 'Used before', errors.PasswordHistoryError],
  [RESPOND, 'AliasExistsException', 'An account with the email already exists.', errors.AliasExistsError],
  [SIGN_IN, 'MFAMethodNotFoundException', 'Misconfigured', errors.MfaMethodNotFoundError],
  [
    [...RESPOND, ...SOFTWARE_TOKEN],
    'SoftwareTokenMFANotFoundException',
    'Software Token MFA has not been enabled by the userPool',
    errors.MfaMethodNotFoundError,
  ],
  [
    ['AssociateSoftwareToken'],
    'ConcurrentModificationException',
    'Twice',
    errors.ConcurrentModificationError,
  ],
  [
    ['VerifySoftwareToken', 'ConfirmDevice', 'ForgetDevice'],
    'InvalidUserPoolConfigurationException',
    'Misconfigured',
    errors.CognitoConfigurationError,
  ],
  [['ConfirmDevice'], 'DeviceKeyExistsException', 'Device key already exists.', errors.InvalidParameterError],
  [['ConfirmDevice'], 'InvalidLambdaResponseException', 'Bad', errors.LambdaTriggerError],
  ...['Access Token has been revoked', 'Access Token has expired'].map(
    (message) =>
      [
        [...SOFTWARE_TOKEN, ...OF_A_USER],
        'NotAuthorizedException',
        message,
        message.endsWith('expired') ? errors.TokenExpiredError : errors.TokenRevokedError,
      ] as const,
  ),
  [['RevokeToken'], 'UnauthorizedException', 'Not this client', errors.WrongClientError],
  [['RevokeToken'], 'NotAuthorizedException', 'User not authorized', errors.WrongClientError],
  [['RevokeToken'], 'UnsupportedOperationException', 'Not enabled', errors.TokenRevocationDisabledError],
  [['RevokeToken'], 'UnsupportedTokenTypeException', 'Not a refresh token', errors.NotARefreshTokenError],
  [['GlobalSignOut'], 'NotAuthorizedException', 'Access Token has been revoked', errors.TokenRevokedError],
  [['GlobalSignOut'], 'NotAuthorizedException', 'Access Token has expired', errors.TokenExpiredError],
  [['GlobalSignOut'], 'NotAuthorizedException', 'Invalid Access Token', errors.NotAuthorizedError],
  ...['User is not authorized', 'Client abc has no secret', 'User is disabled.'].map(
    (message) =>
      [
        [...DESCRIBE, ...WRITE_APP_CLIENT, ...SECRETS],
        'NotAuthorizedException',
        message,
        errors.NotAuthorizedError,
      ] as const,
  ),
  [WRITE_APP_CLIENT, 'FeatureUnavailableInTierException', 'Lite', errors.CognitoConfigurationError],
  [WRITE_APP_CLIENT, 'InvalidOAuthFlowException', 'No such flow', errors.InvalidParameterError],
  [WRITE_APP_CLIENT, 'ScopeDoesNotExistException', 'No such scope', errors.InvalidParameterError],
  [['CreateUserPoolClient'], 'LimitExceededException', 'Too many app clients', errors.ThrottledError],
  [SECRETS, 'InternalServerException', 'Internal', errors.CognitoUnavailableError],
  [SECRETS, 'LimitExceededException', 'Two secrets', errors.ThrottledError],
  [EVERY, 'socket hang up', '', errors.CognitoUnavailableError],
]

describe('An exception of Cognito becomes a typed error', () => {
  const rows = MATRIX.flatMap(([operations, exception, message, Class]) =>
    operations.map((operation) => ({ operation, exception, message, Class, expected: Class.name })),
  )

  it.each(rows)(
    '$operation: $exception "$message" → $expected',
    async ({ operation, exception, message, Class }) => {
      const scene = createScene()
      const act = await OPERATIONS[operation]?.(scene)
      const [asked = ''] = operation.split(' ')
      scene.cognito.failNext(asked, exception, message === '' ? {} : { message })
      const thrown = await thrownBy(act as () => Promise<unknown>)
      const error = thrown instanceof errors.RevocationIncompleteError ? (thrown.cause as Error) : thrown
      expect(error).toBeInstanceOf(Class)
      expect(error.message).toContain(`${asked}: `)
      expect(error.cause).toMatchObject(
        exception === 'socket hang up' ? { message: /./ } : { name: exception },
      )
    },
  )
})
