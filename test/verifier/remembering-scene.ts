import { expect, vi } from 'vitest'
import { RevocationMirror } from '../../src/revocation/mirror.js'
import type { Revocation } from '../../src/revocation/revocation.js'
import type { JsonWebKeySet } from '../../src/tokens/signing-key.js'
import type { TokenIdentity } from '../../src/tokens/token-identity.js'
import type { TokenVerifier } from '../../src/verifier.js'
import { type Delivery, HeldStore } from '../support/held-store.js'
import { MirrorModel } from '../support/mirror-model.js'
import { type Claims, NOW_SECONDS, RawSigner } from '../support/raw-signer.js'
import { codeOf, createVerifier, judge, judgeSync, type Verdict } from '../support/verdicts.js'

const MAX_STALENESS_MS = 8
const MAX_ENTRIES = 5
const FAR = NOW_SECONDS + 1e8
const [JANE, JOHN, CLIENT] = ['aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee', 'john', 'client']
const uuid = (number: number) => `00000000-0000-4000-8000-00000000000${number}`

/** A token, and what decides about it. */
export interface Sample {
  readonly token: string
  readonly identity: TokenIdentity
  readonly exp: number
  readonly isRevocable: boolean
}

/** What is published: the key of the samples, another one only, or another one in its place. */
export type Published = 'its key' | 'another key' | 'another under its kid'

/** Tokens of several users, sessions and clients, and what is published to verify them by. */
export interface Samples {
  readonly signer: RawSigner
  readonly tokens: readonly Sample[]
  readonly jwks: Readonly<Record<Published, JsonWebKeySet>>
}

export async function createSamples(): Promise<Samples> {
  const [signer, other] = await Promise.all([RawSigner.create(), RawSigner.create()])
  const of = (sub: string, session: number, more: Claims = {}) => {
    const long = { exp: FAR, jti: uuid(session), origin_jti: session % 2 ? uuid(session) : `s${session}` }
    return signer.accessClaims({ sub, ...long, ...more })
  }
  const claims = [
    of(JANE, 1, { exp: NOW_SECONDS + 60 }),
    of(JANE, 1, { jti: 'another', iat: NOW_SECONDS, auth_time: NOW_SECONDS - 100 }),
    of(JANE, 2, { iat: NOW_SECONDS - 5, auth_time: undefined, client_id: CLIENT }),
    of(JOHN, 3, { auth_time: NOW_SECONDS - 5000 }),
    of(JOHN, 4, { exp: NOW_SECONDS + 4000, jti: undefined, auth_time: NOW_SECONDS, client_id: CLIENT }),
    signer.idClaims({ sub: JOHN, exp: FAR, origin_jti: uuid(3), aud: CLIENT }),
    signer.machineClaims({ exp: FAR, sub: CLIENT, client_id: CLIENT }),
    of(JANE, 5, { origin_jti: undefined }),
  ]
  return {
    signer,
    tokens: claims.map((each) => sampleOf(signer, each)),
    jwks: {
      'its key': signer.jwks,
      'another key': other.jwks,
      'another under its kid': { keys: [{ ...other.jwk, kid: signer.kid }] },
    },
  }
}

function sampleOf(signer: RawSigner, claims: Record<string, unknown>): Sample {
  const text = (value: unknown) => (value === undefined ? undefined : String(value))
  const number = (value: unknown) => (value === undefined ? undefined : Number(value))
  return {
    token: signer.sign(signer.header, claims),
    exp: Number(claims.exp),
    isRevocable: claims.origin_jti !== undefined || claims.sub === claims.client_id,
    identity: {
      poolId: signer.userPoolId,
      jti: text(claims.jti),
      originJti: text(claims.origin_jti),
      sub: String(claims.sub),
      clientId: String(claims.client_id ?? claims.aud),
      authTime: number(claims.auth_time),
      iat: Number(claims.iat),
    },
  }
}

/** A verifier, its mirror, the store behind it, and beside them the model. */
export class World {
  readonly store = new HeldStore()
  readonly model: MirrorModel
  readonly mirror: RevocationMirror
  readonly verifier: TokenVerifier
  readonly #samples: Samples
  #nowMs = NOW_SECONDS * 1000
  #published: Published = 'its key'

