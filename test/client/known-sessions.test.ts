import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import { KnownSessions } from '../../src/client/known-sessions.js'
import { TokenMinter } from '../../src/testing/index.js'

const minter = await TokenMinter.create()
const clientId = 'client'

function tokensOf(origin_jti: string, claims: object = {}) {
  return { accessToken: minter.accessToken({ origin_jti, client_id: clientId, sub: 'jane', ...claims }) }
}

describe('KnownSessions', () => {
  it('know a session by each refresh token that it had, with all its ids', () => {
    const sessions = new KnownSessions(clientId)
    sessions.learn({ ...tokensOf('a'), refreshToken: 'one' })
    sessions.learn({ ...tokensOf('b'), refreshToken: 'two' }, 'one')
    for (const refreshToken of ['one', 'two']) {
      expect(sessions.find(refreshToken)).toMatchObject({ sub: 'jane', originJtis: ['a', 'b'] })
    }
    expect(sessions.find('three')).toBeUndefined()
  })

  it('take the earliest time of any of its tokens, also where a refresh tells another time of sign-in', () => {
    const sessions = new KnownSessions(clientId)
    sessions.learn({ ...tokensOf('a', { auth_time: 1_000, iat: 1_000 }), refreshToken: 'one' })
    sessions.learn({ ...tokensOf('a', { auth_time: 2_000, iat: 2_000 }), refreshToken: 'one' }, 'one')
    expect(sessions.find('one')?.beganAt).toBe(1_000)
  })

  it('keep every id whose tokens may be alive, and drop those that are over where there are many', () => {
    const sessions = new KnownSessions(clientId)
    const learn = (id: string, iat: number) =>
      sessions.learn({ ...tokensOf(id, { iat, auth_time: 0, exp: iat + 3_600 }), refreshToken: 'one' }, 'one')
    for (let i = 0; i < 60; i++) learn(`id-${i}`, 1_000)
    expect(sessions.find('one')?.originJtis).toHaveLength(60)
    learn('another', 1_000 + 3_600 + 300)
    expect(sessions.find('one')?.originJtis).toHaveLength(61)
    learn('the last', 1_000 + 3_600 + 301)
    expect(sessions.find('one')?.originJtis).toEqual(['another', 'the last'])
  })

  it('remember no more than the 1,000 newest ids of a session', () => {
    const sessions = new KnownSessions(clientId)
    const { accessToken } = tokensOf('id')
    const [header, payload = '', signature] = accessToken.split('.')
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString())
    for (let i = 0; i < 1_010; i++) {
      const own = Buffer.from(JSON.stringify({ ...claims, origin_jti: `id-${i}` })).toString('base64url')
      sessions.learn({ accessToken: `${header}.${own}.${signature}`, refreshToken: 'one' }, 'one')
    }
    const ids = sessions.find('one')?.originJtis ?? []
    expect(ids).toHaveLength(1_000)
    expect(ids.at(0)).toBe('id-10')
  })

  it("take nothing from another app client's tokens, and mix no two users", () => {
    const sessions = new KnownSessions(clientId)
    sessions.learn({ ...tokensOf('a', { client_id: 'another' }), refreshToken: 'one' })
    expect(sessions.find('one')?.originJtis ?? []).toEqual([])
    sessions.learn({ ...tokensOf('b'), refreshToken: 'two' })
    sessions.learn({ ...tokensOf('c', { sub: 'joe' }), refreshToken: 'two' })
    expect(sessions.find('two')).toMatchObject({ sub: 'joe', originJtis: ['c'] })
  })

  it('hold no token', () => {
    const sessions = new KnownSessions(clientId)
    const { accessToken } = tokensOf('a')
    sessions.learn({ accessToken, refreshToken: 'the refresh token' })
    const text = inspect(sessions.find('the refresh token'), { depth: 9, showHidden: true })
    expect(text).not.toContain('eyJ')
    expect(text).not.toContain('the refresh token')
  })
})
