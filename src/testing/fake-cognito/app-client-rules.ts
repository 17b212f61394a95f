import type { AppClientUpdate } from './app-client.js'

const validities = [
  'accessTokenValiditySeconds',
  'idTokenValiditySeconds',
  'refreshTokenValiditySeconds',
] as const

/** @throws TypeError naming the setting: a test's own mistake, not a refusal of Cognito's */
export function assertAppClient(client: Required<AppClientUpdate>): void {
  for (const name of validities) {
    if (!Number.isInteger(client[name]) || client[name] < 1) {
      throw new TypeError(`${name} must be a whole number of seconds, 1 or more, but is ${client[name]}`)
    }
  }
  const { feature, retryGracePeriodSeconds = 0 } = client.refreshTokenRotation
  if (!(retryGracePeriodSeconds >= 0 && retryGracePeriodSeconds <= 60)) {
    throw new TypeError(
      `refreshTokenRotation.retryGracePeriodSeconds must be 0 to 60, but is ${retryGracePeriodSeconds}`,
    )
  }
  if (feature === 'ENABLED' && client.explicitAuthFlows.includes('ALLOW_REFRESH_TOKEN_AUTH')) {
    throw new TypeError(
      'explicitAuthFlows must be without ALLOW_REFRESH_TOKEN_AUTH where rotation is ENABLED',
    )
  }
}
