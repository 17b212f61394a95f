import type { Replica } from './replica.js'

/** A question to all replicas. */
export interface Question<Answer, Decision> {
  readonly replicas: readonly Replica[]
  /** How many answers decide, where none decides alone. */
  readonly needed: number
  readonly timeoutMs: number
  /** Whether to wait for all, where there cannot be enough answers any more: one may still decide alone. */
  readonly isPatient: boolean
  readonly ask: (replica: Replica) => Promise<Answer>
  /** What an answer decides alone; undefined where it is one of those that are needed. Throws where it does not count. */
  readonly judge: (answer: Answer, replica: Replica) => Decision | undefined
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
  const { replicas, needed, timeoutMs, isPatient, ask, judge, failed } = question
  return new Promise((resolve, reject) => {
    const waitedFor = new Set(replicas)
    const errors: Error[] = []
    let answers = 0
    const conclude = (replica: Replica, answer: () => Decision | undefined) => {
      if (!waitedFor.delete(replica)) return
      try {
        const decision = answer()
        answers += 1
        if (decision !== undefined || answers >= needed) settle(() => resolve(decision))
      } catch (cause) {
        const error = cause instanceof Error ? cause : new Error(String(cause))
        errors.push(error)
        failed(replica, error)
      }
      const isHopeless = errors.length > replicas.length - needed
      if (isHopeless && (!isPatient || waitedFor.size === 0)) {
        settle(() => reject(new AggregateError([...errors])))
      }
      if (waitedFor.size === 0) clearTimeout(timer)
    }
    const settle = (done: () => void) => {
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
