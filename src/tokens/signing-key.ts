import { createPublicKey, type KeyObject } from 'node:crypto'

const MIN_MODULUS_BITS = 2048

/** A JSON Web Key (RFC 7517) as an issuer publishes it. */
export interface JsonWebKey {
  readonly kty?: string
  readonly kid?: string
  readonly alg?: string
  readonly use?: string
  readonly key_ops?: readonly string[]
  readonly n?: string
  readonly e?: string
}

/** A JSON Web Key Set (RFC 7517, section 5). */
export interface JsonWebKeySet {
  readonly keys: readonly JsonWebKey[]
}

/** A key that verifies signatures. One object as long as the key stays in the JWKS: identity means trust. */
export interface SigningKey {
  readonly kid: string
  readonly jwk: JsonWebKey
  readonly keyObject: KeyObject
}

/** The usable keys of a JWKS by kid, and what was left out, with the reason. */
export interface ImportedKeys {
  readonly keys: Map<string, SigningKey>
  readonly ignored: readonly { readonly kid: string | undefined; readonly reason: string }[]
}

/**
 * Imports the keys that can have signed a Cognito token: RSA of 2048 bits or more, for RS256 signatures.
 * A key that is there already, with the same material, keeps its object.
 *
 * @throws TypeError if this is no JWKS
 */
export function importSigningKeys(jwks: JsonWebKeySet, known: ReadonlyMap<string, SigningKey>): ImportedKeys {
  const list: unknown = jwks?.keys
  if (!Array.isArray(list)) throw new TypeError('A JWKS must be an object with an array "keys"')
  const keys = new Map<string, SigningKey>()
  const ignored: { kid: string | undefined; reason: string }[] = []
  for (const jwk of list) {
    const key = importKey(jwk, known)
    if (typeof key === 'string')
      ignored.push({ kid: typeof jwk?.kid === 'string' ? jwk.kid : undefined, reason: key })
    else if (keys.has(key.kid)) ignored.push({ kid: key.kid, reason: 'its kid is there twice' })
    else keys.set(key.kid, key)
  }
  return { keys, ignored }
}

/** The key, or the reason why it is not used. */
function importKey(jwk: JsonWebKey | null, known: ReadonlyMap<string, SigningKey>): SigningKey | string {
  const { kid, kty, n, e, use, alg, key_ops: operations } = jwk ?? {}
  if (typeof kid !== 'string' || kid === '') return 'it has no kid'
  if (kty !== 'RSA' || typeof n !== 'string' || typeof e !== 'string') return 'it is not an RSA public key'
  if (use !== undefined && use !== 'sig') return 'its use is not "sig"'
  if (operations !== undefined && !(Array.isArray(operations) && operations.includes('verify')))
    return 'its key_ops lack "verify"'
  if (alg !== undefined && alg !== 'RS256') return 'its alg is not "RS256"'
  const previous = known.get(kid)
  if (previous?.jwk.n === n && previous.jwk.e === e) return previous
  try {
    const keyObject = createPublicKey({ key: { kty, n, e }, format: 'jwk' })
    const bits = keyObject.asymmetricKeyDetails?.modulusLength ?? 0
    if (bits < MIN_MODULUS_BITS) return `its modulus has ${bits} bits, under ${MIN_MODULUS_BITS}`
    return { kid, jwk: Object.freeze({ kty, n, e, kid, alg: 'RS256', use: 'sig' }), keyObject }
  } catch {
    return 'it cannot be imported'
  }
}
