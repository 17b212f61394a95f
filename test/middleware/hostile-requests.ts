import { createHmac } from 'node:crypto'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { CognitoClaims, RevocationStore, Revoker } from '../../src/index.js'
import { TokenMinter } from '../../src/testing/index.js'
import { call, callRaw, listen } from '../support/http.js'
import type { Adapter } from './adapters/adapter.js'
import {
  Api,
  type ApiOptions,
  INVALID_REQUEST,
  INVALID_TOKEN,
  insufficientScope,
  NO_TOKEN,
  type Pool,
  replyOf,
  storeThat,
  UNAVAILABLE,
  usePool,
} from './harness.js'

type Row<Value> = readonly [name: string, value: Value]
/** What to send in Authorization headers, given a good token. */
type Header = (token: string) => readonly string[]

export const withoutToken: readonly Row<Header>[] = [
  ['no Authorization header', () => []],
  ['an empty Authorization header', () => ['']],
  ['Basic credentials', () => [`Basic ${Buffer.from('jane:secret').toString('base64')}`]],
  ['a DPoP-bound token', (token) => [`DPoP ${token}`]],
  ['Digest credentials with commas', () => ['Digest username="jane", realm="api", response="0"']],
  ['a scheme that only begins like Bearer', (token) => [`BearerToken ${token}`]],
  ['a token without a scheme', (token) => [token]],
  ['a scheme that follows the token', (token) => [`${token} Bearer`]],
]

export const malformed: readonly Row<Header>[] = [
  ['two Authorization headers, the second without a good token', (token) => [`Bearer ${token}`, 'Bearer x']],
  ['two Authorization headers, the first without a good token', (token) => ['Bearer x', `Bearer ${token}`]],
  ['the same Authorization header twice', (token) => [`Bearer ${token}`, `Bearer ${token}`]],
  ['Basic credentials in a header before the token', (token) => ['Basic eDp5', `Bearer ${token}`]],
  ['Basic credentials in a header after the token', (token) => [`Bearer ${token}`, 'Basic eDp5']],
  ['an empty header before the token', (token) => ['', `Bearer ${token}`]],
  ['two tokens in one header', (token) => [`Bearer ${token} ${token}`]],
  ['two headers that a proxy joined with a comma', (token) => [`Bearer ${token}, Bearer ${token}`]],
  ['two tokens with a comma between them', (token) => [`Bearer ${token},${token}`]],
  ['other credentials joined behind the token', (token) => [`Bearer ${token}, Basic eDp5`]],
  ['other credentials joined before the token', (token) => [`Basic eDp5, Bearer ${token}`]],
  ['a comma right behind the scheme', (token) => [`Bearer, Bearer ${token}`]],
  ['the scheme alone', () => ['Bearer']],
  ['the scheme and spaces', () => ['Bearer    ']],
  ['a tab for the space', (token) => [`Bearer\t${token}`]],
  ['a tab behind the space', (token) => [`Bearer \t${token}`]],
  ['a colon behind the scheme', (token) => [`Bearer: ${token}`]],
  ['a token in quotes', (token) => [`Bearer "${token}"`]],
  ['a token with a name', (token) => [`Bearer token=${token}`]],
  ['a percent-encoded token', (token) => [`Bearer ${token.replaceAll('.', '%2E')}`]],
  ['markup for a token', () => ['Bearer <script>alert(1)</script>']],
]

/** Sent byte by byte, one a character. */
const malformedBytes: readonly Row<Header>[] = [
  ['a letter beyond ASCII in the token', (token) => [`Bearer ${token.replace('e', '\xe9')}`]],
  ['a zero-width space in UTF-8 in the token', (token) => [`Bearer ${token}\xe2\x80\x8b`]],
  ['a no-break space behind the token', (token) => [`Bearer ${token}\xa0`]],
  ['a no-break space before the token', (token) => [`Bearer \xa0${token}`]],
]

