import { acknowledgedAt, type Call, concerns, type History, kindOf } from './history.js'

/** The promises that a history can break. */
export type Rule =
  /** Whoever was told of a revocation refuses the token as revoked from then on. */
  | 'never forgotten'
  /** Nothing revoked is accepted in a call that starts later than the bound after the acknowledgement. */
  | 'within the bound'
  /** Nothing that is not known to be revoked is answered out of knowledge that is older than the bound. */
  | 'no stale answers'
  /** Nothing is refused as revoked that is not. */
  | 'only what is revoked'
  /** "Unavailable" is answered during an outage only, and for a short while after it. */
  | 'available again'
  /** Tokens that are good but for their revocation are refused for no other reason. */
  | 'no other refusal'
  /** The load ran. */
  | 'under load'

export interface Violation {
  readonly rule: Rule
  readonly member: string
  readonly message: string
}

const ACCEPTED = 'accepted'
const REVOKED = 'token_revoked'
const UNAVAILABLE = 'revocation_unavailable'

/**
 * What in a history breaks the promises; for each rule, member and token the first time only.
 *
 * A call counts by when it started, which is before it looks at anything: however slow the machine, a call
 * that starts after the bound finds knowledge that is older than the bound.
 */
export function violationsOf(history: History): Violation[] {
  const found = new Map<string, Violation>()
  const report = (rule: Rule, member: string, subject: string, message: string) => {
    const key = `${rule} ${member} ${subject}`
    if (!found.has(key)) found.set(key, { rule, member, message: `${member}: ${subject} ${message}` })
  }
  for (const [member, calls] of history.calls) {
    const toldAt = toldOf(history, member, calls)
    for (const call of calls) {
      for (const [rule, message] of faultsOf(history, member, call, toldAt.get(call.token))) {
        report(rule, member, `token ${call.token}`, message)
      }
    }
  }
  for (const phase of history.phases) {
    for (const member of phase.members) {
      const kinds = (history.calls.get(member) ?? [])
        .filter(({ start, end }) => start >= phase.from && end <= phase.to)
        .map((call) => kindOf(history, call))
      for (const kind of ['valid', 'revoked'] as const) {
        const count = kinds.filter((each) => each === kind).length
        if (count < history.callsPerPhase) {
          report(
            'under load',
            member,
            `${kind} tokens in phase "${phase.name}"`,
            `were in ${count} calls only`,
          )
        }
      }
    }
  }
  return [...found.values()]
}

/** When a member was told of the revocation of each token: it refused it as revoked, or added it itself. */
function toldOf(history: History, member: string, calls: readonly Call[]): Map<number, number> {
  const toldAt = new Map<number, number>()
  const tell = (token: number, at: number) => {
    toldAt.set(token, Math.min(at, toldAt.get(token) ?? Number.POSITIVE_INFINITY))
  }
  for (const { token, end, verdict } of calls) if (verdict === REVOKED) tell(token, end)
  for (const [token, { acknowledgements }] of history.revocations) {
    for (const { member: by, at } of acknowledgements) if (by === member) tell(token, at)
  }
  return toldAt
}

function* faultsOf(
  history: History,
  member: string,
  call: Call,
  toldAt = Number.POSITIVE_INFINITY,
): Generator<[Rule, string]> {
  const { token, start, end, verdict } = call
  if (start > toldAt && verdict !== REVOKED) {
    yield ['never forgotten', `was answered with ${verdict} ${since(toldAt, start)} it was told of`]
  }
  switch (verdict) {
    case ACCEPTED: {
      const acknowledged = acknowledgedAt(history, token)
      if (start > acknowledged + history.maxStalenessMs && !isExcusedByLoss(history, acknowledged, start)) {
        yield ['within the bound', `was accepted ${since(acknowledged, start)} the acknowledgement`]
      }
      const silence = history.outages.find(
        ({ members, silentFrom = Number.POSITIVE_INFINITY, healing }) =>
          concerns(members, member) && start > silentFrom + history.maxStalenessMs && end < healing,
      )
      if (silence?.silentFrom !== undefined) {
        yield ['no stale answers', `was accepted ${since(silence.silentFrom, start)} the silence began`]
      }
      break
    }
    case REVOKED: {
      const revocation = history.revocations.get(token)
      if (revocation === undefined || end < revocation.startedAt) {
        yield ['only what is revoked', 'was refused as revoked, and was not']
      }
      break
    }
    case UNAVAILABLE:
      if (!isExcusedByOutage(history, member, call)) {
        const after = history.outages
          .filter((outage) => concerns(outage.members, member) && outage.until < start)
          .map(({ until }) => start - until)
        const last = after.length === 0 ? 'before any outage' : `${Math.round(Math.min(...after))} ms after`
        yield ['available again', `was answered with ${UNAVAILABLE} ${last}`]
      }
      break
    default:
      yield ['no other refusal', `was refused with ${verdict}`]
  }
}

function since(from: number, to: number): string {
  return `${Math.round(to - from)} ms after`
}

/** What the store has lost, nobody can know by it until it has it again. */
function isExcusedByLoss({ losses, maxStalenessMs }: History, acknowledged: number, start: number): boolean {
  return losses.some(
    ({ from, wholeAt }) => acknowledged <= wholeAt && start >= from && start <= wholeAt + maxStalenessMs,
  )
}

function isExcusedByOutage({ outages }: History, member: string, { start, end }: Call): boolean {
  return outages.some(
    ({ members, from, until, recoveryMs }) =>
      concerns(members, member) && end >= from && start <= until + recoveryMs,
  )
}
