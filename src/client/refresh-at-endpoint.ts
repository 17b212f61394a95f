import type { SessionContext } from './context.js'
import { readTokens } from './oauth-tokens.js'
import type { RefreshedTokens, RefreshInput } from './refresh-input.js'

/** Exchanges a refresh token at the token endpoint, which takes no device key and no metadata. */
export async function exchangeAtEndpoint(
  { api, hosted }: Pick<SessionContext, 'api' | 'hosted'>,
  { refreshToken }: RefreshInput,
): Promise<RefreshedTokens> {
  const protocol = hosted.protocol('oauth.refresh')
  const answer = await api.withSecret((secret) =>
    protocol.requestTokens('refresh_token', { refresh_token: refreshToken }, secret, {
      signal: undefined,
      repeat: 'unprocessed',
      sensitive: [refreshToken],
    }),
  )
  const tokens = readTokens(api, answer)
  const { refreshToken: next = refreshToken } = tokens
  return { ...tokens, refreshToken: next, rotated: next !== refreshToken }
}
