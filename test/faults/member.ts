import { Child } from './child.js'
import type { FromWorker, WorkerNews, WorkerSettings, WorkerStatus, WorkerTask } from './protocol.js'

const ANSWER_WITHIN_MS = 10_000

interface Question {
  readonly resolve: (value: unknown) => void
  readonly reject: (error: Error) => void
}

/** A worker process, as its parent sees it. */
export class Member {
  readonly name: string
  /** Whether it is expected to answer at the moment. */
  isActive = false
  readonly #child: Child
  readonly #questions = new Map<number, Question>()
  readonly #started: Promise<void>
  #isDoomed = false
  #nextId = 1

  constructor(
    bundle: string,
    settings: WorkerSettings,
    wallClockOffsetMs: number,
    onNews: (news: WorkerNews) => void,
  ) {
    this.name = settings.name
    let start = () => {}
    this.#started = new Promise((resolve) => {
      start = resolve
    })
    this.#child = new Child(bundle, settings, {
      env: { WALL_CLOCK_OFFSET_MS: String(wallClockOffsetMs) },
      onMessage: (message) => {
        const { type } = message as FromWorker
        if (type === 'answer') this.#answered(message as FromWorker & { type: 'answer' })
        else if (type === 'started') start()
        else onNews(message as WorkerNews)
      },
    })
    void this.#child.exited().then(() => {
      this.isActive = false
      for (const { reject } of this.#questions.values()) reject(new Error(`${this.name} has ended`))
      start()
    })
  }

  /** Resolves when its load runs; its mirror may not have caught up yet. */
  async started(): Promise<void> {
    await this.#started
    this.isActive = !this.#child.hasEnded
  }

  /** Why it ended, where nobody has ended it. */
  get failure(): string | undefined {
    if (!this.#child.hasEnded || this.#isDoomed) return undefined
    return `${this.name} ended by itself (${this.#child.status}):\n${this.#child.output}`
  }

  ask(task: WorkerTask): Promise<unknown> {
    if (this.#child.hasEnded) return Promise.reject(new Error(`${this.name} has ended`))
    const id = this.#nextId++
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => settle(() => reject(new Error(`${this.name} did not answer "${task.type}"`))),
        ANSWER_WITHIN_MS,
      )
      const settle = (action: () => void) => {
        clearTimeout(timer)
        this.#questions.delete(id)
        action()
      }
      this.#questions.set(id, {
        resolve: (value) => settle(() => resolve(value)),
        reject: (error) => settle(() => reject(error)),
      })
      this.#child.send({ id, task })
    })
  }

  status(): Promise<WorkerStatus> {
    return this.ask({ type: 'status' }) as Promise<WorkerStatus>
  }

  /** Stops the process without ending it. */
  freeze(): void {
    this.isActive = false
    this.#child.signal('SIGSTOP')
  }

  thaw(): void {
    this.isActive = true
    this.#child.signal('SIGCONT')
  }

  async kill(): Promise<void> {
    this.isActive = false
    this.#isDoomed = true
    await this.#child.kill()
  }

  /** Makes it do something that it does not survive, and waits until it is gone. */
  async askLast(task: WorkerTask): Promise<void> {
    this.isActive = false
    this.#isDoomed = true
    await Promise.all([this.ask(task).catch(() => {}), this.#child.exited()])
  }

  #answered({ id, value, error }: FromWorker & { type: 'answer' }): void {
    const question = this.#questions.get(id)
    if (error === undefined) question?.resolve(value)
    else question?.reject(new Error(`${this.name}: ${error}`))
  }
}
