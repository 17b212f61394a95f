import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import type { TokenVerifier } from '../../src/verifier.js'
import { RawSigner } from '../support/raw-signer.js'
import { createVerifier } from '../support/verdicts.js'

let signer: RawSigner

beforeAll(async () => {
  signer = await RawSigner.create()
})

/** The paths of whatever can be changed. */
function unfrozenIn(value: unknown, path = 'claims'): string[] {
  if (typeof value !== 'object' || value === null) return []
  const inside = Object.entries(value).flatMap(([key, child]) => unfrozenIn(child, `${path}.${key}`))
  return Object.isFrozen(value) ? inside : [path, ...inside]
}

/** The claims of a token by every way in which they are given: the first time, again, remembered. */
async function everyWay(token: string, verifier: TokenVerifier): Promise<unknown[]> {
  const cold = createVerifier(signer)
  return [
    await cold.verify(token),
    verifier.verifySync(token),
    await verifier.verify(token),
    verifier.recall(token),
    verifier.verifySync(token),
  ]
}

/** As they come in tokens, and as they could. */
const value = fc.oneof(
  fc.jsonValue({ maxDepth: 4 }),
  fc.constantFrom<unknown[]>(
    ...[
      [],
      {},
      [[]],
      [{}],
      { a: [] },
      [[[{ a: [{ b: {} }] }]]],
      { constructor: { a: [1] } },
      { length: [1] },
    ],
  ),
)
const extra = fc.dictionary(
  fc.constantFrom('cognito:roles', 'custom:a', 'identities', 'x', 'toString', 'constructor', '0', 'address'),
  value,
  { maxKeys: 4 },
)
const groups = fc.option(fc.array(fc.string({ maxLength: 4 }), { maxLength: 3 }), { nil: undefined })

describe('The claims that verify, verifySync and recall give', () => {
  it('are frozen with all that hangs on them, whatever that is, the first time and again', async () => {
    // It knows the header from the second token on, and so do others after it.
    const verifier = createVerifier(signer)
    await fc.assert(
      fc.asyncProperty(extra, groups, fc.boolean(), async (more, list, isAccess) => {
        const claims = { ...more, 'cognito:groups': list }
        const token = isAccess
          ? signer.accessToken({ ...claims, aud: ['one', 'two'] })
          : signer.idToken(claims)
        for (const given of await everyWay(token, verifier)) {
          expect(given).toMatchObject({ sub: 'aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee' })
          expect(unfrozenIn(given)).toEqual([])
        }
      }),
      { numRuns: 60 },
    )
  })

  it('are frozen where a burst goes to the thread pool', async () => {
    const verifier = createVerifier(signer)
    const tokens = Array.from({ length: 20 }, (_, number) =>
      signer.idToken({ number, 'cognito:groups': ['reader'], identities: [{ primary: [{}] }] }),
    )
    const claims = await Promise.all(tokens.map((token) => verifier.verify(token)))
    expect(claims.flatMap((each) => unfrozenIn(each))).toEqual([])
    expect(claims.map(({ number }) => number)).toEqual(tokens.map((_, number) => number))
  })

  it('cannot be changed by one caller for the next, at any depth', async () => {
    const verifier = createVerifier(signer)
    const token = signer.accessToken({ 'cognito:groups': ['reader'], address: { lines: [{ text: 'a' }] } })
    const claims = verifier.verifySync(token) as unknown as {
      'cognito:groups': string[]
      address: { lines: { text: string }[]; more?: string }
    }
    const changes = [
      () => claims['cognito:groups'].push('admin'),
      () => claims['cognito:groups'].splice(0, 1, 'admin'),
      () => Object.assign(claims, { 'cognito:groups': ['admin'] }),
      () => Object.assign(claims.address, { more: 'b' }),
      () => Object.assign(claims.address.lines[0] ?? {}, { text: 'b' }),
      () => Object.defineProperty(claims, 'scope', { value: 'root' }),
      () => Object.setPrototypeOf(claims, { admin: true }),
    ]
    for (const change of changes) expect(change).toThrow(TypeError)
    for (const given of [verifier.recall(token), await verifier.verify(token), verifier.verifySync(token)]) {
      expect(given).toMatchObject({ 'cognito:groups': ['reader'], address: { lines: [{ text: 'a' }] } })
      expect(given).not.toHaveProperty('admin')
    }
  })

  it('are of each token its own, though headers are alike', async () => {
    const verifier = createVerifier(signer)
    const [one, two] = ['one', 'two'].map((jti) => signer.accessToken({ jti, 'cognito:groups': [jti] }))
    for (const _ of [1, 2]) {
      expect(verifier.verifySync(one ?? '')).toMatchObject({ jti: 'one', 'cognito:groups': ['one'] })
      expect(await verifier.verify(two ?? '')).toMatchObject({ jti: 'two', 'cognito:groups': ['two'] })
    }
  })
})
