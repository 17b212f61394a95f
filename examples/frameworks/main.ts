// The same small program on each framework, and the same short story against each, without an AWS account:
// `npm run demo:frameworks`, or some of them: `npm run demo:frameworks -- hono nestjs`
import { MemoryRevocationStore, Revoker, TokenVerifier } from 'cognito-revocation'
import { CognitoTokenClient } from 'cognito-revocation/client'
import { FakeCognito } from 'cognito-revocation/testing'
import { Play } from '../demo/play.js'
import { PROGRAMS } from './programs.js'
import { Visitor } from './visitor.js'

// The SDK's notice that it will leave Node 20 in 2027 is not part of the play.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = 'true'

const wanted = process.argv.slice(2)
const unknown = wanted.filter((name) => !Object.hasOwn(PROGRAMS, name))
if (unknown.length > 0) {
  console.error(`No program is called ${unknown.join(', ')}: there are ${Object.keys(PROGRAMS).join(', ')}.`)
  process.exit(1)
}

const play = new Play()
const password = 'correct horse battery staple'
const cognito = await FakeCognito.start()
cognito.createUser({ username: 'jane', password, groups: ['sales'] })
cognito.createUser({ username: 'joe', password })
const pool = { userPoolId: cognito.userPoolId, issuer: cognito.issuer, ...cognito.createClient() }
const store = new MemoryRevocationStore()
const client = new CognitoTokenClient({ ...pool, store, endpoint: cognito.url })
const revoker = new Revoker({ store, poolId: cognito.userPoolId })
const verifier = new TokenVerifier({ ...pool, tokenUse: 'access', revocation: store })

const signIn = async (username: string) => {
  const result = await client.signIn({ username, password })
  if (result.status !== 'authenticated') throw new Error(`unexpected challenge ${result.challengeName}`)
  return result
}

for (const [name, load] of Object.entries(PROGRAMS)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue
  play.scene(name)
  const { start } = await load()
  const { url, close } = await play.step('It starts', () => start({ verifier, client, revoker, port: 0 }))
  const [jane, joe] = [new Visitor(url, await signIn('jane')), new Visitor(url, await signIn('joe'))]
  const nobody = new Visitor(url)
  await play.expect('/health, without a token', () => nobody.get('/health'), '200')
  await play.expect('/me, without a token', () => nobody.get('/me'), '401')
  await play.expect('/me, Jane', () => jane.get('/me'), '200')
  await play.expect('/orders, Jane, who is in sales', () => jane.get('/orders'), '200')
  await play.expect('/orders, Joe, who is not', () => joe.get('/orders'), '403 insufficient_scope')
  await play.expect('Jane logs out', () => jane.logOut(), '204')
  await play.expect('/me, with her access token', () => jane.get('/me'), '401 invalid_token')
  await play.expect('/me, Joe', () => joe.get('/me'), '200')
  await play.step('It stops', close)
}

await client.close()
await verifier.close()
await cognito.close()
play.end()
