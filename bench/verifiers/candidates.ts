import { createPublicKey } from 'node:crypto'
import { CognitoJwtVerifier } from 'aws-jwt-verify'
import { createVerifier } from 'fast-jwt'
import { createLocalJWKSet, jwtVerify } from 'jose'
import jsonwebtoken from 'jsonwebtoken'
import type { RevocationStore } from '../../src/revocation/store.js'
import type { TokenMinter } from '../../src/testing/token-minter.js'
import { TokenVerifier } from '../../src/verifier.js'
import type { SharedVerifierOptions, UserPoolOptions } from '../../src/verifier-options.js'
import { pool } from './tokens.js'

/** The claims that every verifier of Cognito's tokens has to find. */
const REQUIRED_CLAIMS = ['sub', 'iss', 'exp', 'iat', 'client_id', 'token_use', 'jti', 'origin_jti']

/** What a verifier knows of who issues the tokens. */
export type PublicKeys = Pick<TokenMinter, 'issuer' | 'jwks'>

/** Verifies a token, or throws. */
export type VerifySync = (token: string) => unknown
/** The same, later. */
export type Verify = (token: string) => Promise<unknown>

/** This library. What it remembers, it forgets with the verifier: a new one for every round of new tokens. */
export function createOurs(
  minter: PublicKeys,
  revocation: RevocationStore | false,
  options: Pick<UserPoolOptions, 'jwksUri'> & Pick<SharedVerifierOptions, 'jwks'> = {},
): TokenVerifier<'access'> {
  const verifier = new TokenVerifier({ ...options, ...pool, tokenUse: 'access', revocation })
  verifier.cacheJwks(minter.jwks)
  return verifier
}

/** aws-jwt-verify, as its readme has it; its keys are at hand. */
export function createAwsJwtVerify(minter: PublicKeys): { verifySync: VerifySync; verify: Verify } {
  const { userPoolId, clientId } = pool
  const verifier = CognitoJwtVerifier.create({ userPoolId, clientId, tokenUse: 'access' })
  verifier.cacheJwks({ keys: minter.jwks.keys.map((key) => ({ ...key })) })
  return {
    verifySync: (token) => verifier.verifySync(token),
    verify: (token) => verifier.verify(token),
  }
}

/** fast-jwt with the issuer and the required claims set; with its cache of so many tokens, as by default, or without. */
export function createFastJwt(minter: PublicKeys, { cache }: { cache: boolean | number }): VerifySync {
  const verify = createVerifier({
    key: publicKeyOf(minter).export({ type: 'spki', format: 'pem' }).toString(),
    algorithms: ['RS256'],
    allowedIss: minter.issuer,
    requiredClaims: REQUIRED_CLAIMS,
    cache,
  })
  return (token) => verify(token)
}

export function createJsonWebToken(minter: PublicKeys): VerifySync {
  const key = publicKeyOf(minter)
  return (token) => jsonwebtoken.verify(token, key, { algorithms: ['RS256'], issuer: minter.issuer })
}

export function createJose(minter: PublicKeys): Verify {
  const keys = createLocalJWKSet(minter.jwks)
  const options = { issuer: minter.issuer, algorithms: ['RS256'], requiredClaims: REQUIRED_CLAIMS }
  return (token) => jwtVerify(token, keys, options)
}

/** The key that access tokens are signed with. */
export function publicKeyOf(minter: PublicKeys) {
  return createPublicKey({ key: { ...minter.jwks.keys[0] }, format: 'jwk' })
}
