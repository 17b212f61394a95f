import { optionError } from '../options.js'

/** Which of Cognito's two ways a refresh token is revoked by: RevokeToken, or POST /oauth2/revoke. */
export type RevokeVia = 'api' | 'endpoint'

/** @throws TypeError naming the option */
export function assertRevokeVia(owner: string, option: string, value: unknown): void {
  if (value !== 'api' && value !== 'endpoint') throw optionError(owner, option, "'api' or 'endpoint'", value)
}
