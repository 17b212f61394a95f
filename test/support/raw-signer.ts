import {
  constants,
  createHmac,
  createPublicKey,
  generateKeyPair,
  type KeyObject,
  randomBytes,
  sign,
} from 'node:crypto'
import { promisify } from 'node:util'
import type { JsonWebKey, JsonWebKeySet } from '../../src/tokens/signing-key.js'

/** The time in these tests: years ahead of the real one, so that nothing passes by the machine's clock. */
export const NOW_SECONDS = 1_900_000_000

/** A clock that moves only when it is told to. */
export class TestClock {
  seconds = NOW_SECONDS
  /** Epoch milliseconds, to hand over as the option `clock`. */
  readonly now = (): number => this.seconds * 1000

  advance(seconds: number): void {
    this.seconds += seconds
  }
}

export type Claims = Readonly<Record<string, unknown>>
export type JwsText = string | Buffer | Claims

export interface RawSignerOptions {
  readonly userPoolId?: string
  readonly issuer?: string
  readonly clientId?: string
  readonly kid?: string
  readonly modulusLength?: number
}

const generateKeyPairAsync = promisify(generateKeyPair)

/** A user pool with one key that signs whatever it is given, byte for byte: tokens that no honest pool writes. */
export class RawSigner {
  readonly userPoolId: string
  readonly issuer: string
  readonly clientId: string
  readonly kid: string
  readonly #privateKey: KeyObject

  private constructor(privateKey: KeyObject, options: RawSignerOptions) {
    this.#privateKey = privateKey
    this.userPoolId = options.userPoolId ?? 'us-east-1_RawPool01'
    this.issuer = options.issuer ?? `https://cognito-idp.us-east-1.amazonaws.com/${this.userPoolId}`
    this.clientId = options.clientId ?? '1example23456789'
    this.kid = options.kid ?? randomBytes(32).toString('base64')
  }

  static async create(options: RawSignerOptions = {}): Promise<RawSigner> {
    const { privateKey } = await generateKeyPairAsync('rsa', { modulusLength: options.modulusLength ?? 2048 })
    return new RawSigner(privateKey, options)
  }

  get publicKey(): KeyObject {
    return createPublicKey(this.#privateKey)
  }

  get jwk(): JsonWebKey {
    const { n = '', e = '' } = this.publicKey.export({ format: 'jwk' })
    return { kty: 'RSA', n, e, kid: this.kid, alg: 'RS256', use: 'sig' }
  }

  /** The whole key, as a careless pool would publish it. */
  get privateJwk(): JsonWebKey & { readonly d?: string | undefined } {
    return { ...this.jwk, ...this.#privateKey.export({ format: 'jwk' }) }
  }

  get jwks(): JsonWebKeySet {
    return { keys: [this.jwk] }
  }

  get header(): { kid: string; alg: string } {
    return { kid: this.kid, alg: 'RS256' }
  }

  /** The claims of an access token; undefined leaves one out. */
  accessClaims(overrides: Claims = {}): Record<string, unknown> {
    return {
      ...this.#claims(),
      token_use: 'access',
      client_id: this.clientId,
      scope: 'aws.cognito.signin.user.admin',
      username: 'jane',
      ...overrides,
    }
  }

  /** The claims of an ID token; undefined leaves one out. */
  idClaims(overrides: Claims = {}): Record<string, unknown> {
    return {
      ...this.#claims(),
      token_use: 'id',
      aud: this.clientId,
      'cognito:username': 'jane',
      ...overrides,
    }
  }

  /** The claims of a machine's token (client_credentials). */
  machineClaims(overrides: Claims = {}): Record<string, unknown> {
    return this.accessClaims({
      sub: this.clientId,
      username: undefined,
      origin_jti: undefined,
      scope: 'orders/read',
      ...overrides,
    })
  }

  accessToken(overrides: Claims = {}, header: Claims = {}): string {
    return this.sign({ ...this.header, ...header }, this.accessClaims(overrides))
  }

  idToken(overrides: Claims = {}, header: Claims = {}): string {
    return this.sign({ ...this.header, ...header }, this.idClaims(overrides))
  }

  machineToken(overrides: Claims = {}): string {
    return this.sign(this.header, this.machineClaims(overrides))
  }

  /** Signs a header and a payload as they are: objects as JSON, strings and bytes untouched. */
  sign(header: JwsText, payload: JwsText, algorithm = 'RS256'): string {
    return this.signParts(encode(header), encode(payload), algorithm)
  }

  /** Signs two parts that are encoded already, in whatever spelling. */
  signParts(header: string, payload: string, algorithm = 'RS256'): string {
    const input = `${header}.${payload}`
    return `${input}.${this.signature(Buffer.from(input), algorithm).toString('base64url')}`
  }

  signature(input: Buffer, algorithm: string): Buffer {
    const hash = `RSA-SHA${algorithm.slice(2)}`
    if (algorithm.startsWith('RS')) return sign(hash, input, this.#privateKey)
    const pss = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST }
    return sign(hash, input, { key: this.#privateKey, ...pss })
  }

  #claims(): Record<string, unknown> {
    return {
      sub: 'aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee',
      iss: this.issuer,
      origin_jti: '11111111-2222-4333-8444-555555555555',
      jti: 'ffffffff-0000-4111-8222-333333333333',
      auth_time: NOW_SECONDS - 100,
      iat: NOW_SECONDS - 60,
      exp: NOW_SECONDS + 3540,
    }
  }
}

/** A token that is "signed" with a shared secret, as in the confusion of RS256 with HS256. */
export function signWithHmac(header: JwsText, payload: JwsText, secret: string | Buffer): string {
  const input = `${encode(header)}.${encode(payload)}`
  return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`
}

export function encode(text: JwsText): string {
  const bytes = typeof text === 'string' || Buffer.isBuffer(text) ? text : JSON.stringify(text)
  return Buffer.from(bytes as string).toString('base64url')
}

/** The three parts of a token. */
export function partsOf(token: string): [header: string, payload: string, signature: string] {
  const [header = '', payload = '', signature = ''] = token.split('.')
  return [header, payload, signature]
}
