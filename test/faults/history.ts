/** One call of verify(). Times are of the monotonic clock that all processes of a machine share, in milliseconds. */
export interface Call {
  /** Which token, by its place in the list of all. */
  readonly token: number
  readonly start: number
  readonly end: number
  /** 'accepted', or the code of the error. */
  readonly verdict: string
}

interface TokenRevocation {
  /** From here on the token may be refused. */
  readonly startedAt: number
  /** From here on the promise holds; by whom it was acknowledged, and when. */
  readonly acknowledgements: { readonly member: string; readonly at: number }[]
}

/** The members of a fleet that something is about; all where undefined. */
export type Members = readonly string[] | undefined

/** A time in which the store could not be reached, or not well. */
export interface Outage {
  readonly members: Members
  /** Just before the fault. */
  readonly from: number
  /** From here until `healing` nothing at all came from the store; undefined where something may have. */
  readonly silentFrom?: number | undefined
  /** Just before the fault was mended. */
  readonly healing: number
  /** The store had been seen to answer again. */
  readonly until: number
  /** For how long after it a member may go on to answer "unavailable", in milliseconds. */
  readonly recoveryMs: number
}

/** A time in which the store lacked revocations that it had acknowledged. */
interface Loss {
  readonly from: number
  /** It had been seen to hold all again. */
  readonly wholeAt: number
}

/** A part of a scenario in which every member is to have made calls of each kind. */
interface Phase {
  readonly name: string
  readonly members: readonly string[]
  readonly from: number
  readonly to: number
}

/** All that happened in a scenario, as far as the promises go. */
export interface History {
  readonly maxStalenessMs: number
  /** How many calls of each kind a member must have made in each phase. */
  readonly callsPerPhase: number
  readonly calls: Map<string, Call[]>
  readonly revocations: Map<number, TokenRevocation>
  readonly outages: Outage[]
  readonly losses: Loss[]
  readonly phases: Phase[]
}

/** A history in which nothing has happened yet. */
export function emptyHistory(limits: Pick<History, 'maxStalenessMs' | 'callsPerPhase'>): History {
  return {
    ...limits,
    calls: new Map(),
    revocations: new Map(),
    outages: [],
    losses: [],
    phases: [],
  }
}

/** Milliseconds of the clock that all processes of this machine share and that nobody can set. */
export function sharedClock(): number {
  return Number(process.hrtime.bigint()) / 1e6
}

export function concerns(members: Members, member: string): boolean {
  return members === undefined || members.includes(member)
}

/** When a token's revocation was acknowledged first; Infinity while it has not been. */
export function acknowledgedAt(history: History, token: number): number {
  const { acknowledgements = [] } = history.revocations.get(token) ?? {}
  return Math.min(Number.POSITIVE_INFINITY, ...acknowledgements.map(({ at }) => at))
}

export type Kind = 'valid' | 'revoked'

/** What kind of token it was when the call was made; undefined while its revocation was under way. */
export function kindOf(history: History, { token, start, end }: Call): Kind | undefined {
  const revocation = history.revocations.get(token)
  if (revocation === undefined || end < revocation.startedAt) return 'valid'
  return acknowledgedAt(history, token) < start ? 'revoked' : undefined
}

/** For how long after an outage its members went on to answer "unavailable": the longest, in milliseconds. */
export function measureRecoveryMs(history: History, outage: Outage): number {
  let last = outage.until
  for (const [member, calls] of history.calls) {
    if (!concerns(outage.members, member)) continue
    for (const { start, end, verdict } of calls) {
      const isOfIt = end >= outage.from && start <= outage.until + outage.recoveryMs
      if (isOfIt && verdict === 'revocation_unavailable') last = Math.max(last, end)
    }
  }
  return Math.round(last - outage.until)
}
