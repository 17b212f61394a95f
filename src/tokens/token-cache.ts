/** How many tokens that were used since they were looked at last are passed over, at most, to find one that was not. */
const MAX_PASSED_OVER = 8

/** A token, and what is known of it. */
interface Remembered<Entry> {
  readonly entry: Entry
  /** Since it was last looked at, to make room. */
  isUsed: boolean
}

/**
 * Remembers tokens whose signature and claims were found good, so that a token seen again costs a look-up.
 * Whether its key is still trusted, whether it has expired and whether it is revoked is asked every time.
 *
 * Room is made by the clock algorithm: whichever was not used for longest, more or less. To put each token that is used
 * in front of all others, as an LRU cache does, would take longer than to find it.
 */
export class TokenCache<Entry extends { readonly token: string }> {
  readonly #max: number
  /** By a few bits of the signature; from the one that was looked at longest ago. */
  readonly #entries = new Map<number, Remembered<Entry>>()

  /** @param max how many tokens are kept; 0 keeps none */
  constructor(max: number) {
    this.#max = max
  }

  get(token: string): Entry | undefined {
    const found = this.#entries.get(keyOf(token))
    // The whole token: the key is but a hint.
    if (found === undefined || found.entry.token !== token) return undefined
    found.isUsed = true
    return found.entry
  }

  set(entry: Entry): void {
    if (this.#max === 0) return
    const key = keyOf(entry.token)
    if (this.#entries.size >= this.#max && !this.#entries.has(key)) this.#makeRoom()
    this.#entries.set(key, { entry, isUsed: false })
  }

  delete(entry: Entry): void {
    const key = keyOf(entry.token)
    if (this.#entries.get(key)?.entry === entry) this.#entries.delete(key)
  }

  #makeRoom(): void {
    let passedOver = 0
    for (const [key, remembered] of this.#entries) {
      this.#entries.delete(key)
      if (!remembered.isUsed || passedOver++ === MAX_PASSED_OVER) return
      remembered.isUsed = false
      this.#entries.set(key, remembered)
    }
  }
}

/**
 * 30 bits or so of the signature, which is as good as random, out of the five characters before the last, which holds
 * but a few. To hash the string itself takes longer than all else. Two tokens in 2^30 share a key, and take each other's
 * place.
 */
function keyOf(token: string): number {
  const end = token.length - 2
  let key = 0
  for (let index = end; index > end - 5; index--) key = (key << 6) ^ token.charCodeAt(index)
  return key
}
