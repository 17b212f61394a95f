import type { JsonObject } from './compact-jws.js'

/** A user pool signs with two keys, and replaces them seldom: more than enough for dozens of pools. */
const MAX_HEADERS = 128

/**
 * The headers of tokens whose signature was found good, by the text that they were written in. All tokens that one
 * key has signed begin with the same text, which so needs decoding once.
 */
export class KnownHeaders {
  readonly #headers = new Map<string, JsonObject>()

  get(text: string): JsonObject | undefined {
    return this.#headers.get(text)
  }

  /** @param header frozen: it is shared by all tokens that have it */
  add(text: string, header: JsonObject): void {
    if (this.#headers.has(text)) return
    if (this.#headers.size >= MAX_HEADERS) this.#headers.clear()
    // A copy: a part of the token would keep all of it in memory.
    this.#headers.set(Buffer.from(text, 'latin1').toString('latin1'), header)
  }
}
