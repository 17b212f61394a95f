export * from './errors.js'
export type { Check, CheckResult, Explanation } from './explanation.js'
export type { Observer, ObserverEvent } from './observer.js'
export { CachedRevocationStore, type CachedRevocationStoreOptions } from './revocation/cached-store.js'
export { MemoryRevocationStore, type MemoryRevocationStoreOptions } from './revocation/memory-store.js'
export { RevocationMirror } from './revocation/mirror.js'
export type { RevocationMirrorOptions } from './revocation/mirror-options.js'
export type { MirrorSnapshotEnd, MirrorSnapshotPart } from './revocation/mirror-snapshot.js'
export {
  ReplicatedRevocationStore,
  type ReplicatedRevocationStoreOptions,
} from './revocation/replicated-store.js'
export {
  assertRevocation,
  idInScope,
  isBeforeCutoff,
  mergeExtents,
  purgeableAt,
  REVOCATION_SCOPES,
  type Revocation,
  type RevocationAudit,
  type RevocationExtent,
  type RevocationMatch,
  type RevocationScope,
} from './revocation/revocation.js'
export type { LookupResult } from './revocation/revocation-lookup.js'
export type { WatchOutcome } from './revocation/revocation-watch.js'
export {
  type RevokeOptions,
  Revoker,
  type RevokerOptions,
  type RevokeUntilOptions,
} from './revocation/revoker.js'
export type { ChangeBatch, ChangesOptions, RevocationListener, RevocationStore } from './revocation/store.js'
export type {
  ClaimsOf,
  CognitoAccessTokenClaims,
  CognitoBaseClaims,
  CognitoClaims,
  CognitoIdTokenClaims,
  TokenUse,
} from './tokens/claims.js'
export type { JwksOptions } from './tokens/jwks.js'
export type { JsonWebKey, JsonWebKeySet } from './tokens/signing-key.js'
export type { TokenIdentity } from './tokens/token-identity.js'
export { TokenVerifier } from './verifier.js'
export type {
  CustomJwtCheck,
  SharedVerifierOptions,
  TokenVerifierOptions,
  UserPoolOptions,
  VerifyOptions,
} from './verifier-options.js'
