// One of the API processes of the demo: Express behind verifyToken, a mirror over HTTP, a logout route.
import type { AddressInfo } from 'node:net'
import { RevocationMirror, TokenVerifier } from 'cognito-revocation'
import { CognitoTokenClient } from 'cognito-revocation/client'
import { verifyToken } from 'cognito-revocation/express'
import { HttpRevocationStore } from 'cognito-revocation/http'
import express from 'express'

const { serviceUrl, key, cognitoUrl, userPoolId, issuer, clientId, maxStalenessMs } = JSON.parse(
  process.env.DEMO_SETTINGS ?? '{}',
)

const mirror = new RevocationMirror(new HttpRevocationStore({ url: serviceUrl, key }), { maxStalenessMs })
const verifier = new TokenVerifier({ userPoolId, issuer, clientId, tokenUse: 'access', revocation: mirror })
const client = new CognitoTokenClient({ userPoolId, issuer, clientId, store: mirror, endpoint: cognitoUrl })

const app = express().use(express.json())
app.get('/me', verifyToken(verifier), (request, response) => {
  response.json({ sub: request.auth?.sub })
})
app.post('/logout', async (request, response) => {
  await client.revokeRefreshToken({ refreshToken: request.body.refreshToken, confirmPairing: true })
  response.sendStatus(204)
})

await verifier.ready()
const server = app.listen(0, '127.0.0.1', () => {
  process.send?.((server.address() as AddressInfo).port)
})
process.once('disconnect', () => process.exit())
