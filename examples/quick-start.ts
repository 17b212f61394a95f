import { MemoryRevocationStore, Revoker, TokenVerifier } from 'cognito-revocation'
import { CognitoTokenClient } from 'cognito-revocation/client'
import { revokeSessionHandler, verifyToken } from 'cognito-revocation/express'
import express from 'express'

const pool = { userPoolId: 'us-east-1_AbCdEfGhI', clientId: '1example23456789' }
const store = new MemoryRevocationStore()
const verifier = new TokenVerifier({ ...pool, tokenUse: 'access', revocation: store })
const client = new CognitoTokenClient({ ...pool, store })
const revoker = new Revoker({ store, poolId: pool.userPoolId })

const app = express()
app.get('/me', verifyToken(verifier), (req, res) => {
  res.json({ sub: req.auth?.sub })
})
// Takes { "refresh_token": "…" } and ends its session, at Cognito and in the store. Put a rate limit in front.
app.post('/logout', revokeSessionHandler(client, { revoker, observer: console.error }))
app.listen(3000)
