import { setTimeout as pause } from 'node:timers/promises'
import {
  type CognitoAccessTokenClaims,
  MemoryRevocationStore,
  type Observer,
  type ObserverEvent,
  Revoker,
  type TokenVerifier,
} from '../../../src/index.js'
import type { WatchingVerifier } from '../../../src/middleware/connections/index.js'
import { createVerifier, type Pool } from '../harness.js'

/** A verifier whose time and revocations are the test's, and what the watches of its tokens come to. */
export class Scene implements WatchingVerifier {
  readonly store = new MemoryRevocationStore({ heartbeatMs: 20 })
  readonly events: ObserverEvent[] = []
  readonly observer: Observer = (event) => this.events.push(event)
  readonly verifier: TokenVerifier<'access'>
  readonly revoker: Revoker
  /** How many watches are under way. */
  watching = 0
  #offsetMs = 0
  readonly #pool: Pool

  constructor(pool: Pool) {
    this.#pool = pool
    const clock = () => Date.now() + this.#offsetMs
    this.verifier = createVerifier(pool, { revocation: this.store, clock }) as TokenVerifier<'access'>
    this.revoker = new Revoker({ store: this.store, poolId: pool.minter.userPoolId })
  }

  /** The verifier's, counted. */
  async watch(claims: CognitoAccessTokenClaims, options: { signal?: AbortSignal } = {}) {
    this.watching += 1
    try {
      return await this.verifier.watch(claims, options)
    } finally {
      this.watching -= 1
    }
  }

  verify = (token: string) => this.verifier.verify(token)

  token(claims: Record<string, unknown> = {}): string {
    return this.#pool.minter.accessToken(claims)
  }

  claims(claims: Record<string, unknown> = {}): Promise<CognitoAccessTokenClaims> {
    return this.verify(this.token(claims))
  }

  /** Lets so much time pass on the verifier's clock. */
  pass(seconds: number): void {
    this.#offsetMs += seconds * 1_000
  }
}

/** Waits until something holds. */
export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await pause(2)
}
