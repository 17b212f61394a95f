import { setTimeout as delay } from 'node:timers/promises'
import { describe, vi } from 'vitest'
import { DynamoDBProxy, dynamodbError } from '../support/dynamodb-proxy.js'
import { httpAnswers, outage, trouble } from './faults.js'
import type { MemberSettings } from './fleet.js'
import { it, type Scene } from './harness.js'

vi.setConfig({ maxConcurrency: 2 })

async function startFleet(scene: Scene, settings?: (name: string) => MemberSettings) {
  const engine = await scene.startDynalite()
  const fleet = await scene.startFleet({
    server: engine,
    client: 'dynamodb',
    namespace: engine.tableName,
    ...(settings === undefined ? {} : { settings }),
  })
  return { ...engine, fleet, of: fleet.verifierNames }
}

/** The verifiers go through a proxy; the revoker does not. */
async function startBehind(scene: Scene, proxyTo: (port: number) => Promise<{ readonly port: number }>) {
  const engine = await scene.startDynalite()
  const { port } = await proxyTo(engine.port)
  const fleet = await scene.startFleet({
    server: engine,
    client: 'dynamodb',
    namespace: engine.tableName,
    settings: (name) => (name.startsWith('verifier') ? { port } : {}),
  })
  return { ...engine, fleet, of: fleet.verifierNames }
}

async function startBehindTcpProxy(scene: Scene) {
  const proxies: Awaited<ReturnType<Scene['startProxy']>>[] = []
  const started = await startBehind(scene, async (port) => {
    const proxy = await scene.startProxy({ host: '127.0.0.1', port })
    proxies.push(proxy)
    return proxy
  })
  const [proxy] = proxies
  if (proxy === undefined) throw new Error('there is no proxy')
  return { ...started, proxy }
}

async function startProxy(scene: Scene, port: number): Promise<DynamoDBProxy & { port: number }> {
  const proxy = await DynamoDBProxy.start(port)
  scene.atEnd(() => proxy.close())
  return Object.assign(proxy, { port: Number(new URL(proxy.endpoint).port) })
}

describe('Verifiers over DynamoDB', () => {
  describe.concurrent('refuse what is revoked within the bound, and nothing else,', () => {
    it('while the connections are cut and healed', async ({ scene }) => {
      const { proxy, fleet, of } = await startBehindTcpProxy(scene)
      await outage(fleet, {
        of,
        through: proxy,
        answers: httpAnswers,
        begin: () => proxy.cut(),
        during: () => fleet.revoke(2),
        end: () => proxy.heal(),
      })
      await fleet.settled()
      await fleet.phase('healed')
      await fleet.check()
    })

    it('while the connections hang, and go on', async ({ scene }) => {
      const { proxy, fleet, of } = await startBehindTcpProxy(scene)
      await outage(fleet, {
        of,
        through: proxy,
        answers: httpAnswers,
        begin: () => proxy.hang(),
        during: () => fleet.revoke(2),
        end: () => proxy.heal(),
      })
      await fleet.settled()
      await fleet.phase('healed')
      await fleet.check()
    })

    it('while every answer is slow', async ({ scene }) => {
      const { proxy, fleet } = await startBehindTcpProxy(scene)
      await proxy.delay(75)
      await fleet.revoke(2)
      await fleet.phase('slow, and revoked')
      await fleet.settled()
      await proxy.heal()
      await fleet.check()
    })

    it('though it stands still for longer than the bound', async ({ scene }) => {
      const { dynalite, fleet, ...engine } = await startFleet(scene)
      await fleet.revoke(1)
      await outage(fleet, {
        through: engine,
        answers: httpAnswers,
        begin: () => dynalite.freeze(),
        end: () => dynalite.thaw(),
      })
      await fleet.revoke(1)
      await fleet.settled()
      await fleet.phase('it goes on')
      await fleet.check()
    })

    it('while it throttles everything, and then nothing', async ({ scene }) => {
      const holder: { proxy?: DynamoDBProxy & { port: number } } = {}
      const { fleet, of, ...engine } = await startBehind(scene, async (port) => {
        holder.proxy = await startProxy(scene, port)
        return holder.proxy
      })
      const { proxy } = holder
      if (proxy === undefined) throw new Error('there is no proxy')
      await outage(fleet, {
        of,
        through: engine,
        answers: httpAnswers,
        begin: () => {
          proxy.intercept = () => dynamodbError('ProvisionedThroughputExceededException')
        },
        during: () => fleet.revoke(2),
        end: () => {
          proxy.intercept = () => undefined
        },
      })
      await fleet.settled()
      await fleet.phase('not throttled')
      await fleet.check()
    })

    it('while it throttles every other request', async ({ scene }) => {
      const holder: { proxy?: DynamoDBProxy & { port: number } } = {}
      const { fleet, of } = await startBehind(scene, async (port) => {
        holder.proxy = await startProxy(scene, port)
        return holder.proxy
      })
      const { proxy } = holder
      if (proxy === undefined) throw new Error('there is no proxy')
      await trouble(fleet, of, async () => {
        proxy.intercept = ({ index }) => (index % 2 === 0 ? dynamodbError('ThrottlingException') : undefined)
        await fleet.revoke(2)
        await fleet.phase('half throttled')
        await fleet.settled()
        proxy.intercept = () => undefined
      })
      await fleet.phase('not throttled')
      await fleet.check()
    })

    it("though the revoker's clock is two minutes slow, and the verifiers' are all different", async ({
      scene,
    }) => {
      const offsets: Record<string, number> = {
        'revoker-1': -120_000,
        'verifier-1': 120_000,
        'verifier-2': -240_000,
        'verifier-3': 240_000,
      }
      const { fleet } = await startFleet(scene, (name) => ({ wallClockOffsetMs: offsets[name] ?? 0 }))
      await fleet.revoke(2)
      await fleet.settled()
      await fleet.phase('other clocks')
      await fleet.startMember('verifier-5')
      await fleet.settled()
      await fleet.check()
    })

    it('though a writer is slow to announce, and others overtake it', async ({ scene }) => {
      const engine = await scene.startDynalite()
      const proxy = await startProxy(scene, engine.port)
      const fleet = await scene.startFleet({
        server: engine,
        client: 'dynamodb',
        namespace: engine.tableName,
        revokers: 2,
        settings: (name) => (name === 'revoker-2' ? { port: proxy.port, commandTimeoutMs: 10_000 } : {}),
      })
      // The number is taken, and what it announces is late.
      proxy.intercept = async ({ operation, forward }) => {
        if (operation !== 'PutItem') return undefined
        await delay(2_500)
        return forward()
      }
      const slow = fleet.revoke(1, ['revoker-2'])
      await delay(300)
      await fleet.revoke(2)
      await fleet.phase('overtaken')
      await slow
      await fleet.settled()
      await fleet.phase('announced')
      await fleet.check()
    })

    it('though the revoker dies in the moment of the acknowledgement', async ({ scene }) => {
      const { fleet } = await startFleet(scene)
      await fleet.revokeAndDie(2, 'revoker-1')
      await fleet.phase('the revoker is gone')
      await fleet.settled()
      await fleet.startMember('verifier-5')
      await fleet.settled()
      await fleet.check()
    })
  })
})
