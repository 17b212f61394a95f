import { inspect } from 'node:util'
import { beforeAll, describe, expect, it, vi } from 'vitest'
import * as errors from '../src/errors.js'
import { CognitoRevocationError, type ErrorCode } from '../src/errors.js'

type AnyErrorClass = new (message: string, ...rest: unknown[]) => CognitoRevocationError

const outcome = { store: 'recorded', cognito: 'unknown' }

/** Every class that is exported, with its code, its status, and what else its constructor takes. */
const TABLE: Record<string, readonly [code: ErrorCode, status: number | undefined, ...rest: unknown[]]> = {
  TokenMalformedError: ['token_malformed', 401],
  TokenSignatureError: ['token_signature_invalid', 401],
  TokenKeyUnknownError: ['token_key_unknown', 401],
  TokenClaimError: ['token_claim_invalid', 401, { claim: 'sub', actual: 5, expected: 'a string' }],
  TokenExpiredError: ['token_expired', 401],
  TokenNotRevocableError: ['token_not_revocable', 401],
  TokenRevokedError: ['token_revoked', 401, 'session'],
  InsufficientScopeError: ['insufficient_scope', 403, ['orders/read']],
  RevocationUnavailableError: ['revocation_unavailable', 503],
  JwksUnavailableError: ['jwks_unavailable', 503],
  NotReadyError: ['not_ready', 503],
  StoreFullError: ['store_full', undefined],
  StoreUnavailableError: ['store_unavailable', 503],
  StoreProtocolError: ['store_protocol', undefined],
  CutoffInFutureError: ['cutoff_in_future', undefined],
  NotAuthorizedError: ['not_authorized', 401],
  UserNotFoundError: ['user_not_found', 404],
  UserDisabledError: ['user_disabled', 403],
  UserNotConfirmedError: ['user_not_confirmed', 403],
  PasswordResetRequiredError: ['password_reset_required', 403],
  CodeMismatchError: ['code_mismatch', 401],
  CodeExpiredError: ['code_expired', 401],
  ChallengeSessionExpiredError: ['challenge_session_expired', 401],
  InvalidPasswordError: ['invalid_password', 400],
  PasswordHistoryError: ['password_history', 400],
  AliasExistsError: ['alias_exists', 409],
  MfaMethodNotFoundError: ['mfa_method_not_found', 400],
  SecretHashMismatchError: ['secret_hash_mismatch', 500],
  ClientSecretUnavailableError: ['client_secret_unavailable', 503],
  RefreshTokenRevokedError: ['refresh_token_revoked', 401],
  RefreshTokenInvalidError: ['refresh_token_invalid', 401],
  RefreshTokenReuseError: ['refresh_token_reuse', 401],
  AuthorizationCodeInvalidError: ['authorization_code_invalid', 400],
  AuthorizationResponseError: ['authorization_response', 400, 'state'],
  TokenRevocationDisabledError: ['token_revocation_disabled', 500],
  NotARefreshTokenError: ['not_a_refresh_token', 400],
  WrongClientError: ['wrong_client', 401],
  ThrottledError: ['throttled', 429],
  ForbiddenError: ['forbidden', 403],
  AccessDeniedError: ['access_denied', 500],
  InvalidParameterError: ['invalid_parameter', 400],
  ResourceNotFoundError: ['resource_not_found', 500],
  ConcurrentModificationError: ['concurrent_modification', 409],
  LambdaTriggerError: ['lambda_trigger_failed', 403],
  CognitoConfigurationError: ['cognito_configuration', 500],
  CognitoUnavailableError: ['cognito_unavailable', 503],
  CognitoError: ['cognito_error', 500],
  SessionUnknownError: ['session_unknown', undefined, outcome],
  RevocationIncompleteError: ['revocation_incomplete', undefined, outcome],
  SignOutInterruptedError: ['sign_out_interrupted', undefined, { done: 1, failed: 0, failures: [] }],
}