const accepted: readonly Row<Header>[] = [
  ['Bearer', (token) => [`Bearer ${token}`]],
  ['bearer', (token) => [`bearer ${token}`]],
  ['BEARER', (token) => [`BEARER ${token}`]],
  ['several spaces', (token) => [`Bearer     ${token}`]],
  ['white space around', (token) => [` \t Bearer ${token} \t `]],
]

/** Tokens that are no good, each in another way. */
export const badTokens: readonly Row<(pool: Pool) => string | Promise<string>>[] = [
  ['a word', () => 'token'],
  ['three empty parts', () => '..'],
  ['three parts of nonsense', () => 'a.b.c'],
  ['15 KB of nonsense', () => 'x'.repeat(15_000)],
  ['15 KB of dots', () => '.'.repeat(15_000)],
  ['a JWE', () => 'e30.e30.e30.e30.e30'],
  ['a token cut short', ({ minter }) => minter.accessToken().slice(0, -1)],
  ['a token with padding', ({ minter }) => `${minter.accessToken()}==`],
  ['an expired token', ({ minter }) => minter.accessToken({ iat: now() - 7_200 })],
  ['a token issued in the future', ({ minter }) => minter.accessToken({ iat: now() + 3_600 })],
  ['an ID token', ({ minter }) => minter.idToken()],
  ["another app client's token", ({ minter }) => minter.accessToken({ client_id: 'another-client' })],
  [
    'a token that no session can be revoked of',
    ({ minter }) => minter.accessToken({ origin_jti: undefined }),
  ],
  ["another pool's token", async () => (await foreignMinter('us-east-1_FakePool2')).accessToken()],
  ['a token of a key that the pool does not have', async ({ minter }) => forge(minter)],
  ["a forged token under the pool's kid", async ({ minter }) => forge(minter, minter.jwks.keys[0]?.kid)],
  ['a token with another payload than was signed', ({ minter }) => swapPayload(minter)],
  ['an unsigned token', ({ minter }) => unsigned(minter)],
  ['a token signed with the public key as a secret', ({ minter }) => signedWithPublicKey(minter)],
]

type Revoke = (revoker: Revoker, claims: CognitoClaims) => Promise<unknown>
export const revocations: readonly Row<Revoke>[] = [
  ['the token', (revoker, claims) => revoker.revokeToken(claims)],
  ['its session', (revoker, claims) => revoker.revokeSession(claims)],
  ['its user', (revoker, claims) => revoker.revokeUser(claims.sub)],
  ['its app client', (revoker, claims) => revoker.revokeClient(claims.client_id as string)],
  ['the user pool', (revoker) => revoker.revokePool()],
]

export const storesThatCannotSay: readonly Row<RevocationStore>[] = [
  ['is down', storeThat(() => Promise.reject(new Error('ECONNREFUSED at secret-host:6379')))],
  ['does not answer', storeThat(() => new Promise(() => {}))],
  ['answers outside its protocol', storeThat(() => Promise.resolve(null as never))],
]

const poolOf = usePool()

