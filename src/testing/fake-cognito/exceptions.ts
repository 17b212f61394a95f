/** A refusal as it goes over the wire: an exception's name, its message, its HTTP status. */
export class CognitoException extends Error {
  readonly status: number

  constructor(name: string, message: string, status = statusOf(name)) {
    super(message)
    this.name = name
    this.status = status
  }
}

/** Cognito answers every exception with 400, throttling too; only its own failures differ. */
function statusOf(name: string): number {
  if (name === 'InternalErrorException' || name === 'InternalServerException') return 500
  return name === 'ServiceUnavailableException' ? 503 : 400
}

export function invalidParameter(message: string): CognitoException {
  return new CognitoException('InvalidParameterException', message)
}

export function notAuthorized(message: string): CognitoException {
  return new CognitoException('NotAuthorizedException', message)
}

export function resourceNotFound(message: string): CognitoException {
  return new CognitoException('ResourceNotFoundException', message)
}

export function unauthorized(message: string): CognitoException {
  return new CognitoException('UnauthorizedException', message)
}

export function userNotFound(): CognitoException {
  return new CognitoException('UserNotFoundException', 'User does not exist.')
}

export function userDisabled(): CognitoException {
  return notAuthorized('User is disabled.')
}
