import { type ChildProcess, fork } from 'node:child_process'

/** How long an answer may take. */
const ANSWER_WITHIN_MS = 120_000

/** What another process can be asked to do, each by its name, with one argument and an answer. */
export type Tasks = Record<string, (argument: never) => unknown>

type Argument<Task> = Task extends (argument: infer A) => unknown ? A : never
type Answer<Task> = Task extends (argument: never) => infer R ? Awaited<R> : never
type Reply = { readonly answer?: unknown; readonly error?: string }

/** Another process, to be asked to do one thing after the other. */
export class Helper<T extends Tasks> {
  readonly #child: ChildProcess
  #replied: (reply: Reply) => void = () => {}

  /** @param execArgv flags of Node besides those that this one was started with, which it takes over */
  constructor(file: URL, execArgv: readonly string[] = []) {
    this.#child = fork(file, { execArgv: [...process.execArgv, ...execArgv] })
    this.#child.on('message', (reply: Reply) => this.#replied(reply))
    this.#child.on('exit', (code, signal) => this.#replied({ error: `A process ended: ${code ?? signal}` }))
  }

  /** What it answers when it has done so. */
  async ask<Name extends keyof T & string>(
    name: Name,
    argument: Argument<T[Name]>,
    withinMs = ANSWER_WITHIN_MS,
  ): Promise<Answer<T[Name]>> {
    const { answer, error } = await new Promise<Reply>((resolve) => {
      const timer = setTimeout(() => resolve({ error: `${name} was not done in time` }), withinMs)
      this.#replied = (reply) => {
        clearTimeout(timer)
        resolve(reply)
      }
      if (this.#child.connected) this.#child.send({ name, argument })
      else this.#replied({ error: 'A process has ended' })
    })
    if (error !== undefined) throw new Error(error)
    return answer as Answer<T[Name]>
  }

  end(): void {
    this.#child.kill('SIGKILL')
  }
}

/** Makes this process one that does what it is asked. */
export function serve(tasks: Tasks): void {
  process.on('message', async ({ name, argument }: { name: string; argument: never }) => {
    try {
      process.send?.({ answer: await tasks[name]?.(argument) })
    } catch (error) {
      process.send?.({ error: error instanceof Error ? error.stack : String(error) })
    }
  })
  // It does not outlive the one that asks.
  process.once('disconnect', () => process.exit())
}
