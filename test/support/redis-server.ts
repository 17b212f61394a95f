import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { accessSync, constants } from 'node:fs'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { connect as connectTls } from 'node:tls'
import { afterAll, beforeAll, describe, it } from 'vitest'
import { listenOnFreePort } from './tcp-proxy.js'

// As they are now: a test may put fake timers or a stopped clock in their place.
const { setTimeout: startTimer, clearTimeout: stopTimer } = globalThis
const now = performance.now.bind(performance)

/** Long enough for a machine that does much else; who waits so long sees what the server said. */
const START_WITHIN_MS = 20_000
const ANSWER_WITHIN_MS = 10_000
/** While it starts it is asked again and again, so that one answer can be done without. */
const PROBE_WITHIN_MS = 1000
const STOP_WITHIN_MS = 5000
const MAX_OUTPUT = 10_000
/** Redis Cluster's servers talk to each other on a second port, so much above the first. */
const BUS_OFFSET = 10_000
const SLOTS = 16_384

// What there is to test against --------------------------------------------------------------------------

/** Where a Redis is. A proxy's host and port can be put in place of its own: `{ ...redis, port: proxy.port }` */
export interface RedisAddress {
  readonly host: string
  readonly port: number
  readonly username?: string
  readonly password?: string
  readonly database?: number
  readonly tls?: boolean
}

/** What a suite needs: any Redis, or servers of its own, which it starts, kills and configures. */
export type RedisNeed = 'any' | 'own'

/** What becomes of a suite: it runs, or is skipped visibly, or, where all must run, fails. */
export interface RedisPlan {
  readonly action: 'run' | 'skip' | 'fail'
  /** Why it does not run. */
  readonly reason: string
}

type Environment = Readonly<Record<string, string | undefined>>

export function redisAvailable(need: RedisNeed = 'any', env: Environment = process.env): boolean {
  return redisServerPath(env) !== undefined || (need === 'any' && !!env.REDIS_URL)
}

export function planRedisSuite(need: RedisNeed, env: Environment = process.env): RedisPlan {
  if (redisAvailable(need, env)) return { action: 'run', reason: '' }
  // Somebody has chosen a Redis to test with: it is no mistake that there is no other.
  if (env.REDIS_URL)
    return { action: 'skip', reason: 'it starts servers itself, and no redis-server is there' }
  const reason = 'no redis-server is there: run `npm run engines`'
  return { action: /^(true|1)$/i.test(env.CI ?? '') ? 'fail' : 'skip', reason }
}

/** A suite that needs a Redis, see `sharedRedis`; without one it is skipped, or fails under `CI=true`. */
export function describeWithRedis(name: string, suite: () => void): void {
  describeByPlan(name, suite, planRedisSuite('any'))
}

/** A suite that starts Redis servers itself: `REDIS_URL` does not do for it. */
export function describeWithRedisServer(name: string, suite: () => void): void {
  describeByPlan(name, suite, planRedisSuite('own'))
}

function describeByPlan(name: string, suite: () => void, { action, reason }: RedisPlan): void {
  if (action === 'run') describe(name, suite)
  else if (action === 'skip') {
    // Also said aloud: vitest's default reporter only counts what is skipped.
    console.warn(`Skipped: ${name}: ${reason}`)
    describe.skip(`${name} (skipped: ${reason})`, suite)
  } else {
    describe(name, () => {
      it('has a Redis to run against', () => {
        throw new Error(reason)
      })
    })
  }
}

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

// A Redis for suites that need just any ------------------------------------------------------------------

export interface SharedRedis extends RedisAddress {
  /** Sends one command on a connection of its own. */
  run(...command: RedisCommand): Promise<RedisReply>
}

/** What would harm others who use the Redis that `REDIS_URL` names. */
const NOT_IN_SOMEBODYS_REDIS = /^(acl|config|debug|failover|flush.*|replicaof|shutdown|slaveof|swapdb)$/i

/**
 * The Redis of `REDIS_URL`, or one that is started for the suite or file this is called in. Other tests may
 * use the same one: keys go into namespaces of `freshNamespace`, and are removed in the end.
 */
export function sharedRedis(): () => SharedRedis {
  let redis: SharedRedis | undefined
  let end: () => Promise<unknown> = async () => {}
  beforeAll(async () => {
    if (!redisAvailable()) return
    if (process.env.REDIS_URL) {
      const address = parseRedisUrl(process.env.REDIS_URL)
      await sendCommand(address, 'PING')
      redis = { ...address, run: (...command) => runPolitely(address, command) }
      end = () => removeKeys(address, RUN)
    } else {
      const server = await startRedis()
      redis = server
      end = () => server.stop()
    }
  })
  afterAll(() => end())
  return () => {
    if (redis === undefined) throw new Error('there is a Redis in tests of `describeWithRedis` only')
    return redis
  }
}

