import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { accessSync, constants } from 'node:fs'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import {
  exchange,
  type RedisAddress,
  type RedisCommand,
  type RedisReply,
  sendCommand,
} from './redis-protocol.js'
import { listenOnFreePort } from './tcp-proxy.js'

// As they are now: a test may put fake timers or a stopped clock in their place.
const { setTimeout: startTimer, clearTimeout: stopTimer } = globalThis
const now = performance.now.bind(performance)

/** Long enough for a machine that does much else; who waits so long sees what the server said. */
const START_WITHIN_MS = 20_000
/** While it starts it is asked again and again, so that one answer can be done without. */
const PROBE_WITHIN_MS = 1000
const STOP_WITHIN_MS = 5000
const MAX_OUTPUT = 10_000
/** Redis Cluster's servers talk to each other on a second port, so much above the first. */
const BUS_OFFSET = 10_000

export type Environment = Readonly<Record<string, string | undefined>>

/** The `redis-server`, or else the `valkey-server`, on the PATH. */
export function redisServerPath(env: Environment = process.env): string | undefined {
  const folders = (env.PATH ?? '').split(delimiter).filter((folder) => folder !== '')
  return ['redis-server', 'valkey-server']
    .flatMap((command) => folders.map((folder) => join(folder, command)))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK)
        return true
      } catch {
        return false
      }
    })
}

export interface StartRedisOptions {
  /** More of its settings, as on its command line: `['--appendonly', 'yes', '--appendfsync', 'always']` */
  readonly config?: readonly string[]
  /** Makes it a replica; its start takes until it has caught up. */
  readonly replicaOf?: RedisAddress
  /** What clients, `run` among them, have to give to be let in. */
  readonly password?: string
}

/** Starts a redis-server, or valkey-server, on a free port of 127.0.0.1. It keeps nothing on disk by default. */
export async function startRedis(options: StartRedisOptions = {}): Promise<RedisServer> {
  const path = redisServerPath()
  if (path === undefined) throw new Error('no redis-server is there: run `npm run engines`')
  for (let attempt = 1; ; attempt += 1) {
    const dir = await mkdtemp(join(tmpdir(), 'redis-'))
    const server = new RedisServer(path, dir, await findFreePort(), options)
    try {
      await server.start()
      return server
    } catch (error) {
      await server.stop()
      // Somebody else may have taken the port meanwhile.
      if (!(error instanceof PortTakenError) || attempt === 10) throw error
    }
  }
}

class PortTakenError extends Error {}

/** A server process. Its port and folder stay the same while it is killed and started again. */
export class RedisServer implements RedisAddress {
  readonly host = '127.0.0.1'
  readonly port: number
  readonly url: string
  /** Where it keeps what it keeps. */
  readonly dir: string
  readonly password?: string
  readonly #path: string
  readonly #options: StartRedisOptions
  #process: GuardedProcess | undefined
  #stopped = false

  /** It is not running yet: `startRedis` starts it. */
  constructor(path: string, dir: string, port: number, options: StartRedisOptions) {
    this.#path = path
    this.#options = options
    this.dir = dir
    this.port = port
    if (options.password !== undefined) this.password = options.password
    const credentials = options.password === undefined ? '' : `:${encodeURIComponent(options.password)}@`
    this.url = `redis://${credentials}${this.host}:${port}`
  }

  get pid(): number {
    return this.#running.pid
  }

  /** Sends one command on a connection of its own. */
  run(...command: RedisCommand): Promise<RedisReply> {
    return sendCommand(this, ...command)
  }

  /** Kills it as a crash would, and waits until it is gone. */
  async kill(): Promise<void> {
    await this.#process?.end('SIGKILL')
    this.#process = undefined
  }

  /** Starts it, with the settings that it was started with first, where it is not running. */
  async start(): Promise<void> {
    this.#assertNotStopped()
    if (this.#process?.hasEnded === false) throw new Error('this redis-server is running')
    this.#process = await this.#launch()
  }

  /**
   * Starts it anew, after ending it in order if it is running.
   *
   * @param keepData false empties its folder before; what it has kept by then depends on its settings
   */
  async restart({ keepData = true } = {}): Promise<void> {
    this.#assertNotStopped()
    await this.#process?.end('SIGTERM')
    if (!keepData) {
      await rm(this.dir, { recursive: true, force: true })
      await mkdir(this.dir)
    }
    // Others that look for a free port may hold this one for a moment.
    for (let attempt = 1; ; attempt += 1) {
      try {
        await this.start()
        return
      } catch (error) {
        if (!(error instanceof PortTakenError) || attempt === 10) throw error
        await pass(attempt * 20)
      }
    }
  }

  /** Stops the process without ending it: connections stay open, and nothing is answered. */
  pause(): void {
    process.kill(this.#running.pid, 'SIGSTOP')
  }

  resume(): void {
    process.kill(this.#running.pid, 'SIGCONT')
  }

  /** Ends it for good and removes its folder. */
  async stop(): Promise<void> {
    this.#stopped = true
    // Nobody needs what an orderly end would save.
    await this.kill()
    await rm(this.dir, { recursive: true, force: true, maxRetries: 3 })
  }

  #assertNotStopped(): void {
    if (this.#stopped) throw new Error('this redis-server was stopped for good')
  }

  get #running(): GuardedProcess {
    if (this.#process === undefined || this.#process.hasEnded) throw new Error('redis-server is not running')
    return this.#process
  }

  async #launch(): Promise<GuardedProcess> {
    const launched = new GuardedProcess(this.#path, this.#arguments(), this.dir)
    let refusal: unknown
    const isReady = async () => {
      if (launched.hasEnded) throw await launched.failure()
      const isServed = this.#isServedBy(launched.pid).catch((error: unknown) => {
        refusal = error
        return false
      })
      // Somebody else who has the port, or had it a moment ago, may never answer.
      return Promise.race([isServed, launched.exited.then(() => false)])
    }
    try {
      await until(isReady, () => `redis-server did not start: ${refusal}\n${launched.output}`)
      return launched
    } catch (error) {
      await launched.end('SIGKILL')
      throw error
    }
  }

  async #isServedBy(pid: number): Promise<boolean> {
    const info = String(await exchange(this, ['INFO'], PROBE_WITHIN_MS))
    // Another server, one that has taken the port meanwhile, would answer as well.
    if (!info.includes(`process_id:${pid}\r\n`)) throw new Error('another server answers')
    if (this.#options.replicaOf !== undefined && !info.includes('master_link_status:up')) {
      throw new Error('the replica has not caught up')
    }
    // Refused while it still loads what it has kept.
    return (await exchange(this, ['PING'], PROBE_WITHIN_MS)) === 'PONG'
  }

