import type { Replica } from './replica.js'

/** A question to all replicas. */
export interface Question<Answer, Decision> {
  readonly replicas: readonly Replica[]
  /** How many answers decide, where none decides alone. */
  readonly needed: number
  readonly timeoutMs: number
  /** Whether to wait for all, though with these errors there cannot be enough answers any more. */
  readonly isPatient: (errors: readonly Error[]) => boolean
  readonly ask: (replica: Replica) => Promise<Answer>
  /** What an answer decides alone; undefined where it is one of those that are needed. Throws where it does not count. */
  readonly judge: (answer: Answer, replica: Replica) => Decision | undefined
  /** Is asked of all that have answered before they decide: throws where an answer does not count any more. */
  readonly confirm?: (replica: Replica) => void
  /** Is told of each replica that has not answered in time, or not as it should; also after the decision. */
  readonly failed: (replica: Replica, error: Error) => void
}

/**
 * Asks all replicas at once. Resolves as soon as an answer decides, or so many are there as are needed; rejects
 * when there cannot be so many.
 *
 * @throws AggregateError of what each has failed with
 */
export function askQuorum<Answer, Decision>(
  question: Question<Answer, Decision>,
): Promise<Decision | undefined> {
  const { replicas, needed, timeoutMs, isPatient, ask, judge, confirm, failed } = question
  return new Promise((resolve, reject) => {
    const waitedFor = new Set(replicas)
    const errors: Error[] = []
    const answered = new Set<Replica>()
    let isSettled = false
    const noteFailure = (replica: Replica, cause: unknown) => {
      const error = cause instanceof Error ? cause : new Error(String(cause))
      errors.push(error)
      failed(replica, error)
    }
    /** Much can have become known since they answered. */
    const confirmAll = () => {
      for (const replica of [...answered]) {
        try {
          confirm?.(replica)
        } catch (cause) {
          answered.delete(replica)
          noteFailure(replica, cause)
        }
      }
    }
    const conclude = (replica: Replica, answer: () => Decision | undefined) => {
      if (!waitedFor.delete(replica)) return
      try {
        const decision = answer()
        answered.add(replica)
        if (decision === undefined && answered.size >= needed && !isSettled) confirmAll()
        if (decision !== undefined || answered.size >= needed) settle(() => resolve(decision))
      } catch (cause) {
        noteFailure(replica, cause)
      }
      const isHopeless = errors.length > replicas.length - needed
      if (isHopeless && (waitedFor.size === 0 || !isPatient(errors))) {
        settle(() => reject(new AggregateError([...errors])))
      }
      if (waitedFor.size === 0) clearTimeout(timer)
    }
    const settle = (done: () => void) => {
      isSettled = true
      done()
      // For those that are late: nobody waits for them.
      timer.unref()
    }
    const fail = (cause: unknown) => () => {
      throw cause
    }
    const timer = setTimeout(() => {
      for (const replica of [...waitedFor]) {
        conclude(replica, fail(new Error(`Store ${replica.number} did not answer within ${timeoutMs} ms`)))
      }
    }, timeoutMs)
    for (const replica of replicas) {
      // A store may throw instead of rejecting.
      const asked = new Promise<Answer>((answered) => answered(ask(replica)))
      asked.then(
        (answer) => conclude(replica, () => judge(answer, replica)),
        (cause: unknown) => conclude(replica, fail(cause)),
      )
    }
  })
}
