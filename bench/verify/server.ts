/** A process of `verify-throughput`: one server, of the kind that is asked for, and tokens that it lets through. */
import { createPublicKey } from 'node:crypto'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import fastifyJwt from '@fastify/jwt'
import Fastify, { type FastifyInstance } from 'fastify'
import { MemoryRevocationStore, RevocationMirror, TokenVerifier } from '../../src/index.js'
import { verifyToken as verifyFastifyToken } from '../../src/middleware/fastify/index.js'
import { verifyToken } from '../../src/middleware/node/index.js'
import { TokenMinter } from '../../src/testing/index.js'
import { serve } from '../redis/processes.js'

/** What answers, and what looks at the token before. */
export type Kind =
  | 'node:http'
  | 'node:http, verifyToken'
  | 'Fastify'
  | 'Fastify, verifyToken'
  | 'Fastify, @fastify/jwt'

export interface Ready {
  readonly port: number
  readonly tokens: readonly string[]
}

const revocations = 10_000
const tokens = 100
const hello = JSON.stringify({ hello: 'world' })

serve({
  async start(kind: Kind): Promise<Ready> {
    const minter = await TokenMinter.create()
    const port = await listen(kind, minter)
    return { port, tokens: Array.from({ length: tokens }, () => minter.accessToken()) }
  },
  /** How long this process has computed, in microseconds. */
  cpu(): number {
    const { user, system } = process.cpuUsage()
    return user + system
  },
})

async function createVerifier(minter: TokenMinter): Promise<TokenVerifier> {
  const store = new MemoryRevocationStore()
  const expiresAt = Math.floor(Date.now() / 1000) + 86_400
  const ids = Array.from({ length: revocations }, (_, index) => `session-${index}`)
  await store.add(ids.map((id) => ({ poolId: minter.userPoolId, scope: 'session', id, expiresAt })))
  const { userPoolId, clientId } = minter
  const revocation = new RevocationMirror(store)
  const verifier = new TokenVerifier({ userPoolId, clientId, tokenUse: 'access', revocation })
  verifier.cacheJwks(minter.jwks)
  await verifier.ready()
  return verifier
}

async function listen(kind: Kind, minter: TokenMinter): Promise<number> {
  if (kind === 'node:http') return listenHttp((_, response) => answer(response))
  if (kind === 'node:http, verifyToken') {
    const middleware = verifyToken(await createVerifier(minter))
    return listenHttp((request, response) => {
      middleware(request, response, (error) => {
        if (error !== undefined) throw error
        answer(response)
      })
    })
  }
  const app = Fastify()
  if (kind === 'Fastify, verifyToken') {
    app.addHook('onRequest', verifyFastifyToken(await createVerifier(minter)))
  }
  if (kind === 'Fastify, @fastify/jwt') await addFastifyJwt(app, minter)
  app.get('/', async () => ({ hello: 'world' }))
  await app.listen({ host: '127.0.0.1', port: 0 })
  return (app.server.address() as AddressInfo).port
}

function answer(response: Parameters<RequestListener>[1]): void {
  response.writeHead(200, { 'content-type': 'application/json' }).end(hello)
}

async function listenHttp(listener: RequestListener): Promise<number> {
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}

/** As its readme has it, with its cache of verified tokens, and the checks that Cognito's tokens need. */
async function addFastifyJwt(app: FastifyInstance, minter: TokenMinter): Promise<void> {
  const key = createPublicKey({ key: { ...minter.jwks.keys[0] }, format: 'jwk' })
  await app.register(fastifyJwt, {
    secret: { public: key.export({ type: 'spki', format: 'pem' }).toString() },
    verify: { algorithms: ['RS256'], allowedIss: minter.issuer, cache: true },
  })
  app.addHook('onRequest', (request) => request.jwtVerify())
}
