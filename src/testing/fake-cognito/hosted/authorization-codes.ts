import { randomUUID } from 'node:crypto'
import type { User } from '../users.js'

/** What an authorization code stands for, and must go with. */
export interface Authorization {
  readonly user: User
  readonly clientId: string
  readonly redirectUri: string
  /** PKCE, S256; undefined where the request had none. */
  readonly codeChallenge: string | undefined
  readonly scopes: readonly string[]
  readonly nonce: string | undefined
  /** Epoch seconds. */
  readonly authTime: number
}

const lifeMs = 5 * 60_000

/** The authorization codes of a pool: good for five minutes, and once. */
export class AuthorizationCodes {
  readonly #codes = new Map<string, { authorization: Authorization; expiresAtMs: number }>()
  readonly #now: () => number

  constructor(now: () => number) {
    this.#now = now
  }

  issue(authorization: Authorization): string {
    const code = randomUUID()
    this.#codes.set(code, { authorization, expiresAtMs: this.#now() + lifeMs })
    return code
  }

  /** What it stands for, if it is this client's; from then on it is used up, whatever comes of it. */
  redeem(code: string, clientId: string): Authorization | undefined {
    const found = this.#codes.get(code)
    if (found?.authorization.clientId !== clientId) return undefined
    this.#codes.delete(code)
    return this.#now() < found.expiresAtMs ? found.authorization : undefined
  }
}
