import { describe, expect, it } from 'vitest'
import { computeSecretHash } from '../../src/client/index.js'

describe('computeSecretHash', () => {
  const clientId = '1example23456789'
  const clientSecret = 'sekrit-client-secret'

  it.each([
    ['+15551234567', '5nAkRgUw5Vx7SIUEmv6HrgEXPK/SwtnH5F8rxZL+71w='],
    ['parent@example.com', 'HIXtaYtZOkzfsWGhiBx1+hJu84lE1YVmNrghIRyy49k='],
  ])('gives the published hash of %s', (username, hash) => {
    expect(computeSecretHash({ username, clientId, clientSecret })).toBe(hash)
  })

  it('takes usernames as UTF-8', () => {
    // printf '%s' 'Zoë日本1example23456789' | openssl dgst -sha256 -hmac sekrit-client-secret -binary | base64
    const hash = 'YDJWCiyBmwWAamhHYgN9fQUIercWmgH75MAqHkghARM='
    expect(computeSecretHash({ username: 'Zoë日本', clientId, clientSecret })).toBe(hash)
  })

  it.each(['username', 'clientId', 'clientSecret'])('names %s where it is none', (name) => {
    for (const wrong of [undefined, null, 5, '']) {
      const input = { username: 'jane', clientId, clientSecret, [name]: wrong }
      expect(() => computeSecretHash(input as never)).toThrow(new RegExp(`^computeSecretHash: .*"${name}"`))
    }
  })
})
