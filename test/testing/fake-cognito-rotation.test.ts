import { describe, expect, it } from 'vitest'
import type { RefreshTokenRotation } from '../../src/testing/index.js'
import { claimsOf, refusal, useHarness } from './harness.js'

const harness = useHarness()
const thirtyDays = 30 * 24 * 3600

describe('refresh token rotation of FakeCognito', () => {
  const rotation = (retryGracePeriodSeconds?: number): { refreshTokenRotation: RefreshTokenRotation } => ({
    refreshTokenRotation: {
      feature: 'ENABLED',
      ...(retryGracePeriodSeconds === undefined ? {} : { retryGracePeriodSeconds }),
    },
  })

  it('gives a successor, of the same session', async () => {
    const { client, tokens } = await harness().begin(rotation())
    const first = await harness().refresh(client, tokens.RefreshToken)
    const second = await harness().refresh(client, first.RefreshToken ?? '')
    expect(new Set([tokens.RefreshToken, first.RefreshToken, second.RefreshToken]).size).toBe(3)
    expect(claimsOf(second.AccessToken).origin_jti).toBe(claimsOf(tokens.AccessToken).origin_jti)
  })

  it('has no REFRESH_TOKEN_AUTH', async () => {
    const { client, person, tokens } = await harness().begin(rotation())
    await expect(harness().refreshByFlow(client, tokens.RefreshToken, person.username)).rejects.toMatchObject(
      refusal('InvalidParameterException'),
    )
  })

  it('refuses the old token at once where there is no grace period', async () => {
    const { client, tokens } = await harness().begin(rotation())
    await harness().refresh(client, tokens.RefreshToken)
    await expect(harness().refresh(client, tokens.RefreshToken)).rejects.toMatchObject(
      refusal('RefreshTokenReuseException'),
    )
  })

  it('gives one successor only to requests at the same time', async () => {
    const { client, tokens } = await harness().begin(rotation())
    const results = await Promise.allSettled(
      Array.from({ length: 5 }, () => harness().refresh(client, tokens.RefreshToken)),
    )
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
  })

  it('takes the old token within the grace period and not after it', async () => {
    const { client, tokens } = await harness().begin(rotation(30))
    await harness().refresh(client, tokens.RefreshToken)
    harness().cognito.clock.advance(15)
    await expect(harness().refresh(client, tokens.RefreshToken)).resolves.toHaveProperty('RefreshToken')
    harness().cognito.clock.advance(15)
    await expect(harness().refresh(client, tokens.RefreshToken)).rejects.toMatchObject(
      refusal('RefreshTokenReuseException'),
    )
  })

  it('leaves a successor the rest of the life of the original', async () => {
    const { client, tokens } = await harness().begin(rotation())
    harness().cognito.clock.advance(thirtyDays - 60)
    const { RefreshToken = '' } = await harness().refresh(client, tokens.RefreshToken)
    harness().cognito.clock.advance(60)
    await expect(harness().refresh(client, RefreshToken)).rejects.toMatchObject(
      refusal('NotAuthorizedException', 'Refresh Token has expired'),
    )
  })

  it.each(['original', 'successor'] as const)('ends the session when the %s is revoked', async (which) => {
    const { client, tokens } = await harness().begin(rotation(60))
    const refreshed = await harness().refresh(client, tokens.RefreshToken)
    const { RefreshToken = '', AccessToken } = refreshed
    await harness().revoke(client, which === 'original' ? tokens.RefreshToken : RefreshToken)
    for (const token of [tokens.RefreshToken, RefreshToken]) {
      await expect(harness().refresh(client, token)).rejects.toMatchObject(
        refusal('NotAuthorizedException', 'Refresh Token has been revoked'),
      )
    }
    for (const token of [tokens.AccessToken, AccessToken]) {
      await expect(harness().getUser(token)).rejects.toMatchObject(
        refusal('NotAuthorizedException', 'Access Token has been revoked'),
      )
    }
  })

  it('can be turned on for a client that was made without', async () => {
    const { client, person, tokens } = await harness().begin()
    harness().cognito.updateClient(client.clientId, rotation())
    await expect(harness().refreshByFlow(client, tokens.RefreshToken, person.username)).rejects.toMatchObject(
      refusal('InvalidParameterException'),
    )
    await expect(harness().refresh(client, tokens.RefreshToken)).resolves.toHaveProperty('RefreshToken')
  })

  it.each([true, false])(
    'can give another origin_jti, with both ended together: rotation %s',
    async (rotates) => {
      const settings = { newOriginJtiOnRefresh: true, ...(rotates ? rotation(60) : {}) }
      const { client, tokens } = await harness().begin(settings)
      const fresh = await harness().refresh(client, tokens.RefreshToken)
      expect(claimsOf(fresh.AccessToken).origin_jti).not.toBe(claimsOf(tokens.AccessToken).origin_jti)
      expect(claimsOf(fresh.AccessToken).origin_jti).toBe(claimsOf(fresh.IdToken).origin_jti)
      await harness().revoke(client, tokens.RefreshToken)
      for (const { AccessToken } of [tokens, fresh]) {
        await expect(harness().getUser(AccessToken)).rejects.toMatchObject(
          refusal('NotAuthorizedException', 'Access Token has been revoked'),
        )
      }
    },
  )

  it('can leave the session alive where a replaced refresh token is revoked', async () => {
    const settings = { ...rotation(60), revokeTokenEndsSuccessors: false }
    const { client, tokens } = await harness().begin(settings)
    const fresh = await harness().refresh(client, tokens.RefreshToken)
    await harness().revoke(client, tokens.RefreshToken)
    await expect(harness().refresh(client, tokens.RefreshToken)).rejects.toMatchObject(
      refusal('NotAuthorizedException', 'Refresh Token has been revoked'),
    )
    await expect(harness().getUser(fresh.AccessToken)).resolves.toBeDefined()
    const next = await harness().refresh(client, fresh.RefreshToken ?? '')
    await harness().revoke(client, next.RefreshToken ?? '')
    await expect(harness().getUser(fresh.AccessToken)).rejects.toThrow('Access Token has been revoked')
  })

  it('excludes ALLOW_REFRESH_TOKEN_AUTH in the settings', () => {
    const settings = { ...rotation(), explicitAuthFlows: ['ALLOW_REFRESH_TOKEN_AUTH'] as const }
    expect(() => harness().cognito.createClient(settings)).toThrow(/explicitAuthFlows/)
  })
})
