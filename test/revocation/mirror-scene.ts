import type { Revocation, RevocationMatch } from '../../src/revocation/revocation.js'
import type { ChangeBatch, ChangesOptions, RevocationStore } from '../../src/revocation/store.js'
import type { TokenIdentity } from '../../src/tokens/token-identity.js'

const expiresAt = Math.floor(Date.now() / 1000) + 3_600

/** A record that revokes a session. */
export function sessionOf(id: string, more: Partial<Revocation> = {}): Revocation {
  return { poolId: 'pool', scope: 'session', id, expiresAt, ...more }
}

/** A token of that session. */
export function tokenOf(originJti: string): TokenIdentity {
  return { poolId: 'pool', originJti, sub: 'sub', clientId: 'client', iat: expiresAt - 3_600 }
}

type Step = { batch: ChangeBatch; taken: () => void } | { error: Error } | 'end'

/** A store whose feed says what the test has it say, when it has it say it. */
export class ScriptedFeed implements RevocationStore {
  readonly added: Revocation[] = []
  readonly asked: TokenIdentity[] = []
  openings = 0
  closed = false
  lastOptions: ChangesOptions | undefined
  answer: (token: TokenIdentity) => Promise<RevocationMatch | undefined> = async () => undefined
  #steps: Step[] = []
  #wake = () => {}
  #unread: (() => void) | undefined

  async add(revocations: readonly Revocation[]): Promise<void> {
    this.added.push(...revocations)
  }

  find(token: TokenIdentity): Promise<RevocationMatch | undefined> {
    this.asked.push(token)
    return this.answer(token)
  }

  async *changes(options: ChangesOptions): AsyncGenerator<ChangeBatch> {
    this.openings += 1
    this.lastOptions = options
    for (;;) {
      const step = this.#steps.shift()
      if (options.signal.aborted) return
      if (step === undefined) {
        // Whoever asks for the next batch has done with the last one.
        this.#unread?.()
        await new Promise<void>((resolve) => {
          this.#wake = resolve
          options.signal.addEventListener('abort', () => resolve(), { once: true })
        })
      } else if (step === 'end') return
      else if ('error' in step) throw step.error
      else {
        this.#unread?.()
        this.#unread = step.taken
        yield step.batch
      }
    }
  }

  /** Delivers batches; resolves when the reader has taken all in. */
  async deliver(...batches: Partial<ChangeBatch>[]): Promise<void> {
    for (const batch of batches) {
      await new Promise<void>((taken) => {
        // Over all of it, so that a getter stays one.
        const whole = { revocations: [], cursor: 'cursor', caughtUp: false, ageMs: 0 }
        this.#push({
          batch: Object.defineProperties(whole, Object.getOwnPropertyDescriptors(batch)) as ChangeBatch,
          taken,
        })
      })
    }
  }

  fail(error: Error): void {
    this.#push({ error })
  }

  end(): void {
    this.#push('end')
  }

  async close(): Promise<void> {
    this.closed = true
  }

  #push(step: Step): void {
    this.#steps.push(step)
    this.#wake()
  }
}
