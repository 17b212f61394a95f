// Two API processes share a Redis: a revocation through one is refused in the other at once, Redis is killed,
// comes back empty, and nothing revoked gets in. Needs a redis-server or valkey-server on the PATH.
// `npm run demo:redis`
import { setTimeout as delay } from 'node:timers/promises'
import { CognitoTokenClient } from 'cognito-revocation/client'
import { FakeCognito } from 'cognito-revocation/testing'
import { Play } from '../demo/play.js'
import { startApiProcess } from './api-process.js'
import { RedisServer } from './redis-server.js'

// The SDK's notice that it will leave Node 20 in 2027 is not part of the play.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = 'true'

const play = new Play()
const maxStalenessMs = 2_000
const [revoked, unknown] = ['401 invalid_token', '503 retry after 1 s']

play.scene('Two processes, one Redis')
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
const settings = { redisPort: redis.port, cognitoUrl: cognito.url, maxStalenessMs, ...pool }
const [a, b] = await play.step('Two API processes start, A and B, each with a mirror', () =>
  Promise.all([startApiProcess(settings), startApiProcess(settings)]),
)
const phone = await play.step('Jane signs in on her phone', signIn)
const laptop = await play.step('Jane signs in on her laptop', signIn)
await play.expect('A, her phone', () => a.get(phone.accessToken), '200')
await play.expect('B, her phone', () => b.get(phone.accessToken), '200')
await play.step('The phone logs out through A', () => a.logout(phone.refreshToken))
await play.expect('B refuses it, after', () => until(() => b.get(phone.accessToken), revoked), revoked)
await play.expect('A, her phone', () => a.get(phone.accessToken), revoked)
await play.expect('B, her laptop', () => b.get(laptop.accessToken), '200')

play.scene('Redis is killed')
await play.step('SIGKILL', () => redis.kill())
await play.expect('A, her phone: known, so refused', () => a.get(phone.accessToken), revoked)
await play.expect('A, her laptop: the mirror is fresh enough', () => a.get(laptop.accessToken), '200')
await play.step(`… over ${maxStalenessMs / 1000} s pass`, () => delay(maxStalenessMs + 1_200))
await play.expect('A, her laptop: it cannot be known', () => a.get(laptop.accessToken), unknown)
await play.expect('B, her laptop: it cannot be known', () => b.get(laptop.accessToken), unknown)
await play.expect('B, her phone: known, so refused', () => b.get(phone.accessToken), revoked)

play.scene('Redis comes back, empty')
await play.step('It starts again', () => redis.start())
await play.expect('A, her laptop, after', () => until(() => a.get(laptop.accessToken), '200'), '200')
await play.expect('B, her laptop, after', () => until(() => b.get(laptop.accessToken), '200'), '200')
await play.expect('A, her phone', () => a.get(phone.accessToken), revoked)
await play.expect('B, her phone', () => b.get(phone.accessToken), revoked)
const held = async () => `${await redis.revocations()}`
await play.expect('Redis has the revocation back, after', () => until(held, '1'), '1')
const c = await play.step('A third process starts, C, which knew of nothing', () => startApiProcess(settings))
await play.expect('C, her phone', () => c.get(phone.accessToken), revoked)
await play.expect('C, her laptop', () => c.get(laptop.accessToken), '200')

for (const api of [a, b, c]) api.stop()
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