/** The answers to every hostile request that we know, which are the same in every framework. */
export function testHostileRequests(adapter: Adapter): void {
  describe(`verifyToken under ${adapter.name}`, () => {
    const start = (options: ApiOptions = {}) => Api.start(adapter, poolOf(), options)

    describe('a good token', () => {
      it.each(accepted)('is let through with its claims: %s', async (_, header) => {
        const api = await start()
        const token = poolOf().minter.accessToken()
        expect(await api.sendBytes(...header(token))).toMatchObject({
          status: 200,
          body: { auth: await api.verifier.verify(token) },
        })
      })

      it('is let through at 15 KB, too', async () => {
        const api = await start()
        const token = poolOf().minter.accessToken({ 'custom:large': 'x'.repeat(10_500) })
        expect(token.length).toBeGreaterThan(14_500)
        expect(await api.send(`Bearer ${token}`)).toMatchObject({ status: 200 })
      })

      it('is let through where ID tokens are asked for and it is one', async () => {
        const api = await start({ verifier: { tokenUse: 'id' } })
        const reply = await api.send(`Bearer ${poolOf().minter.idToken()}`)
        expect(reply).toMatchObject({ status: 200, body: { auth: { token_use: 'id' } } })
      })
    })

    describe('a request without a bearer token', () => {
      it.each(withoutToken)('is answered with a bare challenge: %s', async (_, header) => {
        const api = await start()
        expect(await api.send(...header(await api.seenToken()))).toEqual(NO_TOKEN)
      })

      it('is told the realm, if there is one', async () => {
        const api = await start({ options: { realm: 'orders' } })
        expect((await api.send()).headers['www-authenticate']).toBe('Bearer realm="orders"')
      })

      it('is told the realm with its quotes and backslashes escaped', async () => {
        const api = await start({ options: { realm: 'a "b" \\ c' } })
        expect((await api.send()).headers['www-authenticate']).toBe('Bearer realm="a \\"b\\" \\\\ c"')
      })

      it('does not count with a token in the query', async () => {
        const api = await start()
        const path = `/?access_token=${poolOf().minter.accessToken()}`
        expect(replyOf(await api.call({ path }))).toEqual(NO_TOKEN)
      })

      it('does not count with a token in a form', async () => {
        const api = await start()
        const body = `access_token=${poolOf().minter.accessToken()}`
        const headers = { 'Content-Type': 'application/x-www-form-urlencoded' }
        expect(replyOf(await api.call({ method: 'POST', headers, body }))).toEqual(NO_TOKEN)
      })

      it('does not count with a token in Proxy-Authorization', async () => {
        const api = await start()
        const headers = { 'Proxy-Authorization': `Bearer ${poolOf().minter.accessToken()}` }
        expect(replyOf(await api.call({ headers }))).toEqual(NO_TOKEN)
      })
    })

    describe('a request that can be read in two ways', () => {
      it.each(malformed)('is refused as invalid_request: %s', async (_, header) => {
        const api = await start()
        expect(await api.send(...header(await api.seenToken()))).toEqual(INVALID_REQUEST)
      })

      it.each(malformedBytes)('is refused as invalid_request: %s', async (_, header) => {
        const api = await start()
        expect(await api.sendBytes(...header(await api.seenToken()))).toEqual(INVALID_REQUEST)
      })

      it('is told the realm before the error', async () => {
        const api = await start({ options: { realm: 'orders' } })
        expect((await api.send('Bearer')).headers['www-authenticate']).toBe(
          'Bearer realm="orders", error="invalid_request", error_description="The request must carry exactly one bearer token"',
        )
      })

      it.each([
        ['a zero byte', '\0'],
        ['a bell', '\x07'],
        ['an escape sequence', '\x1b[2J'],
        ['DEL', '\x7f'],
        ['a bare carriage return', '\r'],
        ['a folded line', '\r\n '],
      ])('is refused with 400 by Node or by the middleware: %s in the token', async (_, control) => {
        const api = await start()
        const [start_, rest] = halves(poolOf().minter.accessToken())
        const line = `Authorization: Bearer ${start_}${control}${rest}`
        expect((await callRaw(api.port, [line])).status).toBe(400)
      })
    })

    describe('a token that is no good', () => {
      it.each(badTokens)('is refused as invalid_token in the same words: %s', async (_, make) => {
        const api = await start()
        expect(await api.send(`Bearer ${await make(poolOf())}`)).toEqual(INVALID_TOKEN)
      })

      it('is refused in the same words at a size over 16 KiB', async () => {
        const api = await start({ maxHeaderSize: 65_536 })
        const token = poolOf().minter.accessToken({ 'custom:large': 'x'.repeat(16_384) })
        expect(await api.send(`Bearer ${token}`)).toEqual(INVALID_TOKEN)
      })

      it.each(revocations)('is refused in the same words once %s has been revoked', async (_, revoke) => {
        const api = await start()
        const token = poolOf().minter.accessToken()
        const authorization = `Bearer ${token}`
        expect(await api.send(authorization)).toMatchObject({ status: 200 })
        await revoke(api.revoker, await api.verifier.verify(token))
        expect(await api.send(authorization)).toEqual(INVALID_TOKEN)
      })

      it('leaves the other sessions of a user alone when one is revoked', async () => {
        const api = await start()
        const [first, second] = [poolOf().minter.accessToken(), poolOf().minter.accessToken()]
        await api.revoker.revokeSession(await api.verifier.verify(first))
        expect(await api.send(`Bearer ${first}`)).toEqual(INVALID_TOKEN)
        expect(await api.send(`Bearer ${second}`)).toMatchObject({ status: 200 })
      })

      it('is told the realm before the error', async () => {
        const api = await start({ options: { realm: 'orders' } })
        expect((await api.send('Bearer x')).headers['www-authenticate']).toMatch(
          /^Bearer realm="orders", error="invalid_token", error_description="/,
        )
      })
    })

    describe('a token that cannot be judged now', () => {
      it.each(storesThatCannotSay)('is answered with 503 where the store %s', async (_, store) => {
        const api = await start({ store, verifier: { revocationTimeoutMs: 20 } })
        expect(await api.send(`Bearer ${poolOf().minter.accessToken()}`)).toEqual(UNAVAILABLE)
      })

      it('is answered with 503 where the JWKS cannot be had', async () => {
        const down = await listen((request) => request.socket.destroy())
        onTestFinished(() => down.close())
        const api = await start({ verifier: { jwksUri: `${down.url}/jwks.json` } })
        expect(await api.send(`Bearer ${poolOf().minter.accessToken()}`)).toEqual(UNAVAILABLE)
      })

      it('is answered with 503 once the verifier is closed', async () => {
        const api = await start()
        await api.verifier.close()
        expect(await api.send(`Bearer ${poolOf().minter.accessToken()}`)).toEqual(UNAVAILABLE)
      })

      it('is answered with the Retry-After that is set', async () => {
        const options = { retryAfterSeconds: 30 }
        const api = await start({ store: storeThat(() => Promise.reject(new Error('down'))), options })
        const reply = await api.send(`Bearer ${poolOf().minter.accessToken()}`)
        expect(reply.headers['retry-after']).toBe('30')
      })

      it('is answered with 401 all the same if it is bad in a way that can be seen', async () => {
        const api = await start({ store: storeThat(() => Promise.reject(new Error('down'))) })
        const expired = poolOf().minter.accessToken({ iat: now() - 7_200 })
        expect(await api.send(`Bearer ${expired}`)).toEqual(INVALID_TOKEN)
      })

      it('is let through where the owner chose so', async () => {
        const store = storeThat(() => Promise.reject(new Error('down')))
        const api = await start({ store, verifier: { onRevocationUnavailable: 'accept' } })
        expect(await api.send(`Bearer ${poolOf().minter.accessToken()}`)).toMatchObject({ status: 200 })
      })
    })

    describe('optional authentication', () => {
      const options = { optional: true }

      it.each(withoutToken)('lets a request through without claims: %s', async (_, header) => {
        const api = await start({ options })
        const reply = await api.send(...header(poolOf().minter.accessToken()))
        expect(reply).toMatchObject({ status: 200, body: { auth: null } })
      })

      it('lets a good token through with its claims', async () => {
        const api = await start({ options })
        const reply = await api.send(`Bearer ${poolOf().minter.accessToken()}`)
        expect(reply).toMatchObject({ status: 200, body: { auth: { token_use: 'access' } } })
      })

      it.each(malformed)('refuses what can be read in two ways: %s', async (_, header) => {
        const api = await start({ options })
        expect(await api.send(...header(poolOf().minter.accessToken()))).toEqual(INVALID_REQUEST)
      })

      it.each(badTokens)('refuses a bad token: %s', async (_, make) => {
        const api = await start({ options })
        expect(await api.send(`Bearer ${await make(poolOf())}`)).toEqual(INVALID_TOKEN)
      })

      it.each(revocations)('refuses a token once %s has been revoked', async (_, revoke) => {
        const api = await start({ options })
        const token = poolOf().minter.accessToken()
        await revoke(api.revoker, await api.verifier.verify(token))
        expect(await api.send(`Bearer ${token}`)).toEqual(INVALID_TOKEN)
      })

      it.each(storesThatCannotSay)('answers 503 where the store %s', async (_, store) => {
        const api = await start({ options, store, verifier: { revocationTimeoutMs: 20 } })
        expect(await api.send(`Bearer ${poolOf().minter.accessToken()}`)).toEqual(UNAVAILABLE)
      })
    })

    describe('scopes and groups', () => {
      const scope = ['orders/read', 'orders/write']
      const groups = ['admin', 'support']

      it.each(scope)('lets a token through that has one of the scopes: %s', async (granted) => {
        const api = await start({ options: { scope } })
        const token = poolOf().minter.accessToken({ scope: `openid ${granted} email` })
        expect(await api.send(`Bearer ${token}`)).toMatchObject({ status: 200 })
      })

      it('refuses a token with none of the scopes, and names them', async () => {
        const api = await start({ options: { scope } })
        const token = poolOf().minter.accessToken({ scope: 'openid orders/readall' })
        expect(await api.send(`Bearer ${token}`)).toEqual(insufficientScope('orders/read orders/write'))
      })

      it('refuses it each time, also once it has been seen', async () => {
        const api = await start({ options: { scope } })
        const authorization = `Bearer ${await api.seenToken()}`
        expect(await api.send(authorization)).toEqual(insufficientScope('orders/read orders/write'))
        expect(await api.send(authorization)).toEqual(insufficientScope('orders/read orders/write'))
      })

      it('refuses a token without any scope', async () => {
        const api = await start({ options: { scope: 'orders/read' } })
        const token = poolOf().minter.accessToken({ scope: undefined })
        expect(await api.send(`Bearer ${token}`)).toEqual(insufficientScope('orders/read'))
      })

      it.each(groups)('lets the member of one of the groups through: %s', async (group) => {
        const api = await start({ options: { groups } })
        const token = poolOf().minter.accessToken({ 'cognito:groups': ['everybody', group] })
        expect(await api.send(`Bearer ${token}`)).toMatchObject({ status: 200 })
      })

      it.each([
        ['of other groups', { 'cognito:groups': ['administrators'] }],
        ['of no group', {}],
      ])('refuses the member %s, without naming a scope', async (_, claims) => {
        const api = await start({ options: { groups } })
        const token = poolOf().minter.accessToken(claims)
        expect(await api.send(`Bearer ${token}`)).toEqual(insufficientScope())
      })

      it('asks for a scope and for a group where both are set', async () => {
        const api = await start({ options: { scope, groups } })
        const token = poolOf().minter.accessToken({ 'cognito:groups': ['admin'] })
        expect(await api.send(`Bearer ${token}`)).toEqual(insufficientScope('orders/read orders/write'))
      })

      it("names the verifier's own scopes where it is these that are missing", async () => {
        const api = await start({ verifier: { scope: 'orders/read' }, options: { groups: 'admin' } })
        const token = poolOf().minter.accessToken()
        expect(await api.send(`Bearer ${token}`)).toEqual(insufficientScope('orders/read'))
      })

      it('answers a revoked token with 401, not with 403', async () => {
        const api = await start({ options: { scope } })
        const token = poolOf().minter.accessToken()
        await api.revoker.revokeSession(await api.verifier.verify(token))
        expect(await api.send(`Bearer ${token}`)).toEqual(INVALID_TOKEN)
      })

      it('escapes the quotes of a realm before the scopes', async () => {
        const api = await start({ options: { scope, realm: 'the "orders"' } })
        const reply = await api.send(`Bearer ${poolOf().minter.accessToken()}`)
        expect(reply.headers['www-authenticate']).toBe(
          'Bearer realm="the \\"orders\\"", error="insufficient_scope", error_description="The token does not grant what this request needs", scope="orders/read orders/write"',
        )
      })
    })

    it('tells in no answer what was sent, whose it was, or why it was refused', async () => {
      const down = storeThat(() => Promise.reject(new Error('ECONNREFUSED at secret-host:6379')))
      const [api, broken] = [await start({ options: { groups: 'admin' } }), await start({ store: down })]
      const good = poolOf().minter.accessToken()
      const revoked = poolOf().minter.accessToken()
      const claims = await api.verifier.verify(revoked)
      await api.revoker.revokeSession(claims, { reason: 'stolen laptop', actor: 'jane from support' })
      const bad = await Promise.all(badTokens.map(([, make]) => make(poolOf())))

      for (const token of [...bad, revoked, good]) {
        for (const { port } of token === good ? [api, broken] : [api]) {
          const { status, headers, text } = await call(port, {
            headers: { Authorization: `Bearer ${token}` },
          })
          expect(status).toBeGreaterThanOrEqual(400)
          const answer = JSON.stringify(headers) + text
          for (const part of token.split('.').filter(({ length }) => length > 8)) {
            expect(answer).not.toContain(part)
          }
          for (const secret of [
            claims.sub,
            claims.jti,
            claims.origin_jti,
            claims.username,
            claims.client_id,
          ]) {
            expect(answer).not.toContain(secret)
          }
          expect(answer).not.toMatch(
            /stolen|support|secret-host|ECONN|origin_jti|session|signature|kid|admin|node_modules|\.[jt]s\b|\bat /,
          )
        }
      }
    })
  })
}

