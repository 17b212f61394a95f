// Two API processes know of revocations through a service alone, which keeps them in Redis: a revocation through
// one is refused in the other at once, the service is killed, and nothing revoked gets in. Needs a redis-server or
// valkey-server on the PATH. `npm run demo:http`
import { randomBytes } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { CognitoTokenClient } from 'cognito-revocation/client'
import { FakeCognito } from 'cognito-revocation/testing'
import { Play } from '../demo/play.js'
import { startApiProcess } from '../demo-redis/api-process.js'
import { RedisServer } from '../demo-redis/redis-server.js'
import { startServiceProcess } from './service-process.js'

// The SDK's notice that it will leave Node 20 in 2027 is not part of the play.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = 'true'

const play = new Play()
const maxStalenessMs = 2_000
const [revoked, unknown] = ['401 invalid_token', '503 retry after 1 s']

play.scene('A service before Redis, two processes that know only the service')
const cognito = await FakeCognito.start()
cognito.createUser({ username: 'jane', password: 'correct horse battery staple' })
const { clientId } = cognito.createClient()
const pool = { userPoolId: cognito.userPoolId, issuer: cognito.issuer, clientId }
const client = new CognitoTokenClient({ ...pool, store: false, endpoint: cognito.url })
const signIn = async () => {
  const result = await client.signIn({ username: 'jane', password: 'correct horse battery staple' })
  if (result.status !== 'authenticated') throw new Error(`unexpected challenge ${result.challengeName}`)
  return result
}

const redis = await play.step('A Redis without persistence starts', () => RedisServer.start())
const key = randomBytes(32).toString('base64')
const keys = [{ id: 'api', key, rights: ['read', 'write'], pools: [pool.userPoolId] }]
const startService = (port: number) => startServiceProcess({ redisPort: redis.port, port, keys })
let service = await play.step('The revocation service starts', () => startService(0))
const { port } = service
const settings = { serviceUrl: service.url, key, cognitoUrl: cognito.url, maxStalenessMs, ...pool }
const startApi = () => startApiProcess(settings, new URL('./api.ts', import.meta.url))
const [a, b] = await play.step('Two API processes start, A and B, with a key of the service', () =>
  Promise.all([startApi(), startApi()]),
)
const phone = await play.step('Jane signs in on her phone', signIn)
const laptop = await play.step('Jane signs in on her laptop', signIn)
await play.expect('B, her phone', () => b.get(phone.accessToken), '200')
await play.step('The phone logs out through A', () => a.logout(phone.refreshToken))
await play.expect('B refuses it, after', () => until(() => b.get(phone.accessToken), revoked), revoked)
await play.expect('A, her phone', () => a.get(phone.accessToken), revoked)
await play.expect('B, her laptop', () => b.get(laptop.accessToken), '200')
const stranger = () => fetch(`${settings.serviceUrl}/v1/changes`).then(({ status }) => `${status}`)
await play.expect('Somebody without a key asks the service', stranger, '401')

play.scene('The service is killed')
await play.step('SIGKILL, to the service', () => service.kill())
await play.expect('A, her phone: known, so refused', () => a.get(phone.accessToken), revoked)
await play.expect('A, her laptop: the mirror is fresh enough', () => a.get(laptop.accessToken), '200')
await play.step(`… over ${maxStalenessMs / 1000} s pass`, () => delay(maxStalenessMs + 1_200))
await play.expect('A, her laptop: it cannot be known', () => a.get(laptop.accessToken), unknown)
await play.expect('B, her laptop: it cannot be known', () => b.get(laptop.accessToken), unknown)
await play.expect('B, her phone: known, so refused', () => b.get(phone.accessToken), revoked)

play.scene('The service comes back')
service = await play.step('It starts again, at the same address', () => startService(port))
await play.expect('A, her laptop, after', () => until(() => a.get(laptop.accessToken), '200'), '200')
await play.expect('B, her laptop, after', () => until(() => b.get(laptop.accessToken), '200'), '200')
await play.expect('A, her phone', () => a.get(phone.accessToken), revoked)
await play.expect('B, her phone', () => b.get(phone.accessToken), revoked)
const c = await play.step('A third process starts, C, which knew of nothing', startApi)
await play.expect('C, her phone', () => c.get(phone.accessToken), revoked)
await play.expect('C, her laptop', () => c.get(laptop.accessToken), '200')

for (const api of [a, b, c]) api.stop()
await service.kill()
await redis.kill()
await client.close()
await cognito.close()
play.end()

/** Asks until the answer is this one, for five seconds at most; gives the last answer. */
async function until(ask: () => Promise<string>, answer: string): Promise<string> {
  const deadline = performance.now() + 5_000
  for (;;) {
    const got = await ask()
    if (got === answer || performance.now() > deadline) return got
    await delay(1)
  }
}
