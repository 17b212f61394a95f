import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from 'jose'
import type { JsonWebKeySet } from '../../src/tokens/signing-key.js'
import { NOW_SECONDS } from './raw-signer.js'

export interface Oracle {
  /** Whether jose alone accepts the token. */
  accepts(token: string, clockTolerance?: number): Promise<boolean>
}

/** jose, as somebody would use it who verifies Cognito's tokens with nothing else. */
export function createOracle(jwks: JsonWebKeySet, issuer: string): Oracle {
  const keys = createLocalJWKSet(jwks as JSONWebKeySet)
  const currentDate = new Date(NOW_SECONDS * 1000)
  return {
    async accepts(token, clockTolerance = 0) {
      try {
        await jwtVerify(token, keys, { issuer, algorithms: ['RS256'], currentDate, clockTolerance })
        return true
      } catch {
        return false
      }
    },
  }
}