/** What the names of this file's namespaces have in common, and no other file's. */
const RUN = `test-${randomBytes(6).toString('hex')}`
let namespaces = 0

/** A name for keys that nobody else uses: lower-case letters, digits and hyphens. */
export function freshNamespace(): string {
  namespaces += 1
  return `${RUN}-${namespaces}`
}

export function parseRedisUrl(text: string): RedisAddress {
  // The text may hold a password, which an error of URL's would show.
  if (!URL.canParse(text)) throw new Error('REDIS_URL is not a URL')
  const { protocol, hostname, port, username, password, pathname } = new URL(text)
  if (!/^(redis|valkey)s?:$/.test(protocol) || hostname === '') {
    throw new Error('REDIS_URL must be redis://… or rediss://…')
  }
  const database = Number(pathname.slice(1))
  if (!Number.isInteger(database)) throw new Error('the path of REDIS_URL must be the number of a database')
  return {
    host: hostname.replace(/^\[(.*)\]$/, '$1'),
    port: port === '' ? 6379 : Number(port),
    ...(username !== '' && { username: decodeURIComponent(username) }),
    ...(password !== '' && { password: decodeURIComponent(password) }),
    ...(database !== 0 && { database }),
    ...(/^(rediss|valkeys):$/.test(protocol) && { tls: true }),
  }
}

function runPolitely(address: RedisAddress, command: RedisCommand): Promise<RedisReply> {
  const [name] = command
  if (!NOT_IN_SOMEBODYS_REDIS.test(String(name))) return sendCommand(address, ...command)
  return Promise.reject(new Error(`${name} is not for the Redis of REDIS_URL: use startRedis()`))
}

async function removeKeys(address: RedisAddress, part: string): Promise<void> {
  let cursor = '0'
  do {
    const reply = await sendCommand(address, 'SCAN', cursor, 'MATCH', `*${part}*`, 'COUNT', 1000)
    const [next, keys] = reply as [string, string[]]
    if (keys.length > 0) await sendCommand(address, 'UNLINK', ...keys)
    cursor = next
  } while (cursor !== '0')
}

