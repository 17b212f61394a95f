import { CognitoRevocationError, MemoryRevocationStore, TokenVerifier } from 'cognito-revocation'
import { CognitoTokenClient } from 'cognito-revocation/client'
import { verifyToken } from 'cognito-revocation/express'
import express, { type ErrorRequestHandler } from 'express'

const pool = { userPoolId: 'us-east-1_AbCdEfGhI', clientId: '1example23456789' }
const store = new MemoryRevocationStore()
const verifier = new TokenVerifier({ ...pool, tokenUse: 'access', revocation: store })
const client = new CognitoTokenClient({ ...pool, store })

const app = express().use(express.json())
app.get('/me', verifyToken(verifier), (req, res) => {
  res.json({ sub: req.auth?.sub })
})
app.post('/logout', (req, res, next) => {
  const { refreshToken } = req.body ?? {}
  if (!refreshToken) return void res.sendStatus(400)
  const revoking = client.revokeRefreshToken({ refreshToken, confirmPairing: true })
  revoking.then(() => res.sendStatus(204), next)
})

const answerError: ErrorRequestHandler = (error, _req, res, _next) => {
  const isOurs = error instanceof CognitoRevocationError
  console.error(isOurs ? error.message : error.name) // other messages may quote a token
  res.sendStatus(error.status ?? (isOurs ? 503 : 500)) // 503: not wholly done, so nobody is logged out yet
}
app.use(answerError)
app.listen(3000)
