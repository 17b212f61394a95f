import { MemoryRevocationStore, TokenVerifier } from 'cognito-revocation'
import { CognitoTokenClient } from 'cognito-revocation/client'
import { verifyToken } from 'cognito-revocation/express'
import express from 'express'

const pool = { userPoolId: 'us-east-1_AbCdEfGhI', clientId: '1example23456789' }
const store = new MemoryRevocationStore()
const verifier = new TokenVerifier({ ...pool, tokenUse: 'access', revocation: store })
const client = new CognitoTokenClient({ ...pool, store })

const app = express().use(express.json())
app.get('/me', verifyToken(verifier), (req, res) => {
  res.json({ sub: req.auth?.sub })
})
app.post('/logout', async (req, res) => {
  await client.revokeRefreshToken({ refreshToken: req.body.refreshToken, confirmPairing: true })
  res.sendStatus(204)
})
app.listen(3000)