// A Redis of one's own -----------------------------------------------------------------------------------

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
export class RedisServer implements SharedRedis {
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

// A cluster ----------------------------------------------------------------------------------------------

export interface RedisCluster {
  /** Its primaries; each has a third of the slots. */
  readonly nodes: readonly RedisServer[]
  stop(): Promise<void>
}

export interface StartRedisClusterOptions {
  /** More settings of each server: `['--cluster-node-timeout', '1000']` */
  readonly config?: readonly string[]
}

/** Starts a cluster of three primaries without replicas. Redis takes 2 seconds before a new one is ready. */
export async function startRedisCluster({
  config = [],
}: StartRedisClusterOptions = {}): Promise<RedisCluster> {
  const nodes: RedisServer[] = []
  const stop = async () => {
    await Promise.all(nodes.map((node) => node.stop()))
  }
  const settings = ['--cluster-enabled', 'yes', '--cluster-announce-ip', '127.0.0.1', ...config]
  try {
    // One after the other: so each sees which ports the others have taken.
    while (nodes.length < 3) nodes.push(await startRedis({ config: settings }))
    await formCluster(nodes)
    return { nodes, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

async function formCluster(nodes: readonly RedisServer[]): Promise<void> {
  for (const [index, node] of nodes.entries()) {
    const first = Math.ceil((index * SLOTS) / nodes.length)
    const end = Math.ceil(((index + 1) * SLOTS) / nodes.length)
    // ADDSLOTSRANGE would be shorter, but is not there before Redis 7.
    await node.run('CLUSTER', 'ADDSLOTS', ...Array.from({ length: end - first }, (_, slot) => first + slot))
    await node.run('CLUSTER', 'SET-CONFIG-EPOCH', index + 1)
    for (const other of nodes.slice(0, index)) await node.run('CLUSTER', 'MEET', other.host, other.port)
  }
  let infos: string[] = []
  const isReady = async () => {
    infos = await Promise.all(nodes.map(async (node) => String(await node.run('CLUSTER', 'INFO'))))
    return [`cluster_state:ok`, `cluster_slots_ok:${SLOTS}`, `cluster_known_nodes:${nodes.length}`].every(
      (line) => infos.every((info) => info.includes(`${line}\r\n`)),
    )
  }
  await until(isReady, () => `the cluster did not form:\n${infos.join('\n')}`)
}

/** Asks again and again; an error of `check` ends it as well. */
async function until(check: () => Promise<boolean>, failure: () => string): Promise<void> {
  const giveUpAt = now() + START_WITHIN_MS
  while (!(await check())) {
    if (now() > giveUpAt) throw new Error(failure())
    await pass(10)
  }
}

function pass(ms: number): Promise<void> {
  return new Promise((resolve) => startTimer(resolve, ms))
}

// Redis's protocol, as much of it as one command takes ---------------------------------------------------

export type RedisCommand = readonly (string | number | Buffer)[]

/** What Redis answers; errors are among it only inside arrays, as of EXEC. */
export type RedisReply = string | number | null | Error | RedisReply[]

/** Sends one command on a connection of its own, and gives the answer; an error is thrown with Redis's words. */
export function sendCommand(address: RedisAddress, ...command: RedisCommand): Promise<RedisReply> {
  return exchange(address, command, ANSWER_WITHIN_MS)
}

function exchange(address: RedisAddress, command: RedisCommand, withinMs: number): Promise<RedisReply> {
  const { host, port, username, password, database, tls } = address
  const commands: RedisCommand[] = [command]
  if (database !== undefined) commands.unshift(['SELECT', database])
  if (password !== undefined) {
    commands.unshift(username === undefined ? ['AUTH', password] : ['AUTH', username, password])
  }
  return new Promise((resolve, reject) => {
    const socket = tls ? connectTls({ host, port, servername: host }) : connect({ host, port })
    const settle = (action: () => void) => {
      stopTimer(timer)
      socket.destroy()
      action()
    }
    const fail = (message: string) => settle(() => reject(new Error(`${command[0]}: ${message}`)))
    const timer = startTimer(() => fail(`no answer for ${withinMs} ms`), withinMs)
    let received: Buffer = Buffer.alloc(0)
    let awaited = commands.length
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk])
      for (let parsed = parseReply(received, 0); parsed !== undefined; parsed = parseReply(received, 0)) {
        const { reply, end } = parsed
        received = received.subarray(end)
        awaited -= 1
        if (reply instanceof Error) return settle(() => reject(reply))
        if (awaited === 0) return settle(() => resolve(reply))
      }
    })
    socket.on('error', (error: NodeJS.ErrnoException) => fail(error.message || String(error.code)))
    socket.on('close', () => fail('the connection was closed'))
    socket.write(Buffer.concat(commands.map(encodeCommand)))
  })
}

function encodeCommand(command: RedisCommand): Buffer {
  const parts = command.map((part) => (Buffer.isBuffer(part) ? part : Buffer.from(String(part))))
  return Buffer.concat([
    Buffer.from(`*${parts.length}\r\n`),
    ...parts.flatMap((part) => [Buffer.from(`$${part.length}\r\n`), part, Buffer.from('\r\n')]),
  ])
}

/** The reply that starts there, and where it ends; undefined while it is incomplete. */
function parseReply(bytes: Buffer, start: number): { reply: RedisReply; end: number } | undefined {
  const lineEnd = bytes.indexOf('\r\n', start)
  if (lineEnd < 0) return undefined
  const line = bytes.toString('utf8', start + 1, lineEnd)
  const end = lineEnd + 2
  switch (String.fromCharCode(bytes[start] ?? 0)) {
    case '+':
      return { reply: line, end }
    case '-':
      return { reply: new Error(line), end }
    case ':':
      return { reply: Number(line), end }
    case '$':
      return parseBulk(bytes, end, Number(line))
    case '*':
      return parseArray(bytes, end, Number(line))
    default:
      throw new Error(`this is not Redis's protocol: ${line}`)
  }
}

function parseBulk(bytes: Buffer, start: number, length: number) {
  if (length < 0) return { reply: null, end: start }
  const end = start + length + 2
  return bytes.length < end ? undefined : { reply: bytes.toString('utf8', start, end - 2), end }
}

function parseArray(bytes: Buffer, start: number, length: number) {
  if (length < 0) return { reply: null, end: start }
  const reply: RedisReply[] = []
  let end = start
  while (reply.length < length) {
    const element = parseReply(bytes, end)
    if (element === undefined) return undefined
    reply.push(element.reply)
    end = element.end
  }
  return { reply, end }
}
