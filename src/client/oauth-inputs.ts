import { optionError } from '../options.js'

/** An authorization response, and what it must answer to. */
export type ExchangeCodeInput = AuthorizationResponse & {
  /** As in the authorization request, to the letter. */
  readonly redirectUri: string
  /** PKCE's, out of the server-side session. */
  readonly codeVerifier: string
  /** The state out of the server-side session, never out of the request. */
  readonly expectedState: string
  /** The nonce out of the server-side session, where the authorization request had one. */
  readonly expectedNonce?: string
  /** Ends the call. Whether the code was used up is then unknown. */
  readonly signal?: AbortSignal
}

/** The callback's address with all its parameters, relative to `redirectUri` if need be; or two of them. */
type AuthorizationResponse =
  | { readonly callbackUrl: string | URL; readonly code?: undefined; readonly state?: undefined }
  | { readonly callbackUrl?: undefined; readonly code: string; readonly state: string }

export interface OAuthRefreshInput {
  readonly refreshToken: string
  /**
   * Ends the wait: the call then rejects with the signal's reason. The exchange itself goes on, since others may
   * share it, and a rotated refresh token that nobody received would be lost.
   */
  readonly signal?: AbortSignal
}

export interface ClientCredentialsInput {
  /** Such as `orders/read`. Default: all scopes of the app client. */
  readonly scopes?: readonly string[]
  /** The API that the access token is for (RFC 8707). */
  readonly resource?: string
  /** For the pre token generation trigger: `aws_client_metadata`. */
  readonly clientMetadata?: Readonly<Record<string, string>>
  readonly signal?: AbortSignal
}

/** A machine's access token. There is no refresh token: ask again when it expires. */
export interface MachineToken {
  readonly accessToken: string
  readonly expiresInSeconds: number
  readonly tokenType: string
  readonly scopes: readonly string[]
}

export interface UserInfoInput {
  /** A live access token with the scope `openid`. */
  readonly accessToken: string
  readonly signal?: AbortSignal
}

/** A user's attributes. Cognito gives truth values as strings: `email_verified: 'true'`. */
export type UserInfo = Readonly<Record<string, unknown>> & {
  readonly sub: string
  readonly username?: string
}

const MAX_CALLBACK_LENGTH = 16 * 1024

/** @throws TypeError, which quotes none of it */
export function responseParameters(owner: string, input: ExchangeCodeInput): URLSearchParams {
  const { callbackUrl, code, state, redirectUri } = input
  if (callbackUrl === undefined) {
    if (typeof code !== 'string' || typeof state !== 'string') {
      throw optionError(owner, 'callbackUrl', 'the address of the callback; or give code and state')
    }
    return new URLSearchParams({ code, state })
  }
  if (code !== undefined || state !== undefined) {
    throw optionError(owner, 'code', 'absent where callbackUrl is given')
  }
  const text = callbackUrl instanceof URL ? callbackUrl.href : callbackUrl
  if (typeof text !== 'string' || text.length > MAX_CALLBACK_LENGTH || !URL.canParse(text, redirectUri)) {
    throw optionError(owner, 'callbackUrl', `a URL of at most ${MAX_CALLBACK_LENGTH} characters`)
  }
  return new URL(text, redirectUri).searchParams
}

/** @throws TypeError naming the option */
export function metadataParameter(owner: string, metadata: unknown): string | undefined {
  if (metadata === undefined) return undefined
  const isMap = typeof metadata === 'object' && metadata !== null && !Array.isArray(metadata)
  if (isMap && Object.values(metadata).every((value) => typeof value === 'string')) {
    return JSON.stringify(metadata)
  }
  throw optionError(owner, 'clientMetadata', 'an object of strings')
}
