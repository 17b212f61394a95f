import {
  GetTokensFromRefreshTokenCommand,
  InitiateAuthCommand,
} from '@aws-sdk/client-cognito-identity-provider'
import { assertInput, assertOptionalSignal, assertString, optionError } from '../options.js'
import { untilAborted } from './abort.js'
import type { RefreshFlow } from './client-options.js'
import type { CognitoApi } from './cognito-api.js'
import { type SessionTokens, toSessionTokens } from './session-tokens.js'

export interface RefreshInput {
  readonly refreshToken: string
  /**
   * The user's real username (`username` of a sign-in's result). Needed for REFRESH_TOKEN_AUTH if the app
   * client has a secret; an alias won't do.
   */
  readonly username?: string | undefined
  /** Default: the client's `refreshFlow`. */
  readonly flow?: RefreshFlow
  /**
   * Ends the wait: the call then rejects with the signal's reason. The exchange itself goes on, since others may
   * share it, and a rotated refresh token that nobody received would be lost.
   */
  readonly signal?: AbortSignal
}

/** New tokens of a session. `refreshToken` is the one to use from now on, whether rotated or not. */
export interface RefreshedTokens extends SessionTokens {
  readonly refreshToken: string
  /** Whether the refresh token was rotated: then the old one ends with its grace period. */
  readonly rotated: boolean
}

/** Exchanges refresh tokens. Callers that come with one that is under way share its outcome. */
export class Refresher {
  readonly #api: CognitoApi
  readonly #defaultFlow: RefreshFlow
  readonly #underWay = new Map<string, Promise<RefreshedTokens>>()

  constructor(api: CognitoApi, defaultFlow: RefreshFlow) {
    this.#api = api
    this.#defaultFlow = defaultFlow
  }

  async refresh(input: RefreshInput): Promise<RefreshedTokens> {
    assertInput('refresh', input)
    assertOptionalSignal('refresh', input.signal)
    input.signal?.throwIfAborted()
    return untilAborted(this.#share(input), input.signal)
  }

  #share(input: RefreshInput): Promise<RefreshedTokens> {
    const { refreshToken, username, flow = this.#defaultFlow } = input
    // GetTokensFromRefreshToken knows no username: whoever brings one or none asks for the same.
    const key = JSON.stringify([flow, refreshToken, flow === 'REFRESH_TOKEN_AUTH' ? username : undefined])
    const pending = this.#underWay.get(key)
    if (pending !== undefined) return pending
    const started = this.#exchange(input).finally(() => this.#underWay.delete(key))
    this.#underWay.set(key, started)
    return started
  }

  async #exchange({
    refreshToken,
    username,
    flow = this.#defaultFlow,
  }: RefreshInput): Promise<RefreshedTokens> {
    assertString('refresh', 'refreshToken', refreshToken)
    if (flow !== 'GetTokensFromRefreshToken' && flow !== 'REFRESH_TOKEN_AUTH') {
      throw optionError('refresh', 'flow', "'GetTokensFromRefreshToken' or 'REFRESH_TOKEN_AUTH'")
    }
    const result = await (flow === 'REFRESH_TOKEN_AUTH'
      ? this.#refreshTokenAuth(refreshToken, username)
      : this.#getTokensFromRefreshToken(refreshToken))
    const tokens = toSessionTokens(flow, result)
    const rotated = tokens.refreshToken !== undefined && tokens.refreshToken !== refreshToken
    return { ...tokens, refreshToken: tokens.refreshToken ?? refreshToken, rotated }
  }

  /** Takes the raw secret, and works with rotation on or off. */
  async #getTokensFromRefreshToken(refreshToken: string) {
    const { AuthenticationResult } = await this.#api.withSecret((secret) => {
      const command = new GetTokensFromRefreshTokenCommand({
        ClientId: this.#api.clientId,
        RefreshToken: refreshToken,
        ...(secret === undefined ? {} : { ClientSecret: secret }),
      })
      return this.#api.call('GetTokensFromRefreshToken', (sdk, options) => sdk.send(command, options), {
        sensitive: [refreshToken, secret],
      })
    })
    return AuthenticationResult
  }

  /** Takes a SECRET_HASH made with the real username, which isn't sent itself. */
  async #refreshTokenAuth(refreshToken: string, username: string | undefined) {
    const { AuthenticationResult } = await this.#api.withSecretHash(username ?? '', (secretHash) => {
      if (secretHash !== undefined && !username) {
        throw optionError(
          'refresh',
          'username',
          "the user's real username, which REFRESH_TOKEN_AUTH needs as the app client has a secret",
        )
      }
      const command = new InitiateAuthCommand({
        ClientId: this.#api.clientId,
        AuthFlow: 'REFRESH_TOKEN_AUTH',
        AuthParameters: { REFRESH_TOKEN: refreshToken, ...(secretHash ? { SECRET_HASH: secretHash } : {}) },
      })
      return this.#api.call('InitiateAuth', (sdk, options) => sdk.send(command, options), {
        sensitive: [refreshToken, secretHash],
      })
    })
    return AuthenticationResult
  }
}
