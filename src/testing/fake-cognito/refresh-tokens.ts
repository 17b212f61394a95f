import { randomUUID } from 'node:crypto'
import { CompactEncrypt, type CryptoKey, compactDecrypt, generateKeyPair } from 'jose'
import type { Session } from './sessions.js'

/** A refresh token that was given out. */
export interface RefreshToken {
  readonly token: string
  readonly session: Session
  /** When rotation first replaced it. */
  replacedAtMs?: number
  /** Whether it was revoked by itself, without its session. */
  isRevoked?: boolean
}

/**
 * The refresh tokens of a pool: JWEs that only the pool itself can open, so that nothing can be read from
 * them, `origin_jti` least of all.
 */
export class RefreshTokens {
  readonly #tokens = new Map<string, RefreshToken>()
  readonly #publicKey: CryptoKey
  readonly #privateKey: CryptoKey

  private constructor(publicKey: CryptoKey, privateKey: CryptoKey) {
    this.#publicKey = publicKey
    this.#privateKey = privateKey
  }

  static async create(): Promise<RefreshTokens> {
    const { publicKey, privateKey } = await generateKeyPair('RSA-OAEP', { modulusLength: 2048 })
    return new RefreshTokens(publicKey, privateKey)
  }

  async issue(session: Session): Promise<string> {
    const id = randomUUID()
    const content = { jti: id, sub: session.user.sub, client_id: session.clientId, token_use: 'refresh' }
    const token = await new CompactEncrypt(Buffer.from(JSON.stringify(content)))
      .setProtectedHeader({ cty: 'JWT', enc: 'A256GCM', alg: 'RSA-OAEP' })
      .encrypt(this.#publicKey)
    this.#tokens.set(id, { token, session })
    return token
  }

  /** The refresh token, or undefined for anything that this pool did not give out. */
  async open(token: string): Promise<RefreshToken | undefined> {
    try {
      const { plaintext } = await compactDecrypt(token, this.#privateKey, {
        keyManagementAlgorithms: ['RSA-OAEP'],
        contentEncryptionAlgorithms: ['A256GCM'],
      })
      const found = this.#tokens.get(JSON.parse(Buffer.from(plaintext).toString()).jti)
      // The last character of a JWE's tag has idle bits: another spelling opens too, but was never given out.
      return found?.token === token ? found : undefined
    } catch {
      return undefined
    }
  }
}
