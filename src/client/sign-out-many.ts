import {
  type PartialOutcome,
  RevocationIncompleteError,
  type SignOutFailure,
  SignOutInterruptedError,
  type SignOutSummary,
  ThrottledError,
} from '../errors.js'
import {
  assertInteger,
  assertNumber,
  assertOptionalFunction,
  assertOptionalSignal,
  assertOptions,
  optionError,
} from '../options.js'
import { untilAborted } from './abort.js'
import { type Audit, auditOf, type ClientContext } from './context.js'
import { isPassing } from './outcome.js'
import { Pacer, type PacerTime, realTime } from './pacer.js'
import { adminGlobalSignOut, type SignOutOutcome } from './sign-out.js'

/** A user to be signed out, as `adminGlobalSignOut` takes him. */
export interface UserToSignOut {
  /** The username, or an alias that AdminGetUser takes (the sub, too). */
  readonly username: string
  /** The user's sub, if it is known: it is looked up otherwise, by one more request. */
  readonly sub?: string
}

/** How far it is, each time that a user is done with. */
export type SignOutProgress = {
  /** Users signed out so far. */
  readonly done: number
  /** Users who could not be. */
  readonly failed: number
  readonly username: string
} & (
  | { readonly outcome: SignOutOutcome; readonly error?: undefined }
  | { readonly error: Error; readonly outcome?: PartialOutcome }
)

export interface AdminGlobalSignOutManyOptions extends Audit {
  /** Users per second, 0.1 to 25: Cognito allows 25 for the whole account and Region. Default 20. */
  readonly ratePerSecond?: number
  /** Users who are under way at a time, 1 to 100. Default 10. */
  readonly maxConcurrency?: number
  /** Stops before the next user; those who are under way are finished. */
  readonly signal?: AbortSignal
  /** Called for each user. What it throws is ignored. */
  readonly onProgress?: (progress: SignOutProgress) => void
}

const OWNER = 'adminGlobalSignOutMany'
/** What one user is tried, where Cognito throttles or cannot be reached; by then each try has had its own retries. */
const MAX_TRIES = 5
const FIRST_PAUSE_MS = 1_000
/** Failures that are kept; all are counted. */
const MAX_FAILURES = 1_000

/** AdminUserGlobalSignOut for each user, at the pace that Cognito allows. */
export async function adminGlobalSignOutMany(
  context: ClientContext,
  users: Iterable<UserToSignOut> | AsyncIterable<UserToSignOut>,
  options: AdminGlobalSignOutManyOptions = {},
  time: PacerTime = realTime,
): Promise<SignOutSummary> {
  const iterator = iteratorOf(users)
  const { ratePerSecond = 20, maxConcurrency = 10, signal, onProgress } = options
  assertOptions(OWNER, options, [
    ...['ratePerSecond', 'maxConcurrency', 'reason', 'actor', 'signal', 'onProgress'],
  ])
  assertNumber(OWNER, 'ratePerSecond', ratePerSecond, 0.1, 25)
  assertInteger(OWNER, 'maxConcurrency', maxConcurrency, 1, 100)
  assertOptionalSignal(OWNER, signal)
  assertOptionalFunction(OWNER, 'onProgress', onProgress)
  const audit = auditOf(options)
  signal?.throwIfAborted()

  const tally = new Tally(onProgress)
  const pacer = new Pacer(ratePerSecond, time)
  const underWay = new Set<Promise<void>>()
  try {
    for (;;) {
      while (underWay.size >= maxConcurrency) await untilAborted(Promise.race(underWay), signal)
      const next = await untilAborted(Promise.resolve(iterator.next()), signal)
      if (next.done === true) break
      const user = copyOf(next.value)
      await untilAborted(pacer.turn(signal), signal)
      const work: Promise<void> = signOutOne(context, user, audit, pacer, time, signal)
        .then((outcome) => tally.succeed(user, outcome))
        .catch((error) => tally.fail(user, error))
        .finally(() => underWay.delete(work))
      underWay.add(work)
    }
    await Promise.all(underWay)
  } catch (error) {
    const aborted = signal?.aborted === true
    // Not waited for: a source that hangs would hang here too.
    void endEarly(iterator)
    await Promise.all(underWay)
    throw new SignOutInterruptedError(
      `${OWNER}: ${aborted ? 'it was aborted' : 'the users could not be read any further'} ` +
        `after ${tally.done} were signed out and ${tally.failed} failed. To go on, leave out the first ` +
        `${tally.done + tally.failed}, and call it again for those in summary.failures` +
        (tally.failed > MAX_FAILURES ? `, the first ${MAX_FAILURES}: the others onProgress was told of` : ''),
      tally.summary(),
      { cause: aborted ? signal?.reason : error },
    )
  }
  return tally.summary()
}

