import { generateKeyPair, type KeyObject, randomBytes, randomUUID, sign } from 'node:crypto'
import { promisify } from 'node:util'

/** A public key as a user pool publishes it in its JWKS. */
export interface PublicJwk {
  readonly kty: 'RSA'
  readonly n: string
  readonly e: string
  readonly kid: string
  readonly alg: 'RS256'
  readonly use: 'sig'
}

/** What {@link TokenMinter.create} takes. */
export interface TokenMinterOptions {
  /** Default `us-east-1_FakePool1`. Its part before the underscore is the region. */
  readonly userPoolId?: string
  /** The app client that tokens are for. Default `1example23456789`. */
  readonly clientId?: string
  /** Default `https://cognito-idp.<region>.amazonaws.com/<userPoolId>`. */
  readonly issuer?: string
  /** Epoch milliseconds; governs `iat`, `auth_time` and `exp`. Default `Date.now`. */
  readonly clock?: () => number
}

/** What {@link TokenMinter.sign} takes beside the payload. */
export interface SignOptions {
  /** Which of the two keys signs. Default: `id` for a payload with `token_use: 'id'`, else `access`. */
  readonly use?: 'access' | 'id'
  /** Laid over `{ kid, alg: 'RS256' }`; undefined removes a field. The signature stays RS256 whatever it says. */
  readonly header?: Readonly<Record<string, unknown>>
}

interface SigningKey {
  readonly privateKey: KeyObject
  readonly publicJwk: PublicJwk
}

const generateKeyPairAsync = promisify(generateKeyPair)

/** One hour, Cognito's default for access and ID tokens. */
const validitySeconds = 3600

/**
 * Mints access and ID tokens that look like Amazon Cognito's, signed with keys of its own that are made
 * afresh each time, so that none of its tokens is worth anything outside the test that made it.
 *
 * @example
 * ```ts
 * import { TokenMinter } from 'cognito-revocation/testing'
 *
 * const minter = await TokenMinter.create({ userPoolId: 'us-east-1_AbCdEfGhI' })
 * const token = minter.accessToken({ 'cognito:groups': ['admin'], origin_jti: undefined })
 * const keys = minter.jwks // serve this where the verifier looks for the pool's keys
 * ```
 */
export class TokenMinter {
  readonly userPoolId: string
  readonly clientId: string
  /** The `iss` of tokens minted from now on. */
  issuer: string

  readonly #clock: () => number
  /** Shared by all that sign for one pool. */
  readonly #keys: { access: SigningKey; id: SigningKey }

  private constructor(options: Required<TokenMinterOptions>, keys: { access: SigningKey; id: SigningKey }) {
    this.userPoolId = options.userPoolId
    this.clientId = options.clientId
    this.issuer = options.issuer
    this.#clock = options.clock
    this.#keys = keys
  }

  /** Makes two RSA-2048 keys, as a user pool has them: one for access tokens, one for ID tokens. */
  static async create(options: TokenMinterOptions = {}): Promise<TokenMinter> {
    const userPoolId = options.userPoolId ?? 'us-east-1_FakePool1'
    const settings = {
      userPoolId,
      clientId: options.clientId ?? '1example23456789',
      issuer: options.issuer ?? `https://cognito-idp.${regionOf(userPoolId)}.amazonaws.com/${userPoolId}`,
      clock: options.clock ?? Date.now,
    }
    return new TokenMinter(settings, await createSigningKeys())
  }

