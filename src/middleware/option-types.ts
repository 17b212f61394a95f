/** What the subpath of each framework says of its options, answers and verifiers. */
export type { Grants } from './grants.js'
export type { ProblemDetails } from './refusal.js'
export type { RefreshTokenCookie } from './revoke-session/refresh-token-cookie.js'
export type {
  RevokeSessionOptions,
  SessionClient,
  SessionRevoker,
} from './revoke-session/revoke-session-options.js'
export type { TokenSource } from './token-source.js'
export type {
  MandatoryTokenOptions,
  VerifiedClaims,
  Verifier,
  VerifyTokenOptions,
} from './verify-token-options.js'
