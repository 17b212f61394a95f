import { createHash, createHmac, hkdfSync } from 'node:crypto'
import { g, modPow, N, toBytes } from './group.js'

/**
 * SRP-6a as Cognito has it: SHA-256, and every number hashed in two's complement. Nothing says so but the
 * clients of AWS themselves, as `AuthenticationHelper` of amazon-cognito-identity-js.
 */
const k = hash(toBytes(N), toBytes(g))

/** Whose password is proved: a user of a pool, or a device of a group of devices. */
export interface SrpIdentity {
  /** The part of a user pool id after its underscore; for a device, its group's key. */
  readonly group: string
  /** The username, never an alias; for a device, its key. */
  readonly id: string
}

/** g^x: what a server keeps instead of a password. */
export function createVerifier({ group, id }: SrpIdentity, password: string, salt: bigint): bigint {
  const identityHash = createHash('sha256').update(`${group}${id}:${password}`).digest()
  return modPow(g, hash(toBytes(salt), identityHash), N)
}

/** B, the server's public value to its private b. */
export function publicValue(verifier: bigint, b: bigint): bigint {
  return (k * verifier + modPow(g, b, N)) % N
}

/** u, which ties a session key to both public values. */
export function scramble(A: bigint, B: bigint): bigint {
  return hash(toBytes(A), toBytes(B))
}

/** S as the server comes by it: (A v^u)^b. */
export function sharedSecret(A: bigint, verifier: bigint, u: bigint, b: bigint): bigint {
  return modPow(A * modPow(verifier, u, N), b, N)
}

/** The 16 bytes that a claim is signed with: HKDF (RFC 5869) of S, with u for salt. */
export function sessionKey(S: bigint, u: bigint): Buffer {
  return Buffer.from(hkdfSync('sha256', toBytes(S), toBytes(u), 'Caldera Derived Key', 16))
}

/** PASSWORD_CLAIM_SIGNATURE, in base64. */
export function signClaim(
  key: Buffer,
  { group, id }: SrpIdentity,
  secretBlock: string,
  timestamp: string,
): string {
  const signature = createHmac('sha256', key).update(group).update(id)
  return signature.update(Buffer.from(secretBlock, 'base64')).update(timestamp).digest('base64')
}

function hash(...parts: readonly Buffer[]): bigint {
  return BigInt(`0x${createHash('sha256').update(Buffer.concat(parts)).digest('hex')}`)
}
