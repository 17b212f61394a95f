import { createCipheriv } from 'node:crypto'

const ID_LENGTH = 36
const DIGITS = Buffer.from('0123456789abcdef')
/** Where in a UUID each of its bytes is written. */
const PLACES = [0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34]

// No secret is kept by it: it makes numbers look like chance, and the same in every process.
const cipher = createCipheriv('aes-128-ecb', Buffer.alloc(16, 'growth'), null).setAutoPadding(false)

/**
 * UUIDs by their numbers: ten million that nobody has to keep, so that they take no part in what is measured.
 * Every string is one that nobody has seen before, as those that come out of a token's payload.
 */
export function idsOf(numbers: readonly number[]): string[] {
  const blocks = Buffer.alloc(numbers.length * 16)
  for (const [index, number] of numbers.entries()) blocks.writeDoubleLE(number, index * 16)
  const bytes = cipher.update(blocks)
  const texts = Buffer.alloc(numbers.length * ID_LENGTH, '-')
  return numbers.map((_, index) => {
    const block = index * 16
    bytes[block + 6] = ((bytes[block + 6] as number) & 0x0f) | 0x40
    bytes[block + 8] = ((bytes[block + 8] as number) & 0x3f) | 0x80
    const start = index * ID_LENGTH
    for (let offset = 0; offset < 16; offset++) {
      const byte = bytes[block + offset] as number
      const place = start + (PLACES[offset] as number)
      texts[place] = DIGITS[byte >> 4] as number
      texts[place + 1] = DIGITS[byte & 0xf] as number
    }
    return texts.toString('latin1', start, start + ID_LENGTH)
  })
}
