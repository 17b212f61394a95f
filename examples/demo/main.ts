// The product's one job, end to end, without an AWS account: sign in, verify, revoke, refused everywhere.
// `npm run demo`
import { MemoryRevocationStore, RefreshTokenRevokedError, TokenVerifier } from 'cognito-revocation'
import { CognitoTokenClient } from 'cognito-revocation/client'
import { FakeCognito } from 'cognito-revocation/testing'
import { createRemoteJWKSet, jwtVerify } from 'jose'
import { startApi } from './api.js'
import { Play, until } from './play.js'

// The SDK's notice that it will leave Node 20 in 2027 is not part of the play.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = 'true'

const play = new Play()
const username = 'jane'
const password = 'correct horse battery staple'

const cognito = await FakeCognito.start()
cognito.createUser({ username, password })
const clients = {
  'without a secret': cognito.createClient(),
  'with a secret': cognito.createClient({ generateSecret: true }),
}

// What every service of yours shares: the store. Here it lives in this process.
const store = new MemoryRevocationStore()
const pool = { userPoolId: cognito.userPoolId, issuer: cognito.issuer }
const clientId = Object.values(clients).map((client) => client.clientId)
const verifier = new TokenVerifier({ ...pool, clientId, tokenUse: null, revocation: store })
const api = await startApi(verifier)

// What most services have today: signature and claims, and nothing that knows of a revocation.
const keys = createRemoteJWKSet(new URL(cognito.jwksUri))
const joseAlone = (token = '') =>
  jwtVerify(token, keys, { issuer: cognito.issuer }).then(
    () => 'accepted',
    () => 'refused',
  )

for (const [kind, app] of Object.entries(clients)) {
  play.scene(`An app client ${kind}`)
  const client = new CognitoTokenClient({
    ...pool,
    ...app,
    store,
    endpoint: cognito.url,
    credentials: { accessKeyId: 'demo', secretAccessKey: 'demo' },
  })
  const signIn = async () => {
    const result = await client.signIn({ username, password, flow: 'ADMIN_USER_PASSWORD_AUTH' })
    if (result.status !== 'authenticated') throw new Error(`unexpected challenge ${result.challengeName}`)
    return result
  }

  const phone = await play.step('Jane signs in on her phone', signIn)
  const laptop = await play.step('Jane signs in on her laptop', signIn)
  await play.expect('the API answers her phone', () => api.get(phone.accessToken), '200')
  await play.expect('the API answers her laptop', () => api.get(laptop.accessToken), '200')
  await play.expect("jose alone, the phone's access token", () => joseAlone(phone.accessToken), 'accepted')

  await play.step('The phone is stolen: revokeRefreshToken', () => client.revokeRefreshToken(phone))
  await play.expect(
    "the gap: jose alone, the phone's access token",
    () => joseAlone(phone.accessToken),
    'accepted',
  )
  await play.expect("the gap: jose alone, the phone's ID token", () => joseAlone(phone.idToken), 'accepted')
  await play.expect(
    "the API, the phone's access token",
    () => api.get(phone.accessToken),
    '401 invalid_token',
  )
  await play.expect("the API, the phone's ID token", () => api.get(phone.idToken), '401 invalid_token')
  await play.expect('the API still answers her laptop', () => api.get(laptop.accessToken), '200')
  await play.expect(
    'the phone tries to refresh',
    () =>
      client.refresh(phone).then(
        () => 'new tokens',
        (error) =>
          error instanceof RefreshTokenRevokedError ? error.message.split(': ').at(-1) : String(error),
      ),
    'Refresh Token has been revoked',
  )

  const { cutoff } = await play.step('Security ends all her sessions: adminGlobalSignOut', () =>
    client.adminGlobalSignOut({ username }),
  )
  await play.expect("jose alone, the laptop's access token", () => joseAlone(laptop.accessToken), 'accepted')
  await play.expect(
    "the API, the laptop's access token",
    () => api.get(laptop.accessToken),
    '401 invalid_token',
  )

  await play.step('… a second passes, since tokens of the same second are refused', () => until(cutoff + 1))
  const again = await play.step('Jane signs in again', signIn)
  await play.expect('the API answers her again', () => api.get(again.accessToken), '200')
  await client.close()
}

await api.close()
await verifier.close()
await cognito.close()
play.end()
