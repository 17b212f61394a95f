import { createPublicKey, verify } from 'node:crypto'
import { notAuthorized, userDisabled, userNotFound } from './exceptions.js'
import type { Pool } from './pool.js'
import type { User } from './users.js'

/** Which scope lets a user act on his own account through Cognito's API. */
const selfServiceScope = 'aws.cognito.signin.user.admin'

type Json = Readonly<Record<string, unknown>>

/** The user whom an access token lets in at Cognito's own operations, which do look at revocation. */
export function authorizeUser(pool: Pool, accessToken: string): User {
  return authorizeFor(pool, accessToken, selfServiceScope)
}

/** The same for a scope of one's choice. */
export function authorizeFor(pool: Pool, accessToken: string, scope: string): User {
  const claims = openAccessToken(pool, accessToken)
  if (typeof claims.exp !== 'number' || claims.exp * 1000 <= pool.clock.now()) {
    throw notAuthorized('Access Token has expired')
  }
  const user = pool.users.findBySub(String(claims.sub))
  if (isRevoked(pool, claims, user)) throw notAuthorized('Access Token has been revoked')
  if (!String(claims.scope).split(' ').includes(scope)) {
    throw notAuthorized('Access Token does not have required scopes')
  }
  if (user === undefined) throw userNotFound()
  if (!user.enabled) throw userDisabled()
  return user
}

function isRevoked(pool: Pool, claims: Json, user: User | undefined): boolean {
  const session = typeof claims.origin_jti === 'string' ? pool.sessions.find(claims.origin_jti) : undefined
  if (session !== undefined) return pool.sessions.isRevoked(session)
  // Without a mark of its session only its time is left to go by, and that counts whole seconds: a token of
  // the second of the sign-out counts as one from before it.
  const signedOutAtMs = user && pool.sessions.signedOutAtMs(user)
  if (signedOutAtMs === undefined) return false
  return typeof claims.iat !== 'number' || claims.iat <= Math.floor(signedOutAtMs / 1000)
}

function openAccessToken(pool: Pool, token: string): Json {
  const invalid = notAuthorized('Invalid Access Token')
  const parts = token.split('.')
  const [header, payload, signature] = parts.map(decodePart)
  if (parts.length !== 3 || !header || !payload || !signature) throw invalid
  const { kid, alg } = parseObject(header) ?? {}
  const jwk = pool.minter.jwks.keys.find((key) => key.kid === kid)
  if (alg !== 'RS256' || jwk === undefined) throw invalid
  const key = createPublicKey({ key: { ...jwk }, format: 'jwk' })
  if (!verify('RSA-SHA256', Buffer.from(`${parts[0]}.${parts[1]}`), key, signature)) throw invalid
  const claims = parseObject(payload)
  const issuers: readonly unknown[] = [pool.minter.issuer, ...Object.values(pool.issuers)]
  if (!issuers.includes(claims?.iss) || claims?.token_use !== 'access') throw invalid
  return claims
}

/** The bytes of a part, or undefined if it isn't spelled in the one canonical way. */
function decodePart(part: string): Buffer | undefined {
  const bytes = Buffer.from(part, 'base64url')
  return bytes.toString('base64url') === part ? bytes : undefined
}

function parseObject(bytes: Buffer): Json | undefined {
  try {
    const value: unknown = JSON.parse(bytes.toString())
    return typeof value === 'object' && value !== null ? (value as Json) : undefined
  } catch {
    return undefined
  }
}