const rows = Object.entries(TABLE).map(([name, [code, status, ...rest]]) => ({ name, code, status, rest }))

function classOf(name: string, copy: object = errors): AnyErrorClass {
  return (copy as Record<string, AnyErrorClass>)[name] as AnyErrorClass
}

describe('every error', () => {
  it('is in this table', () => {
    const exported = Object.entries(errors)
      .filter(([, value]) => typeof value === 'function' && value !== CognitoRevocationError)
      .map(([name]) => name)
    expect(exported.sort()).toEqual(Object.keys(TABLE).sort())
  })

  it.each(rows)('has its name, code and status: $name $code $status', ({ name, code, status, rest }) => {
    const cause = new Error('origin')
    const error = new (classOf(name))('what to do', ...rest, { cause })
    expect(error).toBeInstanceOf(Error)
    expect(error).toBeInstanceOf(CognitoRevocationError)
    expect(error).toBeInstanceOf(classOf(name))
    expect([error.name, error.code, error.status, error.message]).toEqual([name, code, status, 'what to do'])
    expect(error.cause).toBe(cause)
    expect((classOf(name) as unknown as { code: string }).code).toBe(code)
    expect(error.stack).toContain(name)
  })

  it('has a code of its own', () => {
    expect(new Set(rows.map(({ code }) => code)).size).toBe(rows.length)
  })

  it.each(rows)('is an instance of no other class: $name', ({ name, rest }) => {
    const error = new (classOf(name))('message', ...rest)
    const kin = rows.filter((row) => error instanceof classOf(row.name)).map((row) => row.name)
    expect(kin).toEqual([name])
  })

  it('shows nothing of the library’s own when it is turned into JSON', () => {
    const error = new errors.TokenExpiredError('The token has expired')
    expect(JSON.parse(JSON.stringify(error))).toEqual({
      name: 'TokenExpiredError',
      code: 'token_expired',
      status: 401,
    })
  })
})

describe('the facts of an error', () => {
  it('are there for a claim: which, what it is, what it should be', () => {
    const error = new errors.TokenClaimError('message', { claim: 'aud', actual: 'a', expected: ['b'] })
    expect(error).toMatchObject({ claim: 'aud', actual: 'a', expected: ['b'] })
  })

  it('are there for a revocation: its scope, or none where Cognito itself said so', () => {
    expect(new errors.TokenRevokedError('message', 'client').scope).toBe('client')
    expect(new errors.TokenRevokedError('message').scope).toBeUndefined()
  })

  it('are there for a scope: which would do', () => {
    expect(new errors.InsufficientScopeError('message', ['a']).requiredScopes).toEqual(['a'])
    expect(new errors.InsufficientScopeError('message').requiredScopes).toEqual([])
  })

  it('are there for an authorization response: what is wrong with it, and what Cognito calls it', () => {
    const error = new errors.AuthorizationResponseError('message', 'error', { error: 'access_denied' })
    expect(error).toMatchObject({ failure: 'error', error: 'access_denied' })
    expect(new errors.AuthorizationResponseError('message', 'state').error).toBeUndefined()
  })

  it('are there for what was done in part', () => {
    const done = { store: 'recorded', cognito: 'unknown' } as const
    expect(new errors.RevocationIncompleteError('message', done).outcome).toBe(done)
    expect(new errors.SessionUnknownError('message', done).outcome).toBe(done)
    const summary = { done: 1, failed: 0, failures: [] }
    expect(new errors.SignOutInterruptedError('message', summary).summary).toBe(summary)
  })
})

