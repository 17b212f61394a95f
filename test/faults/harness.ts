import { randomUUID } from 'node:crypto'
import { createServer } from 'node:net'
import { test, vi } from 'vitest'
import { createTable } from '../../src/stores/dynamodb/index.js'
import { Dynalite, localClient } from '../support/dynalite.js'
import { type RedisServer, type StartRedisOptions, startRedis } from '../support/redis-server.js'
import { startTcpProxy, TcpProxy } from '../support/tcp-proxy.js'
import { Fleet, type FleetOptions } from './fleet.js'
import { Service } from './service.js'

// A scenario takes some seconds, most of them waiting; on a machine that does much else, many more.
vi.setConfig({ testTimeout: 60_000, maxConcurrency: 3 })

/** What a scenario starts; all is ended with it, however it ends. */
export class Scene {
  readonly #ends: (() => unknown)[] = []
  readonly #annotate: (note: string) => Promise<unknown>

  constructor(annotate: (note: string) => Promise<unknown>) {
    this.#annotate = annotate
  }

  async startRedis(options?: StartRedisOptions): Promise<RedisServer> {
    const redis = await startRedis(options)
    this.#ends.push(() => redis.stop())
    return redis
  }

  async startProxy(target: { readonly host: string; readonly port: number }): Promise<TcpProxy> {
    const proxy = await startTcpProxy({ host: target.host, port: target.port })
    this.#ends.push(() => proxy.close())
    return proxy
  }

  /** A table in a DynamoDB of its own. */
  async startDynalite() {
    const dynalite = await Dynalite.start()
    this.#ends.push(() => dynalite.stop())
    const client = localClient(dynalite.endpoint)
    const tableName = `faults-${randomUUID()}`
    await createTable({ client, tableName, ttl: false })
    client.destroy()
    return { host: '127.0.0.1', port: dynalite.port, dynalite, tableName }
  }

  async startService(redis: RedisServer, namespace?: string): Promise<Service> {
    const service = await Service.start(redis, namespace)
    this.#ends.push(() => service.kill())
    return service
  }

  /** Another proxy in the place of one, which leads elsewhere. */
  async redirect(
    proxy: TcpProxy,
    target: { readonly host: string; readonly port: number },
  ): Promise<TcpProxy> {
    await proxy.close()
    const other = new TcpProxy(createServer(), proxy.port, { host: target.host, port: target.port })
    await other.cut()
    // It waits for the port.
    await other.heal()
    this.#ends.push(() => other.close())
    return other
  }

  async startFleet(options: FleetOptions): Promise<Fleet> {
    const fleet = await Fleet.create(options, this.#annotate)
    this.#ends.push(() => fleet.end())
    await fleet.start()
    return fleet
  }

  atEnd(end: () => unknown): void {
    this.#ends.push(end)
  }

  async end(): Promise<void> {
    await Promise.all(
      this.#ends
        .splice(0)
        .reverse()
        .map((end) => end()),
    )
  }
}

/** A test with a scene of its own. */
export const it = test.extend<{ scene: Scene }>({
  scene: async ({ annotate }, use) => {
    const scene = new Scene(annotate)
    try {
      await use(scene)
    } finally {
      await scene.end()
    }
  },
})
