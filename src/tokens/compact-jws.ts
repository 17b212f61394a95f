import { isUtf8 } from 'node:buffer'
import { TokenMalformedError } from '../errors.js'

/** Longest token that is looked at, in characters. Cognito's stay under 8 KiB, as HTTP headers must. */
const MAX_TOKEN_LENGTH = 16_384

/** A JSON object as it came: nothing in it is known to be true before the signature is verified. */
export type JsonObject = Record<string, unknown>

/** The parts of a compact JWS (RFC 7515, section 7.1), decoded, not yet verified. */
export interface CompactJws {
  readonly header: JsonObject
  readonly payload: JsonObject
  /** The bytes that are signed: the first two parts and the dot between them. */
  readonly signingInput: Buffer
  readonly signature: Buffer
}

/**
 * Takes a compact JWS apart, strictly: at most 16 KiB, exactly three parts, each in the one canonical
 * base64url spelling without padding (so that a token has one form only), header and payload JSON objects.
 *
 * @throws TokenMalformedError
 */
export function parseCompactJws(token: unknown): CompactJws {
  if (typeof token !== 'string') throw new TokenMalformedError('A token must be a string')
  if (token.length > MAX_TOKEN_LENGTH) {
    throw new TokenMalformedError(`The token is longer than ${MAX_TOKEN_LENGTH} characters`)
  }
  if (/^bearer /i.test(token)) {
    throw new TokenMalformedError('The token has the prefix "Bearer ": hand over the token alone')
  }
  const headerEnd = token.indexOf('.')
  const payloadEnd = token.indexOf('.', headerEnd + 1)
  if (headerEnd < 0 || payloadEnd < 0 || token.includes('.', payloadEnd + 1)) {
    throw new TokenMalformedError('The token is not a compact JWS: it must have exactly three parts')
  }
  const header = parseObject(decode(token.slice(0, headerEnd), 'header'), 'header')
  const payload = parseObject(decode(token.slice(headerEnd + 1, payloadEnd), 'payload'), 'payload')
  const signature = decode(token.slice(payloadEnd + 1), 'signature')
  return { header, payload, signingInput: Buffer.from(token.slice(0, payloadEnd), 'latin1'), signature }
}

/**
 * Checks the header of a Cognito token and gives its `kid`. RS256 and nothing else: the token does not
 * choose the algorithm, and no extension of RFC 7515 (`crit`) is understood.
 *
 * @throws TokenMalformedError
 */
export function readHeader(header: JsonObject): string {
  if (header.alg !== 'RS256') throw new TokenMalformedError('The token is not signed with RS256')
  if ('crit' in header) throw new TokenMalformedError('The header has "crit": extensions are not supported')
  if ('b64' in header) throw new TokenMalformedError('The header has "b64": extensions are not supported')
  const { kid } = header
  if (typeof kid !== 'string' || kid === '' || kid.length > 256) {
    throw new TokenMalformedError('The header has no usable "kid"')
  }
  return kid
}

function decode(part: string, name: string): Buffer {
  const bytes = Buffer.from(part, 'base64url')
  // Buffer skips what it does not know; only a canonical spelling comes back the same.
  if (bytes.length === 0 || bytes.toString('base64url') !== part) {
    throw new TokenMalformedError(`The token's ${name} is not canonical base64url`)
  }
  return bytes
}

function parseObject(bytes: Buffer, name: string): JsonObject {
  let value: unknown
  try {
    if (isUtf8(bytes)) value = JSON.parse(bytes.toString())
  } catch {
    // The parser's message quotes the text: it is not passed on.
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new TokenMalformedError(`The token's ${name} is not a JSON object`)
  }
  if (Object.hasOwn(value, '__proto__'))
    throw new TokenMalformedError(`The token's ${name} has a "__proto__"`)
  return value as JsonObject
}