  #arguments(): string[] {
    const { config = [], replicaOf, password } = this.#options
    return [
      ...['--port', String(this.port), '--bind', this.host, '--dir', this.dir, '--daemonize', 'no'],
      ...['--save', '', '--appendonly', 'no'],
      // A first replica would have to wait for 5 seconds whether others come.
      ...['--repl-diskless-sync-delay', '0'],
      ...(password === undefined ? [] : ['--requirepass', password]),
      ...(replicaOf === undefined ? [] : ['--replicaof', replicaOf.host, String(replicaOf.port)]),
      ...(replicaOf?.username === undefined ? [] : ['--masteruser', replicaOf.username]),
      ...(replicaOf?.password === undefined ? [] : ['--masterauth', replicaOf.password]),
      ...config,
    ]
  }
}

/** A process that does not outlive this one, however this one ends. */
class GuardedProcess {
  readonly #child: ChildProcess
  readonly #guard: ChildProcess | undefined
  /** Resolves when it has ended. */
  readonly exited: Promise<unknown>
  /** Resolves when all that it said is there; a process that it has forked may go on for a while. */
  readonly #silent: Promise<unknown>
  #output = ''

  constructor(path: string, args: readonly string[], dir: string) {
    this.#child = spawn(path, args, { cwd: dir, stdio: ['ignore', 'pipe', 'pipe'] })
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      // It goes on logging, and would be stuck one day if that were not read.
      stream?.on('data', (chunk: Buffer) => this.#note(chunk.toString()))
    }
    this.#child.once('error', (error) => this.#note(error.message))
    this.exited = once(this.#child, 'exit').catch(() => {})
    this.#silent = once(this.#child, 'close').catch(() => {})
    if (this.#child.pid !== undefined) this.#guard = spawnGuard(this.#child.pid, dir)
    this.#child.once('exit', () => this.#guard?.kill('SIGKILL'))
  }

  get pid(): number {
    return this.#child.pid ?? -1
  }

  /** What it said last. */
  get output(): string {
    return this.#output
  }

  get hasEnded(): boolean {
    return this.#child.pid === undefined || this.#child.exitCode !== null || this.#child.signalCode !== null
  }

  /** Why it has ended by itself. */
  async failure(): Promise<Error> {
    await Promise.race([this.#silent, pass(1000)])
    const status = this.#child.signalCode ?? this.#child.exitCode ?? 'an error'
    const message = `redis-server ended with ${status}:\n${this.#output}`
    const isPortTaken = /Address already in use|Failed listening|Could not create server TCP/i.test(
      this.#output,
    )
    return isPortTaken ? new PortTakenError(message) : new Error(message)
  }

  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    if (!this.hasEnded) {
      this.#child.kill(signal)
      // A paused process would not notice a SIGTERM.
      this.#child.kill('SIGCONT')
      const timer = startTimer(() => this.#child.kill('SIGKILL'), STOP_WITHIN_MS)
      await this.exited
      stopTimer(timer)
    }
  }

  #note(text: string): void {
    this.#output = (this.#output + text).slice(-MAX_OUTPUT)
  }
}

/**
 * Waits for this process's end, which closes the pipe, also where no exit handler is run; then kills the
 * other one and removes its folder. In a group of its own, so that Ctrl+C leaves it time for that.
 */
function spawnGuard(pid: number, dir: string): ChildProcess {
  const script = 'while read -r line; do :; done; kill -9 "$0"; rm -rf "$1"'
  const guard = spawn('/bin/sh', ['-c', script, String(pid), dir], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  guard.on('error', () => {})
  guard.stdin.on('error', () => {})
  // It must not be what keeps this process from ending.
  guard.unref()
  const pipe = guard.stdin as Socket
  pipe.unref()
  return guard
}

async function findFreePort(): Promise<number> {
  for (let attempt = 1; attempt <= 50; attempt += 1) {
    const server = createServer()
    const port = await listenOnFreePort(server)
    const isFree = await canListenOn(port + BUS_OFFSET)
    server.close()
    await once(server, 'close')
    if (isFree) return port
  }
  throw new Error('there is no free port')
}

async function canListenOn(port: number): Promise<boolean> {
  const server = createServer().listen(port, '127.0.0.1')
  try {
    await once(server, 'listening')
  } catch {
    return false
  }
  server.close()
  await once(server, 'close')
  return true
}

/** Asks again and again; an error of `check` ends it as well. */
export async function until(check: () => Promise<boolean>, failure: () => string): Promise<void> {
  const giveUpAt = now() + START_WITHIN_MS
  while (!(await check())) {
    if (now() > giveUpAt) throw new Error(failure())
    await pass(10)
  }
}

function pass(ms: number): Promise<void> {
  return new Promise((resolve) => startTimer(resolve, ms))
}
