import type { AddressInfo } from 'node:net'
import type { TokenVerifier } from 'cognito-revocation'
import { verifyToken } from 'cognito-revocation/express'
import express from 'express'

/** A small API behind `verifyToken`, over real HTTP, and a way to call it. */
export async function startApi(verifier: TokenVerifier) {
  const app = express()
  app.get('/me', verifyToken(verifier), (request, response) => {
    response.json({ sub: request.auth?.sub })
  })
  const server = app.listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/me`

  return {
    /** The status of the answer, with OAuth's error code if it is a refusal. */
    async get(token: string): Promise<string> {
      const response = await fetch(url, { headers: { authorization: `Bearer ${token}` } })
      const { error } = (await response.json()) as { error?: string }
      return [response.status, error].filter(Boolean).join(' ')
    },
    close: () =>
      new Promise((resolve) => {
        server.close(resolve)
        server.closeAllConnections()
      }),
  }
}
