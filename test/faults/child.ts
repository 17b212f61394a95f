import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { afterAll } from 'vitest'

const MAX_OUTPUT = 4_000

const workers = {
  worker: new URL('./worker.ts', import.meta.url),
  'reconnecting-worker': new URL('./reconnecting-worker.ts', import.meta.url),
  'service-worker': new URL('./service-worker.ts', import.meta.url),
  'idle-worker': new URL('./idle-worker.ts', import.meta.url),
  'http-idle-worker': new URL('./http-idle-worker.ts', import.meta.url),
  'dynamodb-idle-worker': new URL('./dynamodb-idle-worker.ts', import.meta.url),
}
export type WorkerName = keyof typeof workers

const bundles = new Map<WorkerName, Promise<string>>()
const dirs: string[] = []
const running = new Set<ChildProcess>()

afterAll(async () => {
  for (const dir of dirs.splice(0)) await rm(dir, { recursive: true, force: true })
})
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

/** A worker in one file, which starts in a fraction of the time. Made once for each file of tests. */
export function bundleOf(name: WorkerName): Promise<string> {
  let bundle = bundles.get(name)
  if (bundle === undefined) {
    bundle = bundleWorker(name)
    bundles.set(name, bundle)
  }
  return bundle
}

async function bundleWorker(name: WorkerName): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'faults-'))
  dirs.push(dir)
  const outfile = join(dir, `${name}.cjs`)
  await build({
    entryPoints: [fileURLToPath(workers[name])],
    outfile,
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    logLevel: 'error',
  })
  return outfile
}

export interface ChildOptions {
  readonly env?: Readonly<Record<string, string>>
  readonly nodeOptions?: readonly string[]
  readonly onMessage?: (message: unknown) => void
}

/** A process of the product's code, which the parent talks with by IPC, and may kill at any time. */
export class Child {
  readonly #process: ChildProcess
  readonly #exited: Promise<unknown>
  #output = ''

  constructor(path: string, settings: unknown, { env, nodeOptions = [], onMessage }: ChildOptions = {}) {
    this.#process = spawn(process.execPath, [...nodeOptions, path, JSON.stringify(settings)], {
      stdio: ['ignore', 'pipe', 'pipe', onMessage === undefined ? 'ignore' : 'ipc'],
      env: { ...process.env, NODE_OPTIONS: '', ...env },
    })
    running.add(this.#process)
    for (const stream of [this.#process.stdout, this.#process.stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        this.#output = (this.#output + chunk.toString()).slice(-MAX_OUTPUT)
      })
    }
    this.#exited = once(this.#process, 'close').finally(() => running.delete(this.#process))
    this.#exited.catch(() => {})
    this.#process.on('error', () => {})
    if (onMessage !== undefined) this.#process.on('message', onMessage)
  }

  /** What it said last, on either of its outputs. */
  get output(): string {
    return this.#output
  }

  get hasEnded(): boolean {
    return this.#process.exitCode !== null || this.#process.signalCode !== null
  }

  /** Its exit code, or the signal that ended it; undefined while it runs. */
  get status(): number | string | undefined {
    return this.#process.exitCode ?? this.#process.signalCode ?? undefined
  }

  send(message: unknown): void {
    // Where it is gone meanwhile, no answer will tell.
    if (this.#process.connected) this.#process.send(message as object, () => {})
  }

  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.#process.kill(signal)
  }

  async kill(): Promise<void> {
    this.#process.kill('SIGKILL')
    await this.exited()
  }

  async exited(): Promise<void> {
    await this.#exited
  }
}
