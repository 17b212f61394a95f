import { setTimeout } from 'node:timers/promises'
import { TokenVerifier } from 'cognito-revocation'
import { createLambdaAuthorizer } from 'cognito-revocation/lambda'
import { pool, store } from './settings.js'

const verifier = new TokenVerifier({
  ...pool,
  tokenUse: 'access',
  revocation: store,
  revocationTimeoutMs: 2_000, // the first request after a cold start opens a connection, too
})
// In the init phase, so that the first request finds the keys. Where it fails, or takes longer, that request goes on
// with it; Lambda gives the whole phase 10 s.
await Promise.race([verifier.ready(), setTimeout(2_500)]).catch((error: Error) =>
  console.error(error.message),
)

/** Lets in whose access token is good and not revoked: for the REST API (TOKEN) and the HTTP API (2.0, simple). */
export const handler = createLambdaAuthorizer(verifier)