  /** Mints with the same keys, now and after they were rotated, under another issuer. */
  withIssuer(issuer: string): TokenMinter {
    const { userPoolId, clientId } = this
    return new TokenMinter({ userPoolId, clientId, issuer, clock: this.#clock }, this.#keys)
  }

  /** The public keys, in the form of a JWKS. */
  get jwks(): { keys: PublicJwk[] } {
    return { keys: [{ ...this.#keys.access.publicJwk }, { ...this.#keys.id.publicJwk }] }
  }

  /**
   * An access token with the claims that Cognito gives after a sign-in through its API.
   *
   * @param claims laid over the usual claims; a claim that is undefined is left out of the token. `exp` and
   * `auth_time` follow an `iat` that is given here.
   */
  accessToken(claims: Readonly<Record<string, unknown>> = {}): string {
    return this.sign(
      {
        ...this.#commonClaims(claims.iat),
        version: 2,
        client_id: this.clientId,
        token_use: 'access',
        scope: 'aws.cognito.signin.user.admin',
        username: 'my-test-user',
        ...claims,
      },
      { use: 'access' },
    )
  }

  /**
   * An ID token with the claims that Cognito gives after a sign-in through its API.
   *
   * @param claims laid over the usual claims; a claim that is undefined is left out of the token. `exp` and
   * `auth_time` follow an `iat` that is given here.
   */
  idToken(claims: Readonly<Record<string, unknown>> = {}): string {
    return this.sign(
      {
        ...this.#commonClaims(claims.iat),
        aud: this.clientId,
        token_use: 'id',
        'cognito:username': 'my-test-user',
        email: 'my-test-user@example.com',
        email_verified: true,
        ...claims,
      },
      { use: 'id' },
    )
  }

  /** Signs just what it is given: for hostile tokens, or for those of another kind. */
  sign(payload: Readonly<Record<string, unknown>>, options: SignOptions = {}): string {
    const use = options.use ?? (payload.token_use === 'id' ? 'id' : 'access')
    const key = this.#keys[use]
    const header = { kid: key.publicJwk.kid, alg: 'RS256', ...options.header }
    const input = `${encodeJson(header)}.${encodeJson(payload)}`
    return `${input}.${sign('RSA-SHA256', Buffer.from(input), key.privateKey).toString('base64url')}`
  }

  /** Makes two new keys. The old ones leave the JWKS at once, with every token that they signed. */
  async rotateKeys(): Promise<void> {
    Object.assign(this.#keys, await createSigningKeys())
  }

  #commonClaims(iat: unknown): Record<string, unknown> {
    const issuedAt = typeof iat === 'number' ? iat : Math.floor(this.#clock() / 1000)
    return {
      sub: 'aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee',
      iss: this.issuer,
      origin_jti: randomUUID(),
      event_id: randomUUID(),
      auth_time: issuedAt,
      iat: issuedAt,
      exp: issuedAt + validitySeconds,
      jti: randomUUID(),
    }
  }
}

/** The region that a user pool id names: `us-east-1` of `us-east-1_AbCdEfGhI`. */
export function regionOf(userPoolId: string): string {
  const region = /^([a-z]{2,}(?:-[a-z]+)+-\d)_[0-9a-zA-Z]+$/.exec(userPoolId)?.[1]
  if (region === undefined) {
    throw new TypeError(`userPoolId must look like us-east-1_AbCdEfGhI, but is ${JSON.stringify(userPoolId)}`)
  }
  return region
}

async function createSigningKeys(): Promise<{ access: SigningKey; id: SigningKey }> {
  const [access, id] = await Promise.all([createSigningKey(), createSigningKey()])
  return { access, id }
}

async function createSigningKey(): Promise<SigningKey> {
  const { privateKey, publicKey } = await generateKeyPairAsync('rsa', { modulusLength: 2048 })
  const { n, e } = publicKey.export({ format: 'jwk' })
  if (n === undefined || e === undefined) throw new Error('the RSA key could not be exported')
  // Cognito's key ids are 32 bytes in plain base64: with `+`, `/` and `=`, on which careless code stumbles.
  const kid = randomBytes(32).toString('base64')
  return { privateKey, publicJwk: { kty: 'RSA', n, e, kid, alg: 'RS256', use: 'sig' } }
}

function encodeJson(value: Readonly<Record<string, unknown>>): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}
