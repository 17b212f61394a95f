import { inspect } from 'node:util'
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import type { ObserverEvent } from '../../src/observer.js'
import { TokenVerifier } from '../../src/verifier.js'
import { JwksServer } from '../support/jwks-server.js'
import { encode, NOW_SECONDS, partsOf, RawSigner } from '../support/raw-signer.js'
import { SpyStore } from '../support/spy-store.js'

let signer: RawSigner
let server: JwksServer
let store: SpyStore
let events: ObserverEvent[]
let verifier: TokenVerifier

beforeAll(async () => {
  signer = await RawSigner.create()
})

beforeEach(async () => {
  server = await JwksServer.start(signer.jwks)
  store = new SpyStore()
  events = []
  verifier = new TokenVerifier({
    userPoolId: signer.userPoolId,
    jwksUri: server.jwksUri,
    clientId: signer.clientId,
    tokenUse: 'access',
    scope: 'orders/read',
    revocation: store,
    revocationTimeoutMs: 10,
    clock: () => NOW_SECONDS * 1000,
    observer: (event) => events.push(event),
    customJwtCheck: ({ payload }) => {
      if (payload['custom:blocked'] === true) throw new Error('blocked')
    },
  })
})

afterEach(async () => {
  vi.restoreAllMocks()
  await verifier.close()
  await server.close()
})

const mint = (claims: Record<string, unknown> = {}, header: Record<string, unknown> = {}) =>
  signer.accessToken({ scope: 'orders/read', ...claims }, header)

/** Changes one part of a token. */
function withPart(part: 0 | 1 | 2, change: (part: string) => string): string {
  const parts = partsOf(mint())
  return parts.with(part, change(parts[part])).join('.')
}

const REFUSED: readonly [what: string, token: () => string, setUp?: () => void][] = [
  ['too long', () => mint({ x: 'x'.repeat(20_000) })],
  ['a part too many', () => `${mint()}.AAAA`],
  ['a part too few', () => mint().replace(/\.[^.]*$/, '')],
  ['padded', () => `${mint()}==`],
  ['with a line break', () => `${mint()}\r\n`],
  ['a header that is no JSON', () => withPart(0, (part) => part.slice(4))],
  ['a payload that is no JSON', () => withPart(1, (part) => part.slice(4))],
  ['a payload that is not UTF-8', () => signer.sign(signer.header, Buffer.from([0x7b, 0xff, 0x7d]))],
  ['a payload with __proto__', () => signer.sign(signer.header, '{"__proto__":{}}')],
  ['alg none', () => mint({}, { alg: 'none' })],
  ['crit', () => mint({}, { crit: ['exp'] })],
  ['no kid', () => mint({}, { kid: undefined })],
  ['a foreign issuer', () => mint({ iss: 'https://issuer.example/pool' })],
  ['an issuer that is an object', () => mint({ iss: { a: 1 } })],
  ['an unknown kid', () => mint({}, { kid: 'unknown' })],
  ['an unknown kid, the JWKS down', () => mint({}, { kid: 'unknown' }), () => server.fail()],
  ['a good token, the JWKS broken', () => mint(), () => server.publish({ keys: 'none' })],
  ['a signature cut short', () => withPart(2, (part) => part.slice(0, -4))],
  ['a payload changed', () => withPart(1, () => encode(signer.accessClaims({ sub: 'root' })))],
  ['a claim of the wrong type', () => mint({ sub: 5 })],
  ['the wrong use', () => signer.idToken()],
  ["another client's", () => mint({ client_id: 'another' })],
  ['expired', () => mint({ exp: 1 })],
  ['of the future', () => mint({ iat: NOW_SECONDS + 1_000 })],
  ['without the scope', () => mint({ scope: 'openid' })],
  ['refused by the custom check', () => mint({ 'custom:blocked': true })],
  ['not revocable', () => mint({ origin_jti: undefined })],
  ['revoked', () => mint(), () => answer(async () => ({ scope: 'pool' }))],
  [
    'while the store is down',
    () => mint(),
    () =>
      answer(() => {
        throw new Error('down')
      }),
  ],
  ['while the store hangs', () => mint(), () => answer(() => new Promise(() => {}))],
  ['while the store talks nonsense', () => mint(), () => answer(async () => 'nonsense')],
]

function answer(next: SpyStore['answer']): void {
  store.answer = next
}

/** Any run of so many characters out of a token, wherever it stands. */
function expectNothingOf(token: string, shown: string): void {
  const runs = Array.from({ length: Math.min(token.length, 2_000) - 15 }, (_, start) =>
    token.slice(start, start + 16),
  )
  expect(runs.filter((run) => shown.includes(run))).toEqual([])
}

async function thrownBy(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => expect.unreachable('it was accepted'),
    (error: unknown) => error,
  )
}

describe('a token that is refused', () => {
  it.each(REFUSED)('shows in no error and no event: %s', async (_what, create, setUp) => {
    setUp?.()
    const token = create()
    const error = await thrownBy(verifier.verify(token))
    const again = await thrownBy(verifier.verify(token))
    const { message, stack } = error as Error
    const shown = inspect([error, again, events], { depth: 20, showHidden: true, maxStringLength: null })
    expectNothingOf(token, `${shown} ${JSON.stringify([error, events])} ${message} ${stack}`)
    expect(events).not.toEqual([])
  })

  it('is not in what the store is asked', async () => {
    const token = mint()
    await verifier.verify(token)
    expectNothingOf(token, inspect(store.lookUps, { depth: 20, showHidden: true }))
    expect(store.lookUps).toHaveLength(1)
  })

  it('is not in what the verifier shows of itself', async () => {
    const token = mint()
    await verifier.verify(token)
    expectNothingOf(token, inspect(verifier, { depth: 20, showHidden: true }) + JSON.stringify(verifier))
  })

  it('is not logged, and nothing else is', async () => {
    const written: unknown[] = []
    const spies = (['log', 'info', 'warn', 'error', 'debug', 'trace'] as const).map((method) =>
      vi.spyOn(console, method).mockImplementation((...args) => void written.push(args)),
    )
    const warnings: unknown[] = []
    const onWarning = (warning: unknown) => warnings.push(warning)
    process.on('warning', onWarning)
    for (const [, create] of REFUSED) await verifier.verify(create()).catch(() => {})
    await new Promise((resolve) => setImmediate(resolve))
    process.off('warning', onWarning)
    expect(spies).toHaveLength(6)
    expect([...written, ...warnings]).toEqual([])
  })
})