function now(): number {
  return Math.floor(Date.now() / 1000)
}

function halves(text: string): [string, string] {
  const middle = Math.floor(text.length / 2)
  return [text.slice(0, middle), text.slice(middle)]
}

const foreignMinters = new Map<string, Promise<TokenMinter>>()

/** Somebody else's keys for a user pool id. */
function foreignMinter(userPoolId: string): Promise<TokenMinter> {
  const known = foreignMinters.get(userPoolId) ?? TokenMinter.create({ userPoolId })
  foreignMinters.set(userPoolId, known)
  return known
}

/** A token like the pool's own, of somebody else's key, under its kid or one that is given. */
async function forge(minter: TokenMinter, kid?: string): Promise<string> {
  const forger = await foreignMinter(minter.userPoolId)
  const claims = payloadOf(minter.accessToken())
  return forger.sign(claims, kid === undefined ? {} : { header: { kid } })
}

function swapPayload(minter: TokenMinter): string {
  const [header, payload, signature] = minter.accessToken().split('.')
  const claims = { ...JSON.parse(decode(payload)), sub: 'somebody-else' }
  return [header, encode(claims), signature].join('.')
}

function unsigned(minter: TokenMinter): string {
  const { kid } = minter.jwks.keys[0] ?? {}
  return `${encode({ kid, alg: 'none' })}.${encode(payloadOf(minter.accessToken()))}.`
}

function signedWithPublicKey(minter: TokenMinter): string {
  const [key] = minter.jwks.keys
  const input = `${encode({ kid: key?.kid, alg: 'HS256' })}.${encode(payloadOf(minter.accessToken()))}`
  return `${input}.${createHmac('sha256', JSON.stringify(key)).update(input).digest('base64url')}`
}

function payloadOf(token: string): Record<string, unknown> {
  return JSON.parse(decode(token.split('.')[1]))
}

function decode(part: string | undefined): string {
  return Buffer.from(part ?? '', 'base64url').toString()
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}
