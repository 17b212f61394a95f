import { randomUUID } from 'node:crypto'
import { createServer } from 'node:net'
import type { RedisServer } from '../support/redis-server.js'
import { listenOnFreePort } from '../support/tcp-proxy.js'
import { bundleOf, Child } from './child.js'
import type { ServiceSettings, ServiceTask } from './protocol.js'
import { until } from './until.js'

/** A revocation service over Redis, as its own process. */
export class Service {
  readonly host = '127.0.0.1'
  readonly namespace: string
  readonly #settings: ServiceSettings
  #child: Child | undefined

  private constructor(settings: ServiceSettings) {
    this.#settings = settings
    this.namespace = settings.namespace
  }

  static async start(redis: RedisServer, namespace = `faults-${randomUUID()}`): Promise<Service> {
    const service = new Service({ port: await freePort(), redisPort: redis.port, namespace })
    await service.restart()
    return service
  }

  get port(): number {
    return this.#settings.port
  }

  /** Starts it at the same port as before. */
  async restart(): Promise<void> {
    let hasStarted = false
    const onMessage = () => {
      hasStarted = true
    }
    this.#child = new Child(await bundleOf('service-worker'), this.#settings, { onMessage })
    await until(
      () => hasStarted,
      () => `the service; ${this.#child?.output}`,
    )
  }

  /** Has it take this key, and no other. */
  replaceKey(key: string): void {
    this.#child?.send({ key } satisfies ServiceTask)
  }

  freeze(): void {
    this.#child?.signal('SIGSTOP')
  }

  thaw(): void {
    this.#child?.signal('SIGCONT')
  }

  async kill(): Promise<void> {
    await this.#child?.kill()
  }
}

async function freePort(): Promise<number> {
  const server = createServer()
  const port = await listenOnFreePort(server)
  await new Promise((resolve) => server.close(resolve))
  return port
}
