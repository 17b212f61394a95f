import { createHmac, randomBytes } from 'node:crypto'

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'
const stepMs = 30_000

/** A software token's secret as Cognito gives it: 32 bytes in base32 (RFC 4648), 52 characters. */
export function createTotpSecret(): string {
  const bits = Array.from(randomBytes(32), (byte) => byte.toString(2).padStart(8, '0')).join('')
  return (bits.match(/.{1,5}/g) ?? [])
    .map((five) => alphabet[Number.parseInt(five.padEnd(5, '0'), 2)])
    .join('')
}

/** The six digits of RFC 6238 that an authenticator shows: SHA-1, steps of 30 seconds. */
export function totp(secret: string, now: number): string {
  const counter = Buffer.alloc(8)
  counter.writeBigUInt64BE(BigInt(Math.floor(now / stepMs)))
  const mac = createHmac('sha1', decodeBase32(secret)).update(counter).digest()
  const code = mac.readUInt32BE((mac.at(-1) ?? 0) & 0xf) & 0x7fffffff
  return String(code % 1_000_000).padStart(6, '0')
}

/** The code of an authenticator that was taken last, by the step of its secret that it is of. */
export interface UsedTotp {
  readonly secret: string
  readonly step: number
}

/** Which step a code is of: this one, the one before or the one after; undefined if it is of none of them. */
export function findTotp(secret: string, code: string, now: number): UsedTotp | undefined {
  const shift = [-1, 0, 1].find((steps) => totp(secret, now + steps * stepMs) === code)
  return shift === undefined ? undefined : { secret, step: Math.floor(now / stepMs) + shift }
}

function decodeBase32(text: string): Buffer {
  const bits = Array.from(text, (letter) => alphabet.indexOf(letter).toString(2).padStart(5, '0')).join('')
  return Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)))
}
