import { beforeAll, describe, expect, it } from 'vitest'
import { TokenClaimError } from '../../src/errors.js'
import { type CognitoClaims, clientIdOf, isMachineToken, readClaims } from '../../src/tokens/claims.js'
import { identityOf } from '../../src/tokens/token-identity.js'
import type { TokenVerifier } from '../../src/verifier.js'
import { type Claims, RawSigner } from '../support/raw-signer.js'
import { createVerifier, refusalOf } from '../support/verdicts.js'

let signer: RawSigner
let verifier: TokenVerifier

beforeAll(async () => {
  signer = await RawSigner.create()
  verifier = createVerifier(signer)
})

const NOT_TEXT: readonly unknown[] = [null, 0, 1_900_000_000, true, [], ['text'], {}, { toString: 'text' }]
const NOT_IDENTIFIER: readonly unknown[] = [...NOT_TEXT, '', 'i'.repeat(257), '\ud800', 'half a pair \udc00']
const NOT_TIME: readonly unknown[] = [null, '', '1900000000', 'soon', true, [], [1_900_000_000], {}]
const NOT_TEXTS: readonly unknown[] = [
  null,
  '',
  'admin',
  1,
  true,
  {},
  [1],
  ['admin', null],
  [['admin']],
  { length: 0 },
]

/** Each claim that is typed, and what it cannot be. */
const WRONG: readonly (readonly [claim: string, values: readonly unknown[]])[] = [
  ['sub', NOT_IDENTIFIER],
  ['iss', NOT_TEXT],
  ['token_use', [...NOT_TEXT, '', 'Access', 'refresh', 'access ']],
  ['jti', NOT_IDENTIFIER],
  ['origin_jti', NOT_IDENTIFIER],
  ['client_id', NOT_IDENTIFIER],
  ['scope', NOT_TEXT],
  ['username', [...NOT_TEXT, '']],
  ['cognito:username', [...NOT_TEXT, '']],
  ['cognito:groups', NOT_TEXTS],
  ['auth_time', NOT_TIME],
  ['nbf', NOT_TIME],
  ['exp', NOT_TIME],
  ['iat', NOT_TIME],
]

const rows = (table: typeof WRONG) =>
  table.flatMap(([claim, values]) => values.map((value) => ({ claim, value, shown: show(value) })))

function show(value: unknown): string {
  const json = JSON.stringify(value)
  return json.length > 40 ? `${json.slice(0, 10)}… of ${json.length} characters` : json
}

async function expectRefused(token: string, claim: string): Promise<void> {
  const error = await refusalOf(verifier.verify(token))
  expect(error).toBeInstanceOf(TokenClaimError)
  expect(error).toMatchObject({ code: 'token_claim_invalid', status: 401, claim })
  expect(() => verifier.verifySync(token)).toThrow(error.message)
}

describe('a claim that the library types', () => {
  it.each(rows(WRONG))('is refused of the wrong type: $claim $shown in an access token', ({ claim, value }) =>
    expectRefused(signer.accessToken({ [claim]: value }), claim),
  )

  it.each(rows(WRONG))('is refused of the wrong type: $claim $shown in an ID token', ({ claim, value }) =>
    expectRefused(signer.idToken({ [claim]: value }), claim),
  )

  it.each(rows([['aud', [null, 1, true, {}, [1], ['client', null]]]]))(
    'is refused of the wrong type: aud $shown in an access token',
    ({ claim, value }) => expectRefused(signer.accessToken({ [claim]: value }), claim),
  )

  it.each(rows([['aud', [...NOT_IDENTIFIER, ['1example23456789']]]]))(
    'is refused of the wrong type: aud $shown in an ID token',
    ({ claim, value }) => expectRefused(signer.idToken({ [claim]: value }), claim),
  )

  it.each(['exp', 'iat', 'nbf', 'auth_time'])('is refused where it is not finite: %s', async (claim) => {
    for (const number of ['1e999', '-1e999']) {
      const claims = JSON.stringify(signer.accessClaims({ [claim]: 0.125 })).replace('0.125', number)
      await expectRefused(signer.sign(signer.header, claims), claim)
    }
  })

  it.each([
    ['sub', 'access'],
    ['iss', 'access'],
    ['token_use', 'access'],
    ['client_id', 'access'],
    ['exp', 'access'],
    ['iat', 'access'],
    ['sub', 'id'],
    ['iss', 'id'],
    ['token_use', 'id'],
    ['aud', 'id'],
    ['exp', 'id'],
    ['iat', 'id'],
  ])('is refused where it is missing: %s in an %s token', async (claim, use) => {
    const left = { [claim]: undefined }
    await expectRefused(use === 'id' ? signer.idToken(left) : signer.accessToken(left), claim)
  })

  it.each(['jti', 'auth_time', 'nbf', 'scope', 'username', 'cognito:username', 'cognito:groups'])(
    'may be missing: %s',
    async (claim) => {
      await expect(verifier.verify(signer.accessToken({ [claim]: undefined }))).resolves.not.toHaveProperty([
        claim,
      ])
      await expect(verifier.verify(signer.idToken({ [claim]: undefined }))).resolves.not.toHaveProperty([
        claim,
      ])
    },
  )

  it.each<[string, unknown]>([
    ['sub', 's'.repeat(256)],
    ['sub', '用户😀'],
    ['aud', ['one', 'two']],
    ['aud', 'https://api.example'],
    ['scope', ''],
    ['cognito:groups', []],
    ['cognito:groups', ['admin', '']],
    ['exp', 1_900_003_600.5],
    ['auth_time', 0],
  ])('may be %s %j', async (claim, value) => {
    await expect(verifier.verify(signer.accessToken({ [claim]: value }))).resolves.toMatchObject({
      [claim]: value,
    })
  })

  it('is told of in the error: which one, what it is, what it should be', async () => {
    const error = await refusalOf(verifier.verify(signer.accessToken({ sub: 5 })))
    expect(error).toMatchObject({
      claim: 'sub',
      actual: 'number',
      expected: 'a string of 1 to 256 characters',
    })
    expect(error.message).toContain('"sub"')
    expect(error.message).toContain('a string of 1 to 256 characters')
  })
})