describe('instanceof with two copies of the package in one process', () => {
  let copy: typeof errors

  beforeAll(async () => {
    vi.resetModules()
    copy = await import('../src/errors.js')
  })

  it('has two copies to look at', () => {
    expect(copy.CognitoRevocationError).not.toBe(CognitoRevocationError)
    expect(Object.keys(copy)).toEqual(Object.keys(errors))
  })

  it.each(rows)('holds both ways: $name', ({ name, rest }) => {
    const [ours, theirs] = [classOf(name), classOf(name, copy)]
    expect(theirs).not.toBe(ours)
    expect(new theirs('message', ...rest)).toBeInstanceOf(ours)
    expect(new ours('message', ...rest)).toBeInstanceOf(theirs)
    expect(new theirs('message', ...rest)).toBeInstanceOf(CognitoRevocationError)
    expect(new ours('message', ...rest)).toBeInstanceOf(copy.CognitoRevocationError)
  })

  it.each(rows)('holds for the same class only: $name', ({ name, rest }) => {
    const error = new (classOf(name, copy))('message', ...rest)
    const kin = rows.filter((row) => error instanceof classOf(row.name)).map((row) => row.name)
    expect(kin).toEqual([name])
  })

  it('holds for what a user derives in the other copy', () => {
    class TenantError extends copy.TokenClaimError {}
    const error = new TenantError('message', { claim: 'tenant', actual: 1, expected: 2 })
    expect(error).toBeInstanceOf(errors.TokenClaimError)
    expect(error).toBeInstanceOf(CognitoRevocationError)
    expect(error).not.toBeInstanceOf(errors.TokenExpiredError)
  })
})

describe('instanceof with what is foreign', () => {
  it.each<[string, unknown]>([
    ['undefined', undefined],
    ['null', null],
    ['a string', 'token_expired'],
    ['an empty object', {}],
    ['an object with a code', { code: 'token_expired', status: 401, name: 'TokenExpiredError', message: '' }],
    ['an Error', new Error('message')],
    ['an Error with the code', Object.assign(new Error('message'), { code: 'token_expired', status: 401 })],
    ['a function', () => {}],
    ['a proxy', new Proxy({}, {})],
    ['an object without a prototype', Object.create(null)],
  ])('does not hold: %s', (_what, value) => {
    expect(value).not.toBeInstanceOf(CognitoRevocationError)
    expect(value).not.toBeInstanceOf(errors.TokenExpiredError)
  })
})

describe('a class that a user derives', () => {
  class TenantError extends errors.TokenClaimError {}
  class StrictTenantError extends TenantError {}
  class OwnError extends CognitoRevocationError {
    static readonly code = 'forbidden'
    override readonly code = 'forbidden'
    override readonly status = 451
  }
  class StrictOwnError extends OwnError {}
  const failure = { claim: 'tenant', actual: 1, expected: 2 }

  it('is of its parents', () => {
    const error = new StrictTenantError('message', failure)
    expect(error).toBeInstanceOf(StrictTenantError)
    expect(error).toBeInstanceOf(TenantError)
    expect(error).toBeInstanceOf(errors.TokenClaimError)
    expect(error).toBeInstanceOf(CognitoRevocationError)
    expect(error.name).toBe('StrictTenantError')
    expect([error.code, error.status]).toEqual(['token_claim_invalid', 401])
  })

  it('is not of its children, nor of its parents’ other children', () => {
    class OtherError extends errors.TokenClaimError {}
    expect(new errors.TokenClaimError('message', failure)).not.toBeInstanceOf(TenantError)
    expect(new TenantError('message', failure)).not.toBeInstanceOf(StrictTenantError)
    expect(new TenantError('message', failure)).not.toBeInstanceOf(OtherError)
  })

  it('may have a code and a status of its own', () => {
    const error = new OwnError('message')
    expect(error).toBeInstanceOf(OwnError)
    expect(error).toBeInstanceOf(CognitoRevocationError)
    expect([error.name, error.code, error.status]).toEqual(['OwnError', 'forbidden', 451])
    expect(new StrictOwnError('message')).toBeInstanceOf(OwnError)
  })

  it('is not of its children where it has a code of its own', () => {
    expect(new OwnError('message')).not.toBeInstanceOf(StrictOwnError)
  })

  it('is shown by its name', () => {
    expect(inspect(new TenantError('no such tenant', failure))).toMatch(/^TenantError: no such tenant/)
  })
})
