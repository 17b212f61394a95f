import { describe, expect, it, onTestFinished } from 'vitest'
import { CognitoTokenClient } from '../../src/client/index.js'
import { MemoryRevocationStore } from '../../src/index.js'
import { type RevokeSessionOptions, revokeSessionHandler } from '../../src/middleware/node/index.js'
import { call, listen } from '../support/http.js'
import { JSON_TYPE } from './logout/service.js'

const client = { revokeRefreshToken: async () => ({ store: 'recorded', cognito: 'revoked' }) as const }
const make = (options: object) => () => revokeSessionHandler(client, options as RevokeSessionOptions)
const makeWith = (cookie: object) => make({ refreshTokenFrom: { cookie: 'token', ...cookie } })

describe('the options of revokeSessionHandler', () => {
  it.each([
    ['refreshTokenFrom', 'cookie'],
    ['refreshTokenFrom', null],
    ['refreshTokenFrom', ['body']],
    ['refreshTokenFrom.cookie', {}],
    ['refreshTokenFrom.cookie', { cookie: '' }],
    ['refreshTokenFrom.cookie', { cookie: 'a; b' }],
    ['refreshTokenFrom.cookie', { cookie: 'a=b' }],
  ])('are refused with a TypeError that names %s: %j', (option, value) => {
    expect(make({ refreshTokenFrom: value })).toThrow(`option "${option}"`)
  })

  it.each([
    ['path', { path: 'auth' }],
    ['path', { path: '' }],
    ['path', { path: '/a; Domain=example.com' }],
    ['path', { path: '/a\r\nx: y' }],
    ['path', { path: null }],
    ['domain', { domain: '' }],
    ['domain', { domain: 'a; Path=/' }],
    ['domain', { domain: null }],
    ['secure', { secure: 'yes' }],
    ['partitioned', { partitioned: 1 }],
    ['sameSite', { sameSite: 'Strict' }],
    ['sameSite', { sameSite: 'toString' }],
    ['sameSite', { sameSite: true }],
    ['secure', { sameSite: 'none', secure: false }],
    ['secure', { partitioned: true, secure: false }],
    ['secure', { cookie: '__Secure-token', secure: false }],
    ['secure', { cookie: '__host-token', secure: false }],
    ['path', { cookie: '__Host-token', path: '/auth' }],
    ['path', { cookie: '__Host-token', domain: 'example.com' }],
  ])('are refused for the %s of a cookie that no browser would forget: %j', (option, cookie) => {
    expect(makeWith(cookie)).toThrow(TypeError)
    expect(makeWith(cookie)).toThrow(`option "refreshTokenFrom.${option}"`)
  })

  it.each([
    ['revoker', { revoker: {} }],
    ['revoker', { revoker: null }],
    ['storeRetriesMs', { storeRetriesMs: [1] }],
    ['storeRetriesMs', { revoker: { revokeSession: async () => {} }, storeRetriesMs: [-1] }],
    ['storeRetriesMs', { revoker: { revokeSession: async () => {} }, storeRetriesMs: [10_001] }],
    ['storeRetriesMs', { revoker: { revokeSession: async () => {} }, storeRetriesMs: 5 }],
    ['storeRetriesMs', { revoker: { revokeSession: async () => {} }, storeRetriesMs: Array(11).fill(1) }],
    ['allowedOrigins', { allowedOrigins: ['https://www.example.com'] }],
    ['allowedOrigins', { refreshTokenFrom: { cookie: 'a' }, allowedOrigins: ['https://www.example.com/'] }],
    ['allowedOrigins', { refreshTokenFrom: { cookie: 'a' }, allowedOrigins: ['*'] }],
    ['observer', { observer: 5 }],
    ['retryAfterSeconds', { retryAfterSeconds: -1 }],
  ])('are refused with a TypeError that names %s', (option, options) => {
    expect(make(options)).toThrow(TypeError)
    expect(make(options)).toThrow(`option "${option}"`)
  })

  it.each(['confirmPairing', 'cookie', 'verifier'])('are refused with an unknown one: %s', (option) => {
    expect(make({ [option]: true })).toThrow(`unknown option "${option}"`)
    expect(makeWith({ httpOnly: true })).toThrow('unknown option "httpOnly"')
  })

  it.each([undefined, null, {}, 'client', { revokeRefreshToken: true }])(
    'are refused without a client before them: %j',
    (other) => {
      expect(() => revokeSessionHandler(other as never)).toThrow(/^revokeSessionHandler: the first argument/)
    },
  )

  it('are refused with a client that has no store: nobody would refuse the tokens', () => {
    const userPoolId = 'us-east-1_AbCdEfGhI'
    const make = (store: false | MemoryRevocationStore) => () =>
      revokeSessionHandler(new CognitoTokenClient({ userPoolId, clientId: '1example23456789', store }))
    expect(make(false)).toThrow(/^revokeSessionHandler: the client needs a store/)
    expect(make(new MemoryRevocationStore())).not.toThrow()
  })
})

describe('The cookie of a logout', () => {
  it.each([
    [
      { cookie: '__Host-token' },
      '__Host-token=; Max-Age=0; Path=/; <expires>; HttpOnly; Secure; SameSite=Strict',
    ],
    [{ cookie: 'token', secure: false }, 'token=; Max-Age=0; Path=/; <expires>; HttpOnly; SameSite=Strict'],
    [
      { cookie: 'token', path: '/auth', domain: 'example.com', sameSite: 'lax' } as const,
      'token=; Max-Age=0; Domain=example.com; Path=/auth; <expires>; HttpOnly; Secure; SameSite=Lax',
    ],
    [
      { cookie: '__Host-token', sameSite: 'none', partitioned: true } as const,
      '__Host-token=; Max-Age=0; Path=/; <expires>; HttpOnly; Secure; SameSite=None; Partitioned',
    ],
  ])('is cleared with the attributes that it was set with: %j', async (refreshTokenFrom, expected) => {
    const listening = await listen(revokeSessionHandler(client, { refreshTokenFrom }))
    onTestFinished(() => listening.close())
    const { headers } = await call(listening.port, {
      method: 'POST',
      headers: { ...JSON_TYPE, 'sec-fetch-site': 'same-origin', cookie: `${refreshTokenFrom.cookie}="a.b"` },
    })
    const expires = 'Expires=Thu, 01 Jan 1970 00:00:00 GMT'
    expect(headers['set-cookie']).toEqual([expected.replace('<expires>', expires)])
  })
})
