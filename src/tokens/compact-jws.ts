import { isUtf8 } from 'node:buffer'
import { TokenMalformedError } from '../errors.js'
import { ownMember } from './own-member.js'

/** Longest token that is looked at, in characters. Cognito's stay under 8 KiB, as HTTP headers must. */
const MAX_TOKEN_LENGTH = 16_384

/** A JSON object as it came: nothing in it is known to be true before the signature is verified. */
export type JsonObject = Record<string, unknown>

/** The parts of a compact JWS (RFC 7515, section 7.1), decoded, not yet verified. */
export interface CompactJws {
  /** The header as it is written. */
  readonly headerText: string
  readonly header: JsonObject
  readonly payload: JsonObject
  /** What is signed: the first two parts and the dot between them, all ASCII. */
  readonly signingInput: string
  readonly signature: Buffer
}

/**
 * Takes a compact JWS apart, strictly: at most 16 KiB, exactly three parts, each in the one canonical
 * base64url spelling without padding (so that a token has one form only), header and payload JSON objects.
 *
 * @param known headers by their texts, which need not be decoded again
 * @throws TokenMalformedError
 */
export function parseCompactJws(
  token: unknown,
  known?: Pick<ReadonlyMap<string, JsonObject>, 'get'>,
): CompactJws {
  if (typeof token !== 'string') throw new TokenMalformedError('A token must be a string')
  if (token.length > MAX_TOKEN_LENGTH) {
    throw new TokenMalformedError(`The token is longer than ${MAX_TOKEN_LENGTH} characters`)
  }
  const headerEnd = token.indexOf('.')
  const payloadEnd = token.indexOf('.', headerEnd + 1)
  if (headerEnd < 0 || payloadEnd < 0 || token.includes('.', payloadEnd + 1)) throw shapeError(token)
  const headerText = token.slice(0, headerEnd)
  const header = known?.get(headerText) ?? parseHeader(token, headerText)
  const payload = decodeObject(token.slice(headerEnd + 1, payloadEnd), 'payload')
  const signature = decodeBytes(token.slice(payloadEnd + 1), 'signature')
  return { headerText, header, payload, signingInput: token.slice(0, payloadEnd), signature }
}

/**
 * Checks the header of a Cognito token and gives its `kid`. RS256 and nothing else: the token does not
 * choose the algorithm, and no extension of RFC 7515 (`crit`) is understood.
 *
 * @throws TokenMalformedError
 */
export function readHeader(header: JsonObject): string {
  if (ownMember(header, 'alg') !== 'RS256')
    throw new TokenMalformedError('The token is not signed with RS256')
  if ('crit' in header) throw new TokenMalformedError('The header has "crit": extensions are not supported')
  if ('b64' in header) throw new TokenMalformedError('The header has "b64": extensions are not supported')
  const kid = ownMember(header, 'kid')
  if (typeof kid !== 'string' || kid === '' || kid.length > 256) {
    throw new TokenMalformedError('The header has no usable "kid"')
  }
  return kid
}

function parseHeader(token: string, text: string): JsonObject {
  if (isPrefixed(token)) throw shapeError(token)
  return decodeObject(text, 'header')
}

function shapeError(token: string): TokenMalformedError {
  return new TokenMalformedError(
    isPrefixed(token)
      ? 'The token has the prefix "Bearer ": hand over the token alone'
      : 'The token is not a compact JWS: it must have exactly three parts',
  )
}

function isPrefixed(token: string): boolean {
  return /^bearer /i.test(token)
}

/** For JSON while it is decoded, which is over before anything else happens: no memory to get, and to give back. */
const scratch = Buffer.alloc((MAX_TOKEN_LENGTH * 3) / 4)

function decodeBytes(part: string, name: string): Buffer {
  const bytes = Buffer.from(part, 'base64url')
  assertCanonical(part, bytes, bytes.length, name)
  return bytes
}

/** What is no base64url is skipped in decoding; only a canonical spelling comes back the same. */
function assertCanonical(part: string, bytes: Buffer, length: number, name: string): void {
  if (length > 0 && bytes.toString('base64url', 0, length) === part) return
  throw new TokenMalformedError(`The token's ${name} is not canonical base64url`)
}

function decodeObject(part: string, name: string): JsonObject {
  const length = scratch.write(part, 'base64url')
  assertCanonical(part, scratch, length, name)
  const text = scratch.toString('utf8', 0, length)
  let value: unknown
  try {
    // What is not UTF-8 becomes this character; it may also be there as it is.
    const isText = !text.includes('\uFFFD') || isUtf8(scratch.subarray(0, length))
    // Before the parser, whose error takes longer to make than all else here.
    const trimmed = text.trim()
    if (isText && trimmed.startsWith('{') && trimmed.endsWith('}')) value = JSON.parse(text)
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
