import { RevokeTokenCommand } from '@aws-sdk/client-cognito-identity-provider'
import { optionError } from '../options.js'
import type { CognitoApi } from './cognito-api.js'
import type { HostedEndpoints } from './hosted-endpoints.js'
import { assertRevokeVia, type RevokeVia } from './revoke-via.js'

/** How a refresh token is revoked at Cognito. */
export interface RevokeTokenOptions {
  /**
   * 'api': RevokeToken. 'endpoint': POST /oauth2/revoke, for networks that reach nothing but the domain: the session
   * is then learned at the token endpoint, too. It tells less: 200 also for a token that is revoked already, or that
   * is none. Default: the client's `revokeVia`.
   */
  readonly via?: RevokeVia
  /**
   * RevokeAssociatedSessions of RevokeToken. 'LINKED' also revokes the SSO session that the session came through.
   * Other sessions that came through it are not revoked: not by Cognito, and not here. It has no effect where
   * session tracking is off. Not with `via: 'endpoint'`. Default: Cognito's 'NONE'.
   */
  readonly revokeAssociatedSessions?: 'NONE' | 'LINKED'
}

/**
 * How to revoke, checked before anything is done.
 *
 * @throws TypeError naming the option
 */
export function revokeTokenOptions(
  context: { readonly hosted: HostedEndpoints; readonly revokeVia: RevokeVia },
  { via = context.revokeVia, revokeAssociatedSessions }: RevokeTokenOptions,
): RevokeTokenOptions & { readonly via: RevokeVia } {
  const owner = 'revokeRefreshToken'
  assertRevokeVia(owner, 'via', via)
  if (via === 'endpoint') context.hosted.url(`${owner} with via: 'endpoint'`, '/oauth2/revoke')
  if (revokeAssociatedSessions === undefined) return { via }
  if (revokeAssociatedSessions !== 'NONE' && revokeAssociatedSessions !== 'LINKED') {
    throw optionError(owner, 'revokeAssociatedSessions', "'NONE' or 'LINKED'", revokeAssociatedSessions)
  }
  if (via === 'endpoint') {
    throw optionError(
      owner,
      'revokeAssociatedSessions',
      "absent with via: 'endpoint', which does not have it",
    )
  }
  return { via, revokeAssociatedSessions }
}

/** Revokes a refresh token at Cognito, with the app client's secret, or its other one. */
export async function revokeToken(
  { api, hosted }: { readonly api: CognitoApi; readonly hosted: HostedEndpoints },
  refreshToken: string,
  { via, revokeAssociatedSessions }: RevokeTokenOptions,
  signal: AbortSignal | undefined,
): Promise<void> {
  await api.withSecret(
    async (secret) => {
      if (via === 'endpoint')
        return hosted.protocol('revokeRefreshToken').revoke(refreshToken, secret, signal)
      const command = new RevokeTokenCommand({
        ClientId: api.clientId,
        Token: refreshToken,
        ...(secret === undefined ? {} : { ClientSecret: secret }),
        ...(revokeAssociatedSessions && { RevokeAssociatedSessions: revokeAssociatedSessions }),
      })
      await api.call('RevokeToken', (sdk, options) => sdk.send(command, options), {
        sensitive: [refreshToken, secret],
        signal,
      })
    },
    { signal },
  )
}
