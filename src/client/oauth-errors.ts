import * as errors from '../errors.js'

type ErrorClass = new (message: string, options: ErrorOptions) => errors.CognitoRevocationError
type Advice = readonly [ErrorClass, string]

/** The names of errors that OAuth has, and no more than that: it is shown. */
export const ERROR_CODE = /^[a-z_]{1,64}$/
const MAX_TEXT_LENGTH = 500

/**
 * A status other than 200. Of the body only OAuth's own fields are kept; it may be anything, or nothing. It is
 * never handed out: its description may quote what was sent.
 */
export class EndpointRefusal extends Error {
  readonly status: number
  /** Such as `invalid_grant`. */
  readonly error: string | undefined
  readonly description: string | undefined

  constructor(status: number, body: string) {
    super(`HTTP status ${status}`)
    this.status = status
    const { error, error_description: description } = parse(body)
    this.error = typeof error === 'string' && ERROR_CODE.test(error) ? error : undefined
    this.description = typeof description === 'string' ? description : undefined
  }
}

/** What the errors of OAuth mean (RFC 6749, section 5.2), whichever endpoint says so. */
const BY_CODE: Readonly<Record<string, Advice>> = {
  invalid_client: [
    errors.SecretHashMismatchError,
    'The client secret is wrong, missing or superfluous, or there is no such app client',
  ],
  unauthorized_client: [
    errors.CognitoConfigurationError,
    'The app client may not use this grant (AllowedOAuthFlows), or redirectUri is none of its CallbackURLs to the letter',
  ],
  unsupported_grant_type: [errors.CognitoConfigurationError, 'The user pool does not have this grant'],
  invalid_scope: [
    errors.CognitoConfigurationError,
    'A scope is not among AllowedOAuthScopes of the app client',
  ],
  invalid_request: [errors.InvalidParameterError, 'Check the parameters'],
  unsupported_token_type: [errors.NotARefreshTokenError, 'Only refresh tokens can be revoked'],
}

/** `invalid_grant` is all that Cognito says of a grant that is not good. */
const INVALID_GRANT: Readonly<Record<string, Advice>> = {
  authorization_code: [
    errors.AuthorizationCodeInvalidError,
    'The authorization code is over 5 minutes old, was used before, or goes with another redirectUri, codeVerifier or app client: sign in again',
  ],
  refresh_token: [
    errors.RefreshTokenInvalidError,
    'The refresh token has been revoked or rotated away, has expired, or is of another app client: sign in again',
  ],
}

interface Sent {
  readonly sensitive: readonly (string | undefined)[]
  readonly grant?: string
}

/**
 * Turns what a call of a hosted endpoint threw into a typed error. The cause is made anew: errors of the OAuth
 * library hold answers with tokens, and what was said is passed on only where it quotes nothing that was sent.
 */
export function toOAuthError(endpoint: string, thrown: unknown, sent: Sent): errors.CognitoRevocationError {
  if (thrown instanceof errors.CognitoRevocationError) return thrown
  const cause = cleanCause(thrown, sent.sensitive)
  const [Class, advice] = adviceFor(endpoint, thrown, sent.grant)
  return new Class(`${endpoint}: ${advice}. Cognito: ${cause.name}: ${cause.message}`, { cause })
}

function adviceFor(endpoint: string, thrown: unknown, grant: string | undefined): Advice {
  if (!(thrown instanceof EndpointRefusal)) return adviceForNoAnswer(thrown)
  const { status, error } = thrown
  if (status === 429)
    return [errors.ThrottledError, "Cognito's quota is used up; try again later, and slower"]
  if (endpoint === 'GET /oauth2/userInfo' && (status === 401 || error === 'insufficient_scope')) {
    return [
      errors.NotAuthorizedError,
      'The access token has expired or been revoked, its user was signed out, or it lacks the scope openid',
    ]
  }
  if (endpoint === 'POST /oauth2/revoke' && error === 'invalid_request') {
    return [errors.TokenRevocationDisabledError, 'Turn on EnableTokenRevocation for the app client']
  }
  if (error === 'invalid_grant' && grant !== undefined && Object.hasOwn(INVALID_GRANT, grant)) {
    return INVALID_GRANT[grant] as Advice
  }
  if (error !== undefined && status < 500 && Object.hasOwn(BY_CODE, error)) return BY_CODE[error] as Advice
  return adviceForStatus(status)
}

function adviceForStatus(status: number): Advice {
  // These endpoints know no other authentication than the app client's.
  if (status === 401) return BY_CODE.invalid_client as Advice
  if (status === 403) return [errors.ForbiddenError, 'AWS WAF or threat protection blocked the request']
  if (status === 404) return [errors.ResourceNotFoundError, 'There is no such endpoint: check domain']
  if (status < 400) {
    return [
      errors.CognitoConfigurationError,
      'The answer is outside the protocol, or a redirect: check domain',
    ]
  }
  if (status < 500)
    return [errors.CognitoError, 'Cognito refused, for a reason that this library does not know']
  return [errors.CognitoUnavailableError, 'Cognito failed inside; whether it took effect is unknown']
}

function adviceForNoAnswer(thrown: unknown): Advice {
  const { code = '' } = thrown as { code?: string }
  // The library's codes; what it could not parse may have been cut off on the way.
  if (/^OAUTH_/.test(code) && !/^OAUTH_(PARSE_ERROR|RESPONSE_IS_NOT_JSON)$/.test(code)) {
    return [errors.CognitoError, "Cognito's answer is not what it must be"]
  }
  return [errors.CognitoUnavailableError, 'No answer to rely on came; whether it took effect is unknown']
}

/** An error with a name, a status and a message, on which nothing else hangs. */
function cleanCause(thrown: unknown, sensitive: readonly (string | undefined)[]): Error {
  if (thrown instanceof EndpointRefusal) {
    const { status, error, description = 'no description' } = thrown
    const name = error ?? `HTTP status ${status}`
    return Object.assign(new Error(tellable(description, sensitive)), { name, status })
  }
  const { name = 'Error', message = '', cause } = thrown as Partial<Error>
  const { code } = (cause ?? {}) as { code?: unknown }
  const said = `${message}${typeof code === 'string' ? ` (${code})` : ''}`
  return Object.assign(new Error(tellable(said, sensitive)), { name })
}

/** What somebody else said, unless it quotes a token or what was sent; short, and without what could forge a line of a log. */
export function tellable(text: string, sensitive: readonly (string | undefined)[]): string {
  const quotes = (reading: string) =>
    /eyJ[\w.=-]{16,}/.test(reading) || sensitive.some((secret) => secret && reading.includes(secret))
  if ([text, decoded(text), decoded(text.replaceAll('+', ' '))].some(quotes))
    return 'its message is withheld, since it quotes what was sent'
  return text.slice(0, MAX_TEXT_LENGTH).replace(/[^\x20-\x7e]/g, '?')
}

/** Without percent-encoding, as far as there is any: what was sent as a form may come back as one. */
function decoded(text: string): string {
  const bytes = text.replace(/%([0-9a-f]{2})/gi, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  )
  return Buffer.from(bytes, 'latin1').toString('utf8')
}

function parse(body: string): { error?: unknown; error_description?: unknown } {
  try {
    const value: unknown = JSON.parse(body)
    return typeof value === 'object' && value !== null ? value : {}
  } catch {
    return {}
  }
}
