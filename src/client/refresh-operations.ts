import {
  type AuthenticationResultType,
  GetTokensFromRefreshTokenCommand,
  InitiateAuthCommand,
} from '@aws-sdk/client-cognito-identity-provider'
import { optionError } from '../options.js'
import type { RefreshFlow } from './client-options.js'
import type { CognitoApi } from './cognito-api.js'
import type { RefreshedTokens, RefreshInput } from './refresh-input.js'
import { toSessionTokens } from './session-tokens.js'

/** Exchanges a refresh token by this flow. */
export async function exchangeBy(
  flow: RefreshFlow,
  api: CognitoApi,
  input: RefreshInput,
): Promise<RefreshedTokens> {
  const ask = flow === 'REFRESH_TOKEN_AUTH' ? refreshTokenAuth : getTokensFromRefreshToken
  const tokens = toSessionTokens(api, flow, await ask(api, input))
  const { refreshToken = input.refreshToken } = tokens
  return { ...tokens, refreshToken, rotated: refreshToken !== input.refreshToken }
}

/** Takes the raw secret, and works with rotation on or off. */
async function getTokensFromRefreshToken(
  api: CognitoApi,
  { refreshToken, deviceKey, clientMetadata }: RefreshInput,
): Promise<AuthenticationResultType | undefined> {
  const { AuthenticationResult } = await api.withSecret((secret) => {
    const command = new GetTokensFromRefreshTokenCommand({
      ClientId: api.clientId,
      RefreshToken: refreshToken,
      ...(secret === undefined ? {} : { ClientSecret: secret }),
      ...(deviceKey === undefined ? {} : { DeviceKey: deviceKey }),
      ...(clientMetadata === undefined ? {} : { ClientMetadata: clientMetadata }),
    })
    return api.call('GetTokensFromRefreshToken', (sdk, options) => sdk.send(command, options), {
      sensitive: [refreshToken, secret, deviceKey],
    })
  })
  return AuthenticationResult
}

/** Takes a SECRET_HASH made with the real username, which isn't sent itself. */
async function refreshTokenAuth(
  api: CognitoApi,
  { refreshToken, username, deviceKey, clientMetadata }: RefreshInput,
): Promise<AuthenticationResultType | undefined> {
  const { AuthenticationResult } = await api.withSecretHash(username ?? '', (secretHash) => {
    if (secretHash !== undefined && !username) {
      throw optionError(
        'refresh',
        'username',
        "the user's real username, which REFRESH_TOKEN_AUTH needs as the app client has a secret",
      )
    }
    const command = new InitiateAuthCommand({
      ClientId: api.clientId,
      AuthFlow: 'REFRESH_TOKEN_AUTH',
      AuthParameters: {
        REFRESH_TOKEN: refreshToken,
        ...(secretHash ? { SECRET_HASH: secretHash } : {}),
        ...(deviceKey === undefined ? {} : { DEVICE_KEY: deviceKey }),
      },
      ...(clientMetadata === undefined ? {} : { ClientMetadata: clientMetadata }),
    })
    return api.call('InitiateAuth', (sdk, options) => sdk.send(command, options), {
      sensitive: [refreshToken, secretHash, deviceKey],
    })
  })
  return AuthenticationResult
}
