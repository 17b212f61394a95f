import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { setTimeout as delay } from 'node:timers/promises'
import { Redis } from 'ioredis'

/** A Redis of the demo's own: on loopback, without persistence, so that it comes back empty. */
export class RedisServer {
  readonly port: number
  #process: ReturnType<typeof spawn> | undefined

  constructor(port: number) {
    this.port = port
  }

  static async start(): Promise<RedisServer> {
    const server = new RedisServer(await freePort())
    await server.start()
    return server
  }

  async start(): Promise<void> {
    const options = ['--bind', '127.0.0.1', '--port', `${this.port}`, '--save', '', '--appendonly', 'no']
    for (const command of ['redis-server', 'valkey-server']) {
      const child = spawn(command, options, { stdio: 'ignore', cwd: tmpdir() })
      const failed = once(child, 'error')
      if (await Promise.race([failed.then(() => false), once(child, 'spawn').then(() => true)])) {
        this.#process = child
        return this.#answering()
      }
    }
    throw new Error('There is no redis-server or valkey-server here: npm run engines')
  }

  /** SIGKILL: it says goodbye to nobody. */
  async kill(): Promise<void> {
    const child = this.#process
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    const ended = once(child, 'exit')
    child.kill('SIGKILL')
    await ended
  }

  /** How many revocations it holds. */
  async revocations(): Promise<number> {
    const redis = new Redis(this.port, '127.0.0.1')
    try {
      const members = await redis.zrange('{cognito-revocation:0}:expires', '0', '-1')
      return members.filter((member) => !member.startsWith('g:')).length
    } finally {
      redis.disconnect()
    }
  }

  async #answering(): Promise<void> {
    const redis = new Redis(this.port, '127.0.0.1', { lazyConnect: true, retryStrategy: () => 20 })
    redis.on('error', () => {})
    await Promise.race([
      redis.ping(),
      delay(10_000, undefined, { ref: false }).then(() => {
        throw new Error('Redis did not answer within 10 s')
      }),
    ]).finally(() => redis.disconnect())
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  if (address === null || typeof address === 'string') throw new Error('no free port')
  return address.port
}