/** One user, tried again where that may help. The signal ends the waiting between two tries, and no try. */
async function signOutOne(
  context: ClientContext,
  user: UserToSignOut,
  audit: Audit,
  pacer: Pacer,
  time: PacerTime,
  signal: AbortSignal | undefined,
): Promise<SignOutOutcome> {
  let { sub } = user
  for (let tries = 1; ; tries += 1) {
    try {
      const known = sub === undefined ? {} : { sub }
      const outcome = await adminGlobalSignOut(context, { username: user.username, ...known, ...audit })
      pacer.speedUp()
      return outcome
    } catch (error) {
      const reason = error instanceof RevocationIncompleteError ? error.cause : error
      if (reason instanceof ThrottledError) pacer.slowDown()
      if (!isPassing(reason) || tries === MAX_TRIES) throw error
      sub = outcomeOf(error)?.sub ?? sub
      try {
        await time.sleep(FIRST_PAUSE_MS * 2 ** (tries - 1) * (0.5 + Math.random() / 2), signal)
        await pacer.turn(signal)
      } catch {
        throw error
      }
    }
  }
}

/** Its owner may have the same object say the next user by the time that it is looked at again. */
function copyOf(given: Partial<UserToSignOut> | undefined): UserToSignOut {
  const { username = '', sub } = given ?? {}
  return { username, ...(sub === undefined ? {} : { sub }) }
}

/** Counts, and tells of each. */
class Tally {
  done = 0
  failed = 0
  readonly #failures: SignOutFailure[] = []
  readonly #onProgress: ((progress: SignOutProgress) => void) | undefined

  constructor(onProgress: ((progress: SignOutProgress) => void) | undefined) {
    this.#onProgress = onProgress
  }

  succeed(user: UserToSignOut, outcome: SignOutOutcome): void {
    this.done += 1
    this.#tell({ done: this.done, failed: this.failed, username: user.username, outcome })
  }

  fail(user: UserToSignOut, thrown: unknown): void {
    this.failed += 1
    const error = thrown instanceof Error ? thrown : new Error(String(thrown))
    const outcome = outcomeOf(error)
    // What is no user at all has no name to be told.
    const username = typeof user.username === 'string' ? user.username : ''
    const failure: SignOutFailure = { username, error, ...(outcome && { outcome }) }
    if (this.#failures.length < MAX_FAILURES) this.#failures.push(failure)
    this.#tell({ done: this.done, failed: this.failed, ...failure })
  }

  summary(): SignOutSummary {
    return { done: this.done, failed: this.failed, failures: [...this.#failures] }
  }

  #tell(progress: SignOutProgress): void {
    // Whoever looks on must not decide who is signed out.
    try {
      Promise.resolve(this.#onProgress?.(progress)).catch(() => {})
    } catch {}
  }
}

function outcomeOf(error: unknown): PartialOutcome | undefined {
  return error instanceof RevocationIncompleteError ? error.outcome : undefined
}

function iteratorOf(users: unknown): Iterator<UserToSignOut> | AsyncIterator<UserToSignOut> {
  if (typeof users === 'object' && users !== null) {
    if (Symbol.asyncIterator in users) return (users as AsyncIterable<UserToSignOut>)[Symbol.asyncIterator]()
    if (Symbol.iterator in users) return (users as Iterable<UserToSignOut>)[Symbol.iterator]()
  }
  throw optionError(OWNER, 'users', 'an iterable of { username, sub? }')
}

async function endEarly(iterator: Iterator<unknown> | AsyncIterator<unknown>): Promise<void> {
  try {
    await iterator.return?.()
  } catch {}
}