  constructor(samples: Samples) {
    this.#samples = samples
    // A whole number: sums of others are a hair less than they should be, now and then.
    const startMs = 1_000 - this.#nowMs
    vi.spyOn(Date, 'now').mockImplementation(() => this.#nowMs)
    vi.spyOn(performance, 'now').mockImplementation(() => this.#nowMs + startMs)
    const limits = { maxStalenessMs: MAX_STALENESS_MS, maxEntries: MAX_ENTRIES }
    this.model = new MirrorModel({ ...limits, now: () => this.#nowMs })
    this.mirror = new RevocationMirror(this.store, { ...limits, writeBack: false })
    this.mirror.subscribe(() => {})
    this.store.found = (match) => this.model.tell(match)
    this.verifier = createVerifier(samples.signer, {
      revocation: this.mirror,
      maxCachedTokens: 3,
      clock: () => this.#nowMs,
      jwks: { refreshAfterMs: 2 ** 31 - 1, maxAgeMs: 2 ** 31 - 1 },
    })
  }

  get nowSeconds(): number {
    return this.#nowMs / 1000
  }

  advance(ms: number): void {
    this.#nowMs += ms
  }

  async deliver(delivery?: Delivery): Promise<void> {
    this.model.take(await this.store.deliver(delivery))
  }

  async revoke(record: Revocation, by: 'mirror' | 'store'): Promise<void> {
    if (by === 'store') this.store.held.push(record)
    else {
      await this.mirror.add([record]).then(
        () => this.model.tell(record),
        () => expect(this.store.isDown).toBe(true),
      )
    }
  }

  publish(published: Published): void {
    this.#published = published
    this.verifier.cacheJwks(this.#samples.jwks[published])
  }

  /** What may be said of a token now. */
  allowed({ identity, exp, isRevocable }: Sample, waits: boolean): Set<Verdict> {
    const { model, store } = this
    const isExpired = !(this.nowSeconds < exp)
    if (this.#published !== 'its key') {
      const missing = waits ? 'jwks_unavailable' : 'not_ready'
      const refusal = this.#published === 'another key' ? missing : 'token_signature_invalid'
      return new Set(isExpired ? ['token_expired', refusal] : [refusal])
    }
    if (isExpired) return new Set(['token_expired'])
    if (!isRevocable) return new Set(['token_not_revocable'])
    const allowed = new Set<Verdict>()
    const isRevoked = model.isRevoked(identity)
    if (model.wasRevoked(identity)) allowed.add('token_revoked')
    if (isRevoked && !model.mayBeFull) return allowed
    if (model.mayDecide && !isRevoked) allowed.add('accepted')
    if (!model.mayAsk) return allowed
    if (!waits) return allowed.add('not_ready')
    if (store.isDown) return allowed.add('revocation_unavailable')
    return allowed.add(store.holdsAgainst(identity) ? 'token_revoked' : 'accepted')
  }

  /** Asks about all tokens at once, lets something happen meanwhile, and expects what was right before or after. */
  async expectAll(meanwhile: () => Promise<void> = async () => {}): Promise<void> {
    // Each of them twice: what is under way for one may serve another.
    const tokens = [...this.#samples.tokens, ...this.#samples.tokens]
    const before = tokens.map((sample) => this.allowed(sample, true))
    const verdicts = tokens.map(({ token }) => judge(this.verifier, token))
    await meanwhile()
    const after = tokens.map((sample) => this.allowed(sample, true))
    for (const [index, verdict] of (await Promise.all(verdicts)).entries()) {
      expectOneOf(new Set([...(before[index] ?? []), ...(after[index] ?? [])]), verdict)
    }
  }

  expectOfSync(sample: Sample): void {
    expectOneOf(this.allowed(sample, false), judgeSync(this.verifier, sample.token))
  }

  expectOfRecall(sample: Sample): void {
    if (this.verifier.recall(sample.token) === undefined) return
    expectOneOf(this.allowed(sample, false), 'accepted')
  }

  async expectOf(sample: Sample): Promise<void> {
    const allowed = this.allowed(sample, true)
    expectOneOf(allowed, await judge(this.verifier, sample.token))
  }

  async expectOfExplanation(sample: Sample): Promise<void> {
    const allowed = this.allowed(sample, true)
    const { accepted, error } = await this.verifier.explain(sample.token)
    expectOneOf(allowed, accepted ? 'accepted' : codeOf(error))
  }

  async close(): Promise<void> {
    await Promise.all([this.verifier.close(), this.mirror.close()])
  }
}

/** What `expect` does, where it is needed: it takes longer than a verification. */
function expectOneOf(allowed: ReadonlySet<Verdict>, verdict: Verdict): void {
  if (!allowed.has(verdict)) expect([...allowed]).toContain(verdict)
}
