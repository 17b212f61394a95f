import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { redisClients, redisClusterClients } from './redis-clients.js'
import { type RedisCluster, startRedisCluster } from './redis-cluster.js'
import { parseRedisUrl, type RedisAddress, sendCommand } from './redis-protocol.js'
import { type RedisServer, redisServerPath, type StartRedisOptions, startRedis } from './redis-server.js'
import {
  describeWithRedis,
  describeWithRedisServer,
  freshNamespace,
  planRedisSuite,
  redisAvailable,
  sharedRedis,
} from './redis-suites.js'
import { listenOnFreePort, startTcpProxy, type TcpProxy } from './tcp-proxy.js'

/** What all these clients have in common. */
interface KeyValueClient {
  set(key: string, value: string): Promise<unknown>
  get(key: string): Promise<unknown>
}

const cleanUps: (() => unknown)[] = []

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp()
})

async function start(options?: StartRedisOptions): Promise<RedisServer> {
  const server = await startRedis(options)
  cleanUps.push(() => server.stop())
  return server
}

function tempFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'redis-support-'))
  cleanUps.push(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

function eventually(check: () => unknown): Promise<unknown> {
  return vi.waitFor(check, { timeout: 15_000, interval: 10 })
}

/** Whether nothing comes of it for a while: too short a while lets a fault pass, but fails nothing. */
async function isSilent(promise: Promise<unknown>, ms = 100): Promise<boolean> {
  const silence = new Promise<'silence'>((resolve) => setTimeout(resolve, ms, 'silence'))
  return (await Promise.race([promise, silence])) === 'silence'
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

describe('Whether Redis suites run', () => {
  const nothing = { PATH: '/nowhere' }

  it('is by a server on the PATH', () => {
    const folder = tempFolder()
    const path = join(folder, 'valkey-server')
    writeFileSync(path, '#!/bin/sh\n')
    expect(redisServerPath({ PATH: `/nowhere::${folder}` })).toBeUndefined()
    chmodSync(path, 0o755)
    expect(redisServerPath({ PATH: `/nowhere::${folder}` })).toBe(path)
    expect(planRedisSuite('own', { PATH: folder, CI: 'true' }).action).toBe('run')
  })

  it('is by REDIS_URL, for those that start no server themselves', () => {
    const env = { ...nothing, REDIS_URL: 'redis://127.0.0.1', CI: 'true' }
    expect(redisAvailable('any', env)).toBe(true)
    expect(planRedisSuite('any', env).action).toBe('run')
    expect(planRedisSuite('own', env)).toEqual({ action: 'skip', reason: expect.stringContaining('server') })
  })

  it.each(['any', 'own'] as const)('is no without (%s), which says what to do and fails in CI', (need) => {
    const reason = expect.stringContaining('npm run engines')
    expect(planRedisSuite(need, nothing)).toEqual({ action: 'skip', reason })
    expect(planRedisSuite(need, { ...nothing, CI: 'false' }).action).toBe('skip')
    expect(planRedisSuite(need, { ...nothing, CI: 'true' })).toEqual({ action: 'fail', reason })
    expect(planRedisSuite(need, { ...nothing, CI: '1' }).action).toBe('fail')
  })
})

describe('parseRedisUrl', () => {
  it.each<[string, RedisAddress]>([
    ['redis://localhost', { host: 'localhost', port: 6379 }],
    ['valkey://[::1]:7000/', { host: '::1', port: 7000 }],
    [
      'rediss://me:p%40ss@redis.example:6380/2',
      { host: 'redis.example', port: 6380, username: 'me', password: 'p@ss', database: 2, tls: true },
    ],
  ])('reads %s', (url, address) => {
    expect(parseRedisUrl(url)).toEqual(address)
  })

  it.each(['redis//secret', 'http://:secret@host', 'redis://:secret@host/name'])('refuses %s', (url) => {
    expect(() => parseRedisUrl(url)).toThrow(/^(?!.*secret).*REDIS_URL/)
  })
})

describe('freshNamespace', () => {
  it('never gives the same name', () => {
    const names = Array.from({ length: 100 }, freshNamespace)
    expect(new Set(names).size).toBe(100)
    for (const name of names) expect(name).toMatch(/^[a-z0-9-]+$/)
  })
})

describeWithRedisServer('startRedis', () => {
  it('starts a server of its own, and stops it with all that it leaves', async () => {
    const [one, other] = await Promise.all([start(), start()])
    expect(await one.run('SET', 'key', 'value')).toBe('OK')
    expect(await one.run('GET', 'key')).toBe('value')
    expect(await other.run('GET', 'key')).toBeNull()
    expect(await one.run('CONFIG', 'GET', 'save')).toEqual(['save', ''])
    const { pid, dir } = one
    expect(existsSync(dir)).toBe(true)
    await one.stop()
    expect(isAlive(pid)).toBe(false)
    expect(existsSync(dir)).toBe(false)
    await expect(one.run('PING')).rejects.toThrow('ECONNREFUSED')
    await expect(one.restart()).rejects.toThrow('for good')
    expect(() => one.pid).toThrow('not running')
    expect(await other.run('PING')).toBe('PONG')
  })

  it('sends commands with bytes and numbers, and gives every kind of answer', async () => {
    const server = await start()
    const long = 'ü'.repeat(100_000)
    expect(await server.run('SET', 'long', Buffer.from(long))).toBe('OK')
    expect(await server.run('GET', 'long')).toBe(long)
    expect(await server.run('EVAL', "return {1, {'two', false}, {}}", 0)).toEqual([1, ['two', null], []])
    await expect(server.run('NONSENSE')).rejects.toThrow("ERR unknown command 'NONSENSE'")
  })

  it('takes settings of a test', async () => {
    const server = await start({ config: ['--maxmemory', '3mb'], password: 'open sesame' })
    expect(await server.run('CONFIG', 'GET', 'maxmemory')).toEqual(['maxmemory', String(3 * 1024 * 1024)])
    const { host, port } = server
    await expect(sendCommand({ host, port }, 'PING')).rejects.toThrow('NOAUTH')
    expect(parseRedisUrl(server.url)).toEqual({ host, port, password: 'open sesame' })
    const { client, end } = await redisClients.nodeRedis.connect(server)
    cleanUps.push(end)
    expect(await client.ping()).toBe('PONG')
  })

  it('says what the server said where it does not start', async () => {
    await expect(startRedis({ config: ['--no-such-setting', '1'] })).rejects.toThrow('no-such-setting')
  })

  it('is killed as in a crash', async () => {
    const server = await start()
    const { pid } = server
    await server.kill()
    expect(isAlive(pid)).toBe(false)
    await expect(server.run('PING')).rejects.toThrow('ECONNREFUSED')
    await server.kill()
    await server.restart()
    expect(server.pid).not.toBe(pid)
    expect(await server.run('PING')).toBe('PONG')
  })

  it.each([
    ['keeps all after a crash', ['--appendonly', 'yes', '--appendfsync', 'always'], true, 'value'],
    ['keeps nothing without AOF', [], true, null],
    ['keeps nothing where its folder is emptied', ['--appendonly', 'yes'], false, null],
  ])('is started anew: %s', async (_, config, keepData, value) => {
    const server = await start({ config })
    const { port, dir } = server
    await server.run('SET', 'key', 'value')
    await server.kill()
    await server.restart({ keepData })
    expect(await server.run('GET', 'key')).toBe(value)
    expect(server).toMatchObject({ port, dir })
    await server.run('SET', 'key', 'value')
    await server.restart({ keepData })
    expect(await server.run('GET', 'key')).toBe(value)
  })

  it('is started anew where its port was taken for a moment', async () => {
    const server = await start()
    await server.kill()
    const intruder = createServer().listen(server.port, '127.0.0.1')
    await once(intruder, 'listening')
    setTimeout(() => intruder.close(), 50)
    await server.restart()
    expect(await server.run('PING')).toBe('PONG')
  })

  it('is paused and goes on', async () => {
    const server = await start()
    server.pause()
    const answer = server.run('PING')
    expect(await isSilent(answer)).toBe(true)
    server.resume()
    expect(await answer).toBe('PONG')
    server.pause()
    await server.restart()
    expect(await server.run('PING')).toBe('PONG')
    server.pause()
    await server.stop()
  })

  it('follows a primary, and is promoted', async () => {
    const primary = await start({ password: 'open sesame' })
    await primary.run('SET', 'before', '1')
    const replica = await start({ replicaOf: primary })
    expect(await replica.run('GET', 'before')).toBe('1')
    await primary.run('SET', 'after', '2')
    await eventually(async () => expect(await replica.run('GET', 'after')).toBe('2'))
    await expect(replica.run('SET', 'key', 'value')).rejects.toThrow('READONLY')
    await primary.kill()
    expect(await replica.run('REPLICAOF', 'NO', 'ONE')).toBe('OK')
    expect(await replica.run('SET', 'key', 'value')).toBe('OK')
    expect(await replica.run('GET', 'after')).toBe('2')
  })

  it('does not outlive a process that is killed', async () => {
    const program = `
      import { startRedis } from ${JSON.stringify(fileURLToPath(new URL('redis-server.ts', import.meta.url)))}
      const { pid, dir } = await startRedis()
      console.log(JSON.stringify({ pid, dir }))
      setInterval(() => {}, 1000)`
    const folder = tempFolder()
    writeFileSync(join(folder, 'program.mts'), program)
    const tsx = createRequire(import.meta.url).resolve('tsx')
    const child = spawn(process.execPath, ['--import', tsx, join(folder, 'program.mts')])
    cleanUps.push(() => child.kill('SIGKILL'))
    let said = ''
    child.stdout.on('data', (chunk) => {
      said += chunk
    })
    child.stderr.on('data', (chunk) => {
      said += chunk
    })
    await eventually(() => expect(said).toContain('}\n'))
    const { pid, dir } = JSON.parse(said)
    expect(isAlive(pid)).toBe(true)
    child.kill('SIGKILL')
    await eventually(() => expect(isAlive(pid)).toBe(false))
    await eventually(() => expect(existsSync(dir)).toBe(false))
  })
})

describeWithRedis('sharedRedis', () => {
  const redis = sharedRedis()

  it.each(Object.values(redisClients))('is reached by $name', async (kind) => {
    const key = freshNamespace()
    const { client, end } = await kind.connect(redis())
    cleanUps.push(end)
    const keyValue: KeyValueClient = client
    await keyValue.set(key, 'value')
    expect(await redis().run('GET', key)).toBe('value')
    expect(await keyValue.get(key)).toBe('value')
    await end()
    await expect(keyValue.get(key)).rejects.toThrow()
  })
})

describeWithRedisServer('sharedRedis with REDIS_URL', () => {
  // What a file does one after the other, in hooks around its tests.
  let server: RedisServer
  const key = freshNamespace()
  beforeAll(async () => {
    server = await startRedis({ password: 'open sesame' })
    vi.stubEnv('REDIS_URL', `${server.url}/1`)
  })
  afterAll(async () => {
    vi.unstubAllEnvs()
    await server.stop()
  })
  afterAll(async () => {
    expect(await sendCommand({ ...server, database: 1 }, 'EXISTS', key, 'theirs')).toBe(1)
  })

  describe('in its suite', () => {
    const redis = sharedRedis()

    it('uses that one, and removes no keys but those of its namespaces', async () => {
      expect(redis()).toMatchObject({ port: server.port, password: 'open sesame', database: 1 })
      expect(await redis().run('MSET', key, 'value', 'theirs', 'value')).toBe('OK')
      expect(await server.run('EXISTS', key)).toBe(0)
    })

    it.each(['FLUSHALL', 'flushdb', 'CONFIG', 'SHUTDOWN'])('does not send it %s', async (command) => {
      await expect(redis().run(command)).rejects.toThrow('startRedis')
    })
  })
})

describeWithRedisServer('Clients', () => {
  it.each(Object.values(redisClients))('$name is opened while Redis is down', async (kind) => {
    const server = await start()
    await server.kill()
    const { client, end } = kind.open(server)
    cleanUps.push(end)
    const keyValue: KeyValueClient = client
    const answer = keyValue.set('key', 'value')
    expect(await isSilent(answer)).toBe(true)
    await server.restart()
    expect(await answer).toBe('OK')
  })

  it.each(Object.values(redisClients))('$name ends quietly whatever state it is in', async (kind) => {
    const server = await start()
    const proxy = await startTcpProxy(server)
    cleanUps.push(() => proxy.close())
    const hung = await kind.connect(proxy)
    const hungCommand = (hung.client as KeyValueClient).get('key')
    await proxy.hang()
    const ends = [hung.end()]
    await expect(hungCommand.catch(() => 'failed')).resolves.toBeDefined()
    await proxy.heal()
    const cutOff = await kind.connect(proxy)
    await proxy.cut()
    ends.push(cutOff.end(), kind.open(proxy).end())
    await Promise.all(ends)
    await cutOff.end()
  })
})

describeWithRedisServer('startRedisCluster', () => {
  let cluster: RedisCluster
  const tags = Array.from({ length: 30 }, (_, index) => `tag-${index}`)
  beforeAll(async () => {
    cluster = await startRedisCluster()
  })
  afterAll(() => cluster?.stop())
  beforeEach(async () => {
    for (const node of cluster.nodes) await node.run('FLUSHALL')
  })

  it('covers all slots on every node', async () => {
    for (const node of cluster.nodes) {
      const slots = (await node.run('CLUSTER', 'SLOTS')) as [number, number, [string, number]][]
      const covered = slots.reduce((sum, [first, last]) => sum + last - first + 1, 0)
      expect(covered).toBe(16_384)
      expect(slots.map(([, , [host]]) => host)).toEqual(Array(3).fill('127.0.0.1'))
      expect(slots.map(([, , [, port]]) => port).sort()).toEqual(cluster.nodes.map(({ port }) => port).sort())
    }
  })

  it.each(Object.values(redisClusterClients))('takes keys of every slot from $name', async (kind) => {
    // One node is enough to find the others.
    const { client, end } = await kind.connect(cluster.nodes.slice(0, 1))
    cleanUps.push(end)
    const keyValue: KeyValueClient = client
    await Promise.all(tags.map((tag) => keyValue.set(`{${tag}}:key`, tag)))
    expect(await Promise.all(tags.map((tag) => keyValue.get(`{${tag}}:key`)))).toEqual(tags)
    const sizes = await Promise.all(cluster.nodes.map((node) => node.run('DBSIZE')))
    expect(Math.min(...(sizes as number[]))).toBeGreaterThan(0)
    expect((sizes as number[]).reduce((sum, size) => sum + size)).toBe(tags.length)
  })
})

describe('startTcpProxy', () => {
  let proxy: TcpProxy
  let target: Server
  const atTarget = new Set<Socket>()
  let received = 0

  /** Answers every byte with the same. */
  beforeEach(async () => {
    received = 0
    target = createServer((socket) => {
      atTarget.add(socket)
      socket.on('close', () => atTarget.delete(socket)).on('error', () => {})
      socket.on('data', (chunk) => {
        received += chunk.length
      })
      socket.pipe(socket)
    })
    proxy = await startTcpProxy({ port: await listenOnFreePort(target) })
  })
  afterEach(async () => {
    await proxy.close()
    for (const socket of atTarget) socket.destroy()
    target.close()
  })

  /** A client that takes down what comes back. */
  class Client {
    received = ''
    /** 'end' when the other side has said goodbye, 'closed' when it is gone. */
    state: 'open' | 'end' | 'closed' = 'open'
    error: NodeJS.ErrnoException | undefined
    readonly socket: Socket

    constructor() {
      this.socket = connect(proxy.port, '127.0.0.1')
      this.socket.setNoDelay(true)
      this.socket.on('data', (chunk) => {
        this.received += chunk.toString()
      })
      this.socket.on('end', () => {
        this.state = 'end'
      })
      this.socket.on('close', () => {
        this.state = 'closed'
      })
      this.socket.on('error', (error) => {
        this.error = error
      })
      cleanUps.push(() => this.socket.destroy())
    }

    send(text: string | Buffer): void {
      this.socket.write(text)
    }

    /** Sends it and waits until it has come back. */
    async exchange(text: string): Promise<void> {
      const before = this.received
      this.send(text)
      await eventually(() => expect(this.received).toBe(before + text))
    }
  }

  function pass(ms = 100): Promise<void> {
    return new Promise((resolve) => setTimeout(resolve, ms))
  }

  it('passes everything on, and counts', async () => {
    const [one, other] = [new Client(), new Client()]
    await Promise.all([one.exchange('hello'), other.exchange('world')])
    expect(proxy).toMatchObject({ connections: 2, total: 2 })
    one.socket.end('bye')
    await eventually(() => expect(one).toMatchObject({ state: 'closed', received: 'hellobye' }))
    await eventually(() => expect(proxy.connections).toBe(1))
    other.socket.resetAndDestroy()
    await eventually(() => expect(proxy.connections).toBe(0))
    await eventually(() => expect(atTarget.size).toBe(0))
    expect(proxy.total).toBe(2)
  })

  it("passes on the server's end, and that it is down", async () => {
    const client = new Client()
    await client.exchange('hello')
    target.close()
    for (const socket of atTarget) socket.end('bye')
    await eventually(() => expect(client).toMatchObject({ state: 'closed', received: 'hellobye' }))
    const late = new Client()
    await eventually(() => expect(late.state).toBe('closed'))
    await eventually(() => expect(proxy.connections).toBe(0))
  })

  it('passes on a lot, whoever is slow, without keeping much of it', async () => {
    const client = new Client()
    await client.exchange('hello')
    client.socket.pause()
    const lot = Buffer.alloc(32 * 1024 * 1024, 'x')
    client.send(lot)
    await eventually(() => expect(received).toBeGreaterThan(100_000))
    await pass(200)
    expect(received).toBeLessThan(lot.length)
    client.socket.resume()
    await eventually(() => expect(client.received.length).toBe(lot.length + 5))
  })

  it('cuts and heals', async () => {
    const client = new Client()
    await client.exchange('hello')
    await proxy.cut()
    await eventually(() => expect(client.state).toBe('closed'))
    await eventually(() => expect(atTarget.size).toBe(0))
    expect(proxy.connections).toBe(0)
    const refused = new Client()
    await eventually(() => expect(refused.error?.code).toBe('ECONNREFUSED'))
    await proxy.heal()
    await new Client().exchange('hello')
    expect(proxy.total).toBe(2)
  })

  it('can be told many things at once; the last one counts', async () => {
    await proxy.cut()
    const changes = [proxy.heal(), proxy.cut(), proxy.hang(), proxy.heal()]
    await Promise.all(changes)
    await new Client().exchange('hello')
    await Promise.all([proxy.cut(), proxy.heal(), proxy.cut()])
    const refused = new Client()
    await eventually(() => expect(refused.error?.code).toBe('ECONNREFUSED'))
    await proxy.heal()
    await new Client().exchange('hello')
  })

  it('waits to listen again where its port was taken for a moment', async () => {
    await proxy.cut()
    const intruder = createServer().listen(proxy.port, '127.0.0.1')
    await once(intruder, 'listening')
    const healed = proxy.heal()
    setTimeout(() => intruder.close(), 50)
    await healed
    await new Client().exchange('hello')
  })

  it('hangs, and loses nothing', async () => {
    const [client, leaving] = [new Client(), new Client()]
    await Promise.all([client.exchange('hello'), leaving.exchange('hello')])
    received = 0
    await proxy.hang()
    const late = new Client()
    for (const each of [client, late]) each.send(' held')
    for (const socket of atTarget) socket.write(' from the server')
    leaving.socket.end()
    await eventually(() => expect(proxy).toMatchObject({ connections: 2, total: 3 }))
    await pass()
    expect(received).toBe(0)
    expect(atTarget.size).toBe(2)
    expect(client).toMatchObject({ received: 'hello', state: 'open' })
    expect(late).toMatchObject({ received: '', state: 'open' })
    expect(leaving).toMatchObject({ received: 'hello', state: 'open' })
    await proxy.heal()
    await eventually(() => expect(client.received).toBe('hello from the server held'))
    await eventually(() => expect(late.received).toBe(' held'))
    await eventually(() => expect(leaving.state).toBe('closed'))
  })

  it('hides, while it hangs, that the server is gone', async () => {
    const client = new Client()
    await client.exchange('hello')
    await proxy.hang()
    for (const socket of atTarget) socket.destroy()
    await pass()
    expect(client.state).toBe('open')
    await proxy.heal()
    await eventually(() => expect(client.state).toBe('closed'))
  })

  it('swallows connections for ever', async () => {
    const client = new Client()
    await client.exchange('hello')
    received = 0
    await proxy.blackhole()
    const late = new Client()
    await eventually(() => expect(proxy.connections).toBe(2))
    await proxy.heal()
    for (const each of [client, late]) each.send(' lost')
    for (const socket of atTarget) socket.end(' lost')
    await new Client().exchange('hello')
    await pass()
    expect(received).toBe('hello'.length)
    expect(client).toMatchObject({ received: 'hello', state: 'open' })
    expect(late).toMatchObject({ received: '', state: 'open' })
    client.socket.destroy()
    await eventually(() => expect(proxy.connections).toBe(2))
  })

  it('is late, in order', async () => {
    const client = new Client()
    await client.exchange('hello')
    await proxy.delay(60)
    const start = performance.now()
    const words = Array.from({ length: 20 }, (_, index) => ` ${index}`)
    for (const word of words) {
      client.send(word)
      await pass(1)
    }
    await eventually(() => expect(client.received).toBe(`hello${words.join('')}`))
    expect(performance.now() - start).toBeGreaterThanOrEqual(120)
    await proxy.delay(60_000)
    client.send(' late')
    await pass()
    expect(client.received).not.toContain('late')
    await proxy.heal()
    await eventually(() => expect(client.received).toContain('late'))
  })

  it('is closed for good', async () => {
    const client = new Client()
    await client.exchange('hello')
    await proxy.close()
    await eventually(() => expect(client.state).toBe('closed'))
    await proxy.heal()
    const refused = new Client()
    await eventually(() => expect(refused.error?.code).toBe('ECONNREFUSED'))
  })
})

describe('npm run engines', () => {
  const script = fileURLToPath(new URL('../../scripts/engines.mjs', import.meta.url))

  /** Runs it with these programs on the PATH, shell scripts by name; gives all it said, and how it ended. */
  function runEngines(
    programs: Readonly<Record<string, string>>,
    env: Readonly<Record<string, string>> = {},
  ) {
    const folder = tempFolder()
    for (const [name, text] of Object.entries(programs)) {
      writeFileSync(join(folder, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 })
    }
    const { status, stdout, stderr } = spawnSync(process.execPath, [script], {
      env: { PATH: folder, HERE: folder, ...env },
      encoding: 'utf8',
    })
    return { status, said: stdout + stderr }
  }

  const redisServer = 'echo "Redis server v=7.2.4 sha=00000000:0"'
  const sudo = 'exec "$@"'
  const environment = 'export "$1"; shift; exec "$@"'
  /** Installs what prints a version, and takes down how it was called. */
  const aptGet = `
    echo "apt-get $* with $DEBIAN_FRONTEND"
    [ "$1" = update ] || { echo '#!/bin/sh\n${redisServer}' > "$HERE/redis-server"; /bin/chmod +x "$HERE/redis-server"; }`

  it.each(['redis-server', 'valkey-server'])('is content with %s on the PATH', (name) => {
    const { status, said } = runEngines({ [name]: redisServer, 'apt-get': aptGet })
    expect(said).toMatch(
      new RegExp(`^engines: Redis: there is ${name} 7\\.2\\.4 \\(.*\\); nothing to install\\.\n$`),
    )
    expect(status).toBe(0)
  })

  it('is content with REDIS_URL, and does not show its password', () => {
    const env = { REDIS_URL: 'rediss://me:secret@redis.example:6380/1' }
    const { status, said } = runEngines({ 'apt-get': aptGet }, env)
    expect(said).toContain('REDIS_URL (redis.example:6380); nothing to install')
    expect(said).not.toContain('secret')
    expect(status).toBe(0)
  })

  it('installs it by apt-get and says so, and stops the service', () => {
    const service = 'echo "service $*"'
    const { status, said } = runEngines({ 'apt-get': aptGet, env: environment, sudo, service })
    const lines = said.replaceAll('$ sudo ', '$ ').trim().split('\n')
    const install = 'apt-get install -y --no-install-recommends redis-server'
    expect(lines).toEqual([
      'engines: Redis: there is none; installing it.',
      'engines: $ apt-get update',
      'apt-get update with ',
      `engines: $ env DEBIAN_FRONTEND=noninteractive ${install}`,
      `${install} with noninteractive`,
      'engines: $ service redis-server stop',
      'service redis-server stop',
      expect.stringMatching(/^engines: Redis: installed redis-server 7\.2\.4 /),
    ])
    expect(status).toBe(0)
  })

  it.each<[string, Record<string, string>, string]>([
    ['there is no way', {}, 'neither apt-get nor'],
    ['an installation fails', { 'apt-get': 'exit 100', sudo }, 'exit code 100'],
    ['an installation brings nothing', { 'apt-get': ':', env: ':', sudo }, 'not on the PATH'],
  ])('fails, and says what to do, where %s', (_, programs, reason) => {
    const { status, said } = runEngines(programs)
    expect(said).toContain(reason)
    expect(said).toContain('engines: Install redis-server')
    expect(status).toBe(1)
  })
})
