import { type KeyObject, verify } from 'node:crypto'
import type { TokenMinter } from '../../src/testing/token-minter.js'
import { publicKeyOf } from './candidates.js'
import { collectTwice } from './timed.js'
import type { Tokens } from './tokens.js'

interface Prepared {
  readonly input: Buffer
  readonly signature: Buffer
}

/** The bare limit: the signature alone, its bytes and the key made ready before. */
export class BareSignatures {
  readonly #key: KeyObject
  readonly #prepared: readonly Prepared[]

  constructor(minter: TokenMinter, tokens: Tokens) {
    this.#key = publicKeyOf(minter)
    this.#prepared = tokens.fresh().map((token) => {
      const end = token.lastIndexOf('.')
      const signature = Buffer.from(token.slice(end + 1), 'base64url')
      return { input: Buffer.from(token.slice(0, end), 'latin1'), signature }
    })
  }

  /** Microseconds each, on this thread. */
  timedSync(): number {
    let valid = 0
    collectTwice()
    const startedAt = process.hrtime.bigint()
    for (const { input, signature } of this.#prepared) {
      if (verify('RSA-SHA256', input, this.#key, signature)) valid += 1
    }
    return this.#each(startedAt, valid)
  }

  /** Microseconds each, on the thread pool, so many at once. */
  async timedOnPool(concurrency: number): Promise<number> {
    let next = 0
    let valid = 0
    const worker = async () => {
      while (next < this.#prepared.length) {
        if (await this.#onPool(this.#prepared[next++] as Prepared)) valid += 1
      }
    }
    collectTwice()
    const startedAt = process.hrtime.bigint()
    await Promise.all(Array.from({ length: concurrency }, worker))
    return this.#each(startedAt, valid)
  }

  #onPool({ input, signature }: Prepared): Promise<boolean> {
    return new Promise((resolve, reject) => {
      verify('RSA-SHA256', input, this.#key, signature, (error, valid) => {
        if (error) reject(error)
        else resolve(valid)
      })
    })
  }

  #each(startedAt: bigint, valid: number): number {
    const time = Number(process.hrtime.bigint() - startedAt) / this.#prepared.length / 1_000
    if (valid !== this.#prepared.length) throw new Error(`${valid} signatures were good`)
    return time
  }
}
