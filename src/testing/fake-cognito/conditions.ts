import { createHash } from 'node:crypto'
import { type Fault, socketHangUp } from './faults.js'
import { QuotaGuard, type Quotas } from './quotas.js'

/** Milliseconds: always as many, or at random between two bounds. */
export type LatencyMs = number | readonly [min: number, max: number]

/** How {@link FakeCognito} is doing: what befalls every request, until it is told otherwise. */
export interface Conditions {
  /**
   * Requests per second; more are refused with TooManyRequestsException, at the hosted endpoints with status 429.
   * Cognito's own defaults are `{ UserAuthentication: 120, ChallengeResponse: 360, ClientAuthentication: 150,
   * UserToken: 120, UserUpdate: 25, UserRead: 120, UserPoolClientRead: 15, UserPoolClientUpdate: 15 }`. Default none.
   */
  readonly quotas?: Quotas
  /** How late answers are: of every operation, or by operation. Default 0. */
  readonly latencyMs?: LatencyMs | Readonly<Record<string, LatencyMs>>
  /** The share of requests, 0 to 1, that fail: throttled, failed inside or cut off, with or without effect. Default 0. */
  readonly faultRate?: number
  /**
   * Decides which requests fail and how late answers are: of one seed, the nth request for an operation always
   * meets the same. It is told in the message of each failure. Default: made up.
   */
  readonly seed?: number
}

const faultsAtRandom: readonly Omit<Fault, 'message'>[] = [
  { exception: 'TooManyRequestsException' },
  ...[false, true].flatMap((afterEffect) => [
    { exception: 'InternalErrorException', afterEffect },
    { exception: socketHangUp, afterEffect },
  ]),
]

/** The failures and delays that come of conditions, and not of having been asked for. */
export class StandingFaults {
  readonly #conditions: Conditions
  readonly #seed: number
  readonly #quotas: QuotaGuard
  readonly #counts = new Map<string, number>()

  /** @throws TypeError naming the condition */
  constructor(conditions: Conditions, now: () => number) {
    const { faultRate = 0, latencyMs = 0 } = conditions
    if (!(faultRate >= 0 && faultRate <= 1)) {
      throw new TypeError(`faultRate must be 0 to 1, but is ${faultRate}`)
    }
    for (const latency of isLatency(latencyMs) ? [latencyMs] : Object.values(latencyMs)) {
      const [min, max = min] = [latency].flat()
      if (!(min !== undefined && min >= 0 && max !== undefined && max >= min)) {
        throw new TypeError(`latencyMs must be 0 or more, or [min, max], but is ${latency}`)
      }
    }
    this.#conditions = conditions
    this.#seed = conditions.seed ?? Math.floor(Math.random() * 2 ** 32)
    this.#quotas = new QuotaGuard(conditions.quotas ?? {}, now)
  }

  /** The failure that this request, for this OAuth grant if it is for one, meets, if any. */
  takeFailure(operation: string, grant?: string): Fault | undefined {
    if (!this.#quotas.admit(operation, grant)) {
      return { exception: 'TooManyRequestsException', message: 'Rate exceeded' }
    }
    const { faultRate = 0 } = this.#conditions
    if (faultRate === 0 || this.#draw(operation, 'whether') >= faultRate) return undefined
    const which = Math.floor(this.#draw(operation, 'which') * faultsAtRandom.length)
    const fault = faultsAtRandom[which] as Fault
    return { ...fault, message: `A failure at random, of seed ${this.#seed}` }
  }

  /** How late the answer to this request is, in milliseconds. */
  takeDelay(operation: string): number | undefined {
    const { latencyMs = 0 } = this.#conditions
    const latency = isLatency(latencyMs) ? latencyMs : latencyMs[operation]
    if (latency === undefined || latency === 0) return undefined
    if (typeof latency === 'number') return latency
    const [min, max] = latency
    return min + this.#draw(operation, 'late') * (max - min)
  }

  /** From 0 to 1. By operation, so that it is the same however requests for several are interleaved. */
  #draw(operation: string, purpose: string): number {
    const stream = `${operation} ${purpose}`
    const count = this.#counts.get(stream) ?? 0
    this.#counts.set(stream, count + 1)
    return createHash('sha256').update(`${this.#seed} ${stream} ${count}`).digest().readUInt32BE() / 2 ** 32
  }
}

function isLatency(value: NonNullable<Conditions['latencyMs']>): value is LatencyMs {
  return typeof value === 'number' || Array.isArray(value)
}
