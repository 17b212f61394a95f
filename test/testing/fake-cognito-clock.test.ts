import { describe, expect, it } from 'vitest'
import { claimsOf, useHarness } from './harness.js'

const harness = useHarness()

describe('the clock of FakeCognito', () => {
  it('follows real time until it is moved', () => {
    expect(Math.abs(harness().cognito.clock.now() - Date.now())).toBeLessThan(1000)
  })

  it('governs iat, exp and auth_time', async () => {
    harness().cognito.clock.set(Date.parse('2030-01-01T00:00:00Z'))
    const { tokens } = await harness().begin()
    const claims = claimsOf(tokens.AccessToken)
    const seconds = Date.parse('2030-01-01T00:00:00Z') / 1000
    expect(claims.iat).toBeGreaterThanOrEqual(seconds)
    expect(claims.iat).toBeLessThan(seconds + 20)
    expect(claims).toMatchObject({ auth_time: claims.iat, exp: (claims.iat ?? 0) + 3600 })
  })

  it('governs the tokens of the minter', () => {
    const { clock, minter } = harness().cognito
    clock.set(1_900_000_000_000)
    expect(claimsOf(minter.idToken()).iat).toBe(1_900_000_000)
  })

  it('governs the Date header of answers and refusals', async () => {
    const { clock, jwksUri, url } = harness().cognito
    clock.set(Date.parse('2030-01-01T00:00:00Z'))
    for (const response of [await fetch(jwksUri), await fetch(url, { method: 'POST' })]) {
      const date = Date.parse(response.headers.get('date') ?? '')
      expect(date - Date.parse('2030-01-01T00:00:00Z')).toBeGreaterThanOrEqual(0)
      expect(date - Date.parse('2030-01-01T00:00:00Z')).toBeLessThan(20_000)
    }
  })

  it('goes forth and back by seconds', () => {
    const { clock } = harness().cognito
    clock.set(1_900_000_000_000)
    clock.advance(90)
    clock.advance(-60)
    expect(clock.now() - 1_900_000_030_000).toBeGreaterThanOrEqual(0)
    expect(clock.now() - 1_900_000_030_000).toBeLessThan(1000)
  })

  it('refuses what is no time', () => {
    expect(() => harness().cognito.clock.advance(Number.NaN)).toThrow(RangeError)
    expect(() => harness().cognito.clock.set(Number.POSITIVE_INFINITY)).toThrow(RangeError)
  })
})
