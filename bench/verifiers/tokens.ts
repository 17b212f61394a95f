import { randomUUID } from 'node:crypto'
import { TokenMinter } from '../../src/testing/token-minter.js'

/** What the tokens of these benchmarks are for. */
export const pool = { userPoolId: 'us-east-1_AbCdEfGhI', clientId: '1example23456789abcdefghij' }

/** Tokens kept as bytes: each reading gives a string that nobody has seen before, as a server gets them. */
export class Tokens {
  readonly #bytes: readonly Buffer[]

  constructor(tokens: readonly string[]) {
    this.#bytes = tokens.map((token) => Buffer.from(token, 'latin1'))
  }

  get length(): number {
    return this.#bytes.length
  }

  at(index: number): string {
    return (this.#bytes[index] as Buffer).toString('latin1')
  }

  /** All of them, from one index on round and round. */
  fresh(count = this.length, from = 0): string[] {
    return Array.from({ length: count }, (_, index) => this.at((from + index) % this.length))
  }
}

export function createMinter(): Promise<TokenMinter> {
  return TokenMinter.create(pool)
}

/** Access tokens of as many users, each of his own session, of about 1.1 kB: as Cognito's of its managed login. */
export function mintTokens(minter: TokenMinter, count: number): Tokens {
  return new Tokens(Array.from({ length: count }, () => minter.accessToken(claimsOfSomebody())))
}

/** What else is in them, by which they get their size. */
export function claimsOfSomebody(): Record<string, unknown> {
  const sub = randomUUID()
  return {
    sub,
    username: sub,
    'cognito:groups': ['us-east-1_AbCdEfGhI_Google', 'customers'],
    scope: 'openid profile email orders/read orders/write',
  }
}