describe('a claim that the library does not know', () => {
  it.each<[string, unknown]>([
    ['event_id', null],
    ['custom:tenant', { a: [1, null] }],
    ['version', '2'],
    ['cognito:roles', 'text'],
    ['amr', 5],
  ])('passes through as it is: %s %j', async (claim, value) => {
    const claims = await verifier.verify(signer.accessToken({ [claim]: value }))
    expect(claims[claim]).toEqual(value)
  })
})

describe('the claims that verify gives', () => {
  it('are those of the token and no others', async () => {
    const given = signer.accessClaims({ 'cognito:groups': ['admin'], extra: { a: [{ b: 1 }] } })
    expect(await verifier.verify(signer.sign(signer.header, given))).toEqual(given)
    expect(verifier.verifySync(signer.sign(signer.header, given))).toEqual(given)
  })

  it('are frozen, with all that hangs on them', async () => {
    const token = signer.accessToken({ 'cognito:groups': ['admin'], extra: { a: [{ b: { c: [] } }] } })
    for (const claims of [
      await verifier.verify(token),
      await verifier.verify(token),
      verifier.verifySync(token),
    ]) {
      expect(unfrozenIn(claims)).toEqual([])
    }
  })

  it('cannot be changed for the next caller', async () => {
    const token = signer.accessToken({ 'cognito:groups': ['reader'] })
    const claims = (await verifier.verify(token)) as unknown as { sub: string; 'cognito:groups': string[] }
    expect(() => {
      claims.sub = 'root'
    }).toThrow(TypeError)
    expect(() => claims['cognito:groups'].push('admin')).toThrow(TypeError)
    expect(await verifier.verify(token)).toMatchObject({
      sub: signer.accessClaims().sub,
      'cognito:groups': ['reader'],
    })
  })

  it('are frozen however deep they go', () => {
    let deep: Record<string, unknown> = {}
    for (let depth = 0; depth < 50_000; depth += 1) deep = { deep }
    const innermost: Record<string, unknown> = {}
    const claims = readClaims(signer.accessClaims({ deep, beside: [innermost] }))
    expect(Object.isFrozen(claims)).toBe(true)
    expect(Object.isFrozen(innermost)).toBe(true)
    let next: unknown = claims.deep
    while ((next as Claims).deep !== undefined) next = (next as Claims).deep
    expect(Object.isFrozen(next)).toBe(true)
  })
})

describe('what a token is known by', () => {
  it('is its client_id in an access token, its aud in an ID token', () => {
    const access = signer.accessClaims({ client_id: 'one', aud: 'two' }) as unknown as CognitoClaims
    const id = signer.idClaims({ client_id: 'one', aud: 'two' }) as unknown as CognitoClaims
    expect([clientIdOf(access), clientIdOf(id)]).toEqual(['one', 'two'])
  })

  it('is what decides whether it is revoked, out of its claims, under the pool and never the issuer', () => {
    const claims = readClaims(
      signer.accessClaims({ jti: 'j', origin_jti: 'o', sub: 's', auth_time: 1, iat: 2 }),
    )
    expect(identityOf('us-east-1_Pool', claims)).toEqual({
      poolId: 'us-east-1_Pool',
      jti: 'j',
      originJti: 'o',
      sub: 's',
      clientId: signer.clientId,
      authTime: 1,
      iat: 2,
    })
  })

  it.each<[string, Claims, boolean]>([
    ['token_use access, sub equal to client_id, no username', {}, true],
    ['another sub', { sub: 'jane' }, false],
    ['a username', { username: 'jane' }, false],
    ['token_use id', { token_use: 'id', aud: '1example23456789' }, false],
  ])('is a machine or not: %s', (_what, overrides, expected) => {
    expect(isMachineToken(readClaims(signer.machineClaims(overrides)))).toBe(expected)
  })
})

/** The paths of whatever is not frozen. */
function unfrozenIn(value: unknown, path = 'claims'): string[] {
  if (typeof value !== 'object' || value === null) return []
  const inside = Object.entries(value).flatMap(([key, child]) => unfrozenIn(child, `${path}.${key}`))
  return Object.isFrozen(value) ? inside : [path, ...inside]
}
