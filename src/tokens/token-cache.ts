import { LRUCache } from 'lru-cache'

/** Characters at the end of a token that tell it apart: random enough in any RSA signature, cheap to hash. */
const KEY_LENGTH = 43

/**
 * Remembers tokens whose signature and claims were found good, so that a token seen again costs a look-up.
 * Whether its key is still trusted, whether it has expired and whether it is revoked is asked every time.
 */
export class TokenCache<Entry extends { readonly token: string }> {
  readonly #entries: LRUCache<string, Entry> | undefined

  /** @param max how many tokens are kept; 0 keeps none */
  constructor(max: number) {
    this.#entries = max > 0 ? new LRUCache({ max }) : undefined
  }

  get(token: string): Entry | undefined {
    const entry = this.#entries?.get(token.slice(-KEY_LENGTH))
    return entry !== undefined && entry.token === token ? entry : undefined
  }

  set(entry: Entry): void {
    this.#entries?.set(entry.token.slice(-KEY_LENGTH), entry)
  }

  delete(entry: Entry): void {
    this.#entries?.delete(entry.token.slice(-KEY_LENGTH))
  }
}
