import { randomFillSync } from 'node:crypto'

const [SEED_A = 0, SEED_B = 0, SEED_C = 0, SEED_D = 0] = randomFillSync(new Int32Array(4))

const HYPHEN = 45

const DIGIT_CODES = Buffer.from('0123456789abcdef')

/** A UUID as it is written down. */
const spelling = Buffer.from('xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx')
const DIGIT_PLACES = [...spelling.keys()].filter((place) => spelling[place] !== HYPHEN)

/** By ASCII code: what a lower-case hexadecimal digit is worth, or -1. */
const DIGITS = new Int8Array(128).fill(-1)
for (const [value, code] of DIGIT_CODES.entries()) DIGITS[code] = value

/**
 * Reads a UUID as four 32-bit words, without allocating. It takes the one spelling that {@link formatUuid}
 * gives back, lower case with four hyphens: any other is another id, and must stay one.
 *
 * @returns false if it is anything else; then `words` is as it was
 */
export function parseUuid(text: string, words: Int32Array): boolean {
  if (text.length !== 36) return false
  if (text.charCodeAt(8) !== HYPHEN || text.charCodeAt(13) !== HYPHEN) return false
  if (text.charCodeAt(18) !== HYPHEN || text.charCodeAt(23) !== HYPHEN) return false
  const a = fourDigits(text, 0)
  const b = fourDigits(text, 4)
  const c = fourDigits(text, 9)
  const d = fourDigits(text, 14)
  const e = fourDigits(text, 19)
  const f = fourDigits(text, 24)
  const g = fourDigits(text, 28)
  const h = fourDigits(text, 32)
  if ((a | b | c | d | e | f | g | h) < 0) return false
  words[0] = (a << 16) | b
  words[1] = (c << 16) | d
  words[2] = (e << 16) | f
  words[3] = (g << 16) | h
  return true
}

/** The four words from an index on, as a UUID. */
export function formatUuid(words: Int32Array, at = 0): string {
  let digit = 0
  for (let index = at; index < at + 4; index++) {
    const word = words[index] as number
    for (let shift = 28; shift >= 0; shift -= 4) {
      spelling[DIGIT_PLACES[digit++] as number] = DIGIT_CODES[(word >>> shift) & 15] as number
    }
  }
  return spelling.toString('latin1')
}

/**
 * A hash of 32 bits, all of which depend on all bits of a UUID: Cognito's ids are not uniformly random, they
 * share patterns. Seeded afresh in every process; two UUIDs that differ in one word only never collide.
 */
export function hashUuid(words: Int32Array): number {
  let hash = Math.imul((words[0] as number) ^ SEED_A, 0x9e3779b1)
  hash = Math.imul(hash ^ (hash >>> 15) ^ (words[1] as number) ^ SEED_B, 0x85ebca77)
  hash = Math.imul(hash ^ (hash >>> 13) ^ (words[2] as number) ^ SEED_C, 0xc2b2ae3d)
  hash = Math.imul(hash ^ (hash >>> 16) ^ (words[3] as number) ^ SEED_D, 0x27d4eb2f)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return hash ^ (hash >>> 16)
}

/** The value of four digits, or a negative number if there is anything else among them. */
function fourDigits(text: string, at: number): number {
  const a = text.charCodeAt(at)
  const b = text.charCodeAt(at + 1)
  const c = text.charCodeAt(at + 2)
  const d = text.charCodeAt(at + 3)
  if ((a | b | c | d) > 127) return -1
  return (
    ((DIGITS[a] as number) << 12) |
    ((DIGITS[b] as number) << 8) |
    ((DIGITS[c] as number) << 4) |
    (DIGITS[d] as number)
  )
}
