import { afterEach, beforeAll, beforeEach, vi } from 'vitest'
import type { ObserverEvent } from '../../src/observer.js'
import { TokenVerifier } from '../../src/verifier.js'
import type { SharedVerifierOptions, UserPoolOptions } from '../../src/verifier-options.js'
import { JwksServer } from './jwks-server.js'
import { RawSigner, TestClock } from './raw-signer.js'

/** A pool, its successor's key, a server that publishes the JWKS, a clock, and what the observer was told. */
export class JwksScene {
  readonly clock = new TestClock()
  readonly events: ObserverEvent[] = []
  readonly #verifiers: TokenVerifier[] = []

  constructor(
    readonly signer: RawSigner,
    readonly successor: RawSigner,
    readonly server: JwksServer,
  ) {}

  createVerifier(
    jwks: SharedVerifierOptions['jwks'] = {},
    ...pools: readonly UserPoolOptions[]
  ): TokenVerifier {
    const { userPoolId } = this.signer
    const pool = { userPoolId, jwksUri: this.server.jwksUri, clientId: null, tokenUse: null }
    const verifier = new TokenVerifier({
      pools: pools.length === 0 ? [pool] : pools,
      revocation: false,
      clock: this.clock.now,
      observer: (event) => this.events.push(event),
      jwks: { timeoutMs: 60_000, ...jwks },
    })
    this.#verifiers.push(verifier)
    return verifier
  }

  eventsOf<Type extends ObserverEvent['type']>(type: Type): Extract<ObserverEvent, { type: Type }>[] {
    return this.events.filter((event): event is Extract<ObserverEvent, { type: Type }> => event.type === type)
  }

  /** Tokens that differ, so that each has to be verified. */
  tokens(count: number, from = this.signer): string[] {
    return Array.from({ length: count }, (_, number) =>
      from.sign(from.header, this.signer.accessClaims({ number })),
    )
  }

  /** Tokens whose kids nobody knows. */
  strangers(count: number): string[] {
    return Array.from({ length: count }, (_, number) =>
      this.signer.accessToken({}, { kid: `unknown-${number}` }),
    )
  }

  async close(): Promise<void> {
    await Promise.all(this.#verifiers.map((verifier) => verifier.close()))
    await this.server.close()
  }
}

/** Sets the scene anew for each test of the file; its keys are made once. */
export function useJwksScene(): () => JwksScene {
  let signers: [RawSigner, RawSigner] | undefined
  let scene: JwksScene | undefined
  beforeAll(async () => {
    signers = await Promise.all([RawSigner.create(), RawSigner.create()])
  })
  beforeEach(async () => {
    if (signers !== undefined) scene = new JwksScene(...signers, await JwksServer.start(signers[0].jwks))
  })
  afterEach(async () => {
    vi.restoreAllMocks()
    await scene?.close()
  })
  return () => {
    if (scene === undefined) throw new Error('the scene is set in tests only')
    return scene
  }
}

/** Lets a cooldown of 1 ms pass. */
export async function passCooldown(): Promise<void> {
  const start = performance.now()
  while (performance.now() < start + 2) await new Promise((resolve) => setImmediate(resolve))
}

/** Waits for what happens in the background; for long only if it does not happen. */
export function eventually(check: () => void): Promise<void> {
  return vi.waitFor(check, { timeout: 15_000, interval: 5 })
}
