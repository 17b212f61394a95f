import { type Violation, violationsOf } from './checker.js'
import {
  type Call,
  emptyHistory,
  type History,
  kindOf,
  type Members,
  measureRecoveryMs,
  sharedClock,
} from './history.js'
import type { WorkerNews } from './protocol.js'

export const MAX_STALENESS_MS = 1_500
/** Half a second and a little, as a rule; the rest is for a machine that does much else. */
export const RECOVERY_MS = 3_000
const CALLS_PER_PHASE = 10
const STALL_MS = 500

/** Takes down what the members of a fleet tell, and what was measured. */
export class FleetLog {
  readonly history: History = emptyHistory({
    maxStalenessMs: MAX_STALENESS_MS,
    callsPerPhase: CALLS_PER_PHASE,
  })
  /** What was measured, in words. */
  readonly notes: string[] = []
  readonly #watch: NodeJS.Timeout

  constructor() {
    let last = sharedClock()
    this.#watch = setInterval(() => {
      const now = sharedClock()
      // The proxies had no turn either.
      if (now - last > STALL_MS) this.#noteStall(undefined, last, now)
      last = now
    }, 20)
  }

  take(member: string, news: WorkerNews): void {
    if (news.type === 'acknowledged') {
      for (const token of news.tokens) {
        this.history.revocations.get(token)?.acknowledgements.push({ member, at: news.at })
      }
      return
    }
    const calls = this.history.calls.get(member)
    for (const [token, start, end, verdict] of news.calls) calls?.push({ token, start, end, verdict })
    for (const [from, to] of news.stalls) this.#noteStall([member], from, to)
  }

  /** Whether a member has made as many calls of each kind as a phase takes. */
  hasCalled(member: string, from: number): boolean {
    const kinds = this.#callsOf(member, from).map((call) => kindOf(this.history, call))
    return (['valid', 'revoked'] as const).every(
      (kind) => kinds.filter((each) => each === kind).length >= CALLS_PER_PHASE,
    )
  }

  /** Whether what a member has said last of each token, since then, is right. */
  isRight(member: string, from: number, tokens: number): boolean {
    const verdicts = new Map(this.#callsOf(member, from).map(({ token, verdict }) => [token, verdict]))
    return Array.from({ length: tokens }, (_, token) => token).every((token) => {
      const isRevoked = this.history.revocations.has(token)
      return verdicts.get(token) === (isRevoked ? 'token_revoked' : 'accepted')
    })
  }

  /** What promises were broken. */
  violations(): Violation[] {
    return violationsOf(this.history)
  }

  noteRecoveries(): void {
    for (const outage of this.history.outages) {
      if (outage.silentFrom === undefined) continue
      this.notes.push(`all were available ${measureRecoveryMs(this.history, outage)} ms after the outage`)
    }
  }

  close(): void {
    clearInterval(this.#watch)
  }

  /** A process, or with it all, got no turn: the machine's fault, which excuses no more than being unavailable. */
  #noteStall(members: Members, from: number, to: number): void {
    this.history.outages.push({ members, from, healing: to, until: to, recoveryMs: RECOVERY_MS })
  }

  #callsOf(member: string, from: number): Call[] {
    const calls = this.history.calls.get(member) ?? []
    // They are in the order of their ends.
    const before = calls.findLastIndex(({ end }) => end < from)
    return calls.slice(before + 1).filter(({ start }) => start >= from)
  }
}
