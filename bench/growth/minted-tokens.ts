import { generateKeyPair, randomBytes, randomUUID, sign } from 'node:crypto'
import { promisify } from 'node:util'
import type { PublicKeys } from '../verifiers/candidates.js'
import { claimsOfSomebody, createMinter, Tokens } from '../verifiers/tokens.js'

/** So many signatures are asked for at once, of a pool of a few threads. */
const AT_ONCE = 256

const generateKeyPairAsync = promisify(generateKeyPair)
const signAsync = promisify(sign)

export interface Minted {
  readonly issuer: PublicKeys
  readonly tokens: Tokens
}

/** Access tokens as `mintTokens` gives, by the ten thousand: signed on all cores, with a key of their own. */
export async function mintMany(count: number): Promise<Minted> {
  const minter = await createMinter()
  const { privateKey, publicKey } = await generateKeyPairAsync('rsa', { modulusLength: 2048 })
  const { n, e } = publicKey.export({ format: 'jwk' })
  if (n === undefined || e === undefined) throw new Error('the RSA key could not be exported')
  const kid = randomBytes(32).toString('base64')
  const header = encodeJson({ kid, alg: 'RS256' })
  const [, template = ''] = minter.accessToken().split('.')
  const usualClaims: Record<string, unknown> = JSON.parse(Buffer.from(template, 'base64url').toString())

  const mint = async () => {
    const ids = { origin_jti: randomUUID(), event_id: randomUUID(), jti: randomUUID() }
    const input = `${header}.${encodeJson({ ...usualClaims, ...ids, ...claimsOfSomebody() })}`
    const signature = await signAsync('RSA-SHA256', Buffer.from(input), privateKey)
    return `${input}.${signature.toString('base64url')}`
  }
  const tokens: string[] = []
  while (tokens.length < count) {
    const length = Math.min(AT_ONCE, count - tokens.length)
    tokens.push(...(await Promise.all(Array.from({ length }, mint))))
  }
  const jwks = { keys: [{ kty: 'RSA' as const, n, e, kid, alg: 'RS256' as const, use: 'sig' as const }] }
  return { issuer: { issuer: minter.issuer, jwks }, tokens: new Tokens(tokens) }
}

function encodeJson(value: Readonly<Record<string, unknown>>): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}
