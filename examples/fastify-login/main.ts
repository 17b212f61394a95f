// A login service on Fastify: sign in, refresh by an httpOnly cookie, log out, log out everywhere. Without settings it
// is played against a stand-in for Cognito: `npm run demo:login`. With USER_POOL_ID, CLIENT_ID, … it serves:
// `USER_POOL_ID=… CLIENT_ID=… REDIS_URL=… npm run demo:login`, on PORT (3000), behind a proxy that speaks https.
import { FakeCognito } from 'cognito-revocation/testing'
import { Play, until } from '../demo/play.js'
import { Browser } from './browser.js'
import { configure } from './configure.js'
import { createLoginService } from './service.js'

// The SDK's notice that it will leave Node 20 in 2027 is not part of the play.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = 'true'

/** So short for the play only: 10 or more in earnest. */
const GRACE_SECONDS = 1
const SETTINGS = ['USER_POOL_ID', 'CLIENT_ID', 'CLIENT_SECRET', 'REDIS_URL']
await (SETTINGS.some((name) => process.env[name]) ? serve() : playIt())

async function serve(): Promise<void> {
  const { close, ...parts } = configure(process.env)
  const allowedOrigins = (process.env.ALLOWED_ORIGINS ?? '').split(',').filter(Boolean)
  const app = await createLoginService({ ...parts, allowedOrigins, logger: true })
  app.addHook('onClose', close)
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => void app.close())
  await app.listen({ host: '127.0.0.1', port: Number(process.env.PORT ?? 3000) })
}

async function playIt(): Promise<void> {
  const play = new Play()
  play.scene('A login service on Fastify, an app client with a secret, refresh tokens that rotate')
  const cognito = await FakeCognito.start()
  const credentials = { username: 'jane', password: 'correct horse battery staple' }
  cognito.createUser(credentials)
  cognito.createUser({ ...credentials, username: 'joe', status: 'FORCE_CHANGE_PASSWORD' })
  const { clientId, clientSecret } = cognito.createClient({
    generateSecret: true,
    refreshTokenRotation: { feature: 'ENABLED', retryGracePeriodSeconds: GRACE_SECONDS },
  })
  const env = { USER_POOL_ID: cognito.userPoolId, CLIENT_ID: clientId, CLIENT_SECRET: clientSecret }
  const { close, ...parts } = configure(env, cognito)
  const app = await createLoginService(parts)
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  const [phone, laptop] = [new Browser(url), new Browser(url)]
  const wrong = { ...credentials, password: 'wrong horse' }

  await play.expect('Somebody without a token asks for /me', () => phone.get('/me'), '401')
  await play.expect('A wrong password', () => phone.post('/auth/login', wrong), '401')
  const joe = { ...credentials, username: 'joe' }
  const challenge = '409 NEW_PASSWORD_REQUIRED'
  await play.expect('Joe, who needs a new password', () => laptop.post('/auth/login', joe), challenge)
  const answer = { newPassword: 'another horse battery staple' }
  await play.expect('and chooses one', () => laptop.post('/auth/challenge', answer), '200')
  await play.expect('Jane signs in', () => phone.post('/auth/login', credentials), '200')
  await play.expect('/me', () => phone.get('/me'), '200')
  const first = phone.accessToken
  await play.expect('A refresh, by the cookie alone', () => phone.post('/auth/refresh'), '200')
  await play.expect('/me, with the new access token', () => phone.get('/me'), '200')
  const elsewhere = () => phone.post('/auth/logout', {}, 'cross-site')
  await play.expect("Somebody else's website tries to log her out", elsewhere, '403')
  await play.expect('/me still answers', () => phone.get('/me'), '200')
  await play.expect('Jane logs out', () => phone.post('/auth/logout'), '204')
  await play.expect('the cookie is gone', async () => `${phone.hasCookie}`, 'false')
  await play.expect('/me, with the new access token, is refused', () => phone.get('/me'), '401 invalid_token')
  await play.expect('and with the first one', () => phone.get('/me', first), '401 invalid_token')
  await play.expect('Nothing to refresh by', () => phone.post('/auth/refresh'), '401')

  play.scene('Two devices')
  await play.expect('Jane signs in on her phone', () => phone.post('/auth/login', credentials), '200')
  await play.expect('and on her laptop', () => laptop.post('/auth/login', credentials), '200')
  await play.expect('She logs out everywhere', () => phone.post('/auth/logout-everywhere'), '204')
  await play.expect('/me, on her phone', () => phone.get('/me'), '401 invalid_token')
  await play.expect('/me, on her laptop', () => laptop.get('/me'), '401 invalid_token')
  await play.expect('The laptop tries to refresh', () => laptop.post('/auth/refresh'), '401')
  const isOver = async () => `${laptop.hasCookie}`
  await play.expect('its cookie is gone', isOver, 'false')
  const nextSecond = Math.floor(Date.now() / 1000) + 1
  await play.step('… a second passes, since tokens of the same second are refused', () => until(nextSecond))
  await play.expect('Jane signs in again', () => laptop.post('/auth/login', credentials), '200')
  await play.expect('/me answers her', () => laptop.get('/me'), '200')

  play.scene('A stolen refresh token')
  const thief = new Browser(url)
  thief.steal(laptop)
  await play.expect('A thief refreshes by her cookie', () => thief.post('/auth/refresh'), '200')
  await play.expect('/me answers him', () => thief.get('/me'), '200')
  const graceOver = Date.now() / 1000 + GRACE_SECONDS
  await play.step('… the grace period of the replaced one passes', () => until(graceOver))
  await play.expect('Her laptop comes with it', () => laptop.post('/auth/refresh'), '401')
  await play.expect('/me refuses the thief', () => thief.get('/me'), '401 invalid_token')
  await play.expect('and he cannot refresh', () => thief.post('/auth/refresh'), '401')

  await app.close()
  await close()
  await cognito.close()
  play.end()
}
