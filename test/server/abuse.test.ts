import { Agent, request } from 'node:http'
import { connect, type Socket } from 'node:net'
import { afterEach, expect, it } from 'vitest'
import type { ObserverEvent } from '../../src/observer.js'
import { KEY, serve, session, tokenOf } from '../support/http-service.js'

const sockets: Socket[] = []
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy()
})

/** A client that sends this, then nothing more, and reads nothing of what it is sent. */
function slowClient(port: number, text: string): Socket {
  const socket = connect({ port, host: '127.0.0.1' }, () => socket.write(text))
  socket.on('error', () => {}).pause()
  sockets.push(socket)
  return socket
}

const HEAD = `host: localhost\r\nauthorization: Bearer ${KEY}\r\ncontent-type: application/json\r\n`
const good = JSON.stringify({ revocations: [session('never')] })

/** Ways to ask wrongly: path, method, key, body, status. */
const WRONG: readonly (readonly [path: string, method: string, key: string, body: string, status: number])[] =
  [
    ['/v1/revocations', 'POST', KEY, good.slice(0, -2), 400],
    ['/v1/revocations', 'POST', KEY, good.replace('"id":"never"', '"id":""'), 400],
    ['/v1/revocations', 'POST', `${KEY}x`, good, 401],
    ['/v1/revocations', 'POST', 'short', good, 401],
    ['/v1/find', 'POST', KEY, good, 400],
    ['/v1/find', 'POST', KEY, '\u0000', 400],
    ['/v1/find', 'POST', KEY, '[[[[', 400],
    ['/v1/find', 'DELETE', KEY, '', 405],
    ['/%00', 'POST', KEY, good, 404],
    ['/v1/changes?request=!', 'GET', KEY, '', 400],
  ]

function ask(agent: Agent, port: number, index: number): Promise<boolean> {
  const [path, method, key, body, status] = WRONG[index % WRONG.length] as (typeof WRONG)[number]
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' }
  return new Promise((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', port, path, method, agent, headers }, (answer) => {
      answer.resume().on('end', () => resolve(answer.statusCode === status))
    })
    asked.on('error', reject).end(body)
  })
}

it('10,000 malformed requests do not hold up who asks rightly; each is refused, and told of once', {
  timeout: 90_000,
}, async () => {
  const told: ObserverEvent[] = []
  const { listener, client, store, close } = await serve({ observer: (event) => told.push(event) })
  const agent = new Agent({ keepAlive: true, maxSockets: 20 })
  const served = client()
  let isOver = false
  const serving = (async () => {
    let count = 0
    for (; !isOver; count++) {
      await served.add([session(`good ${count}`)])
      expect(await served.find(tokenOf(session(`good ${count}`)))).toBeDefined()
    }
    return count
  })()
  let right = 0
  let next = 0
  const asking = Array.from({ length: 20 }, async () => {
    while (next < 10_000) if (await ask(agent, listener.port, next++)) right += 1
  })
  await Promise.all(asking)
  isOver = true
  expect(await serving).toBeGreaterThan(0)
  expect(right).toBe(10_000)
  expect(told.filter(({ type }) => type === 'service_request_refused')).toHaveLength(10_000)
  expect(JSON.stringify(told)).not.toContain(KEY)
  expect(await store.find(tokenOf(session('never')))).toBeUndefined()
  agent.destroy()
  await close()
})

it('200 slow clients do not hold up who asks rightly, and are ended', async () => {
  const told: ObserverEvent[] = []
  const { listener, client, store, close } = await serve({
    ...{ observer: (event) => told.push(event), bodyTimeoutMs: 400, stalledStreamMs: 400 },
    listen: { headersTimeoutMs: 400, requestTimeoutMs: 800, stalledClientMs: 400 },
  })
  // More than the system's buffers hold of what a stream begins with.
  const text = '日'.repeat(240)
  for (let part = 0; part < 10; part++) {
    await store.add(Array.from({ length: 1_200 }, (_, index) => session(`${text}${part}-${index}`)))
  }
  const { port } = listener
  const slow = Array.from({ length: 200 }, (_, index) => {
    if (index % 20 === 0) return slowClient(port, `GET /v1/changes HTTP/1.1\r\n${HEAD}\r\n`)
    if (index % 2 === 0) return slowClient(port, 'POST /v1/find HTTP/1.1\r\nhost: localhost\r\nx: ')
    return slowClient(port, `POST /v1/revocations HTTP/1.1\r\n${HEAD}content-length: 500\r\n\r\n{"rev`)
  })
  const served = client()
  const seen = new Set<string>()
  let isOver = false
  const reading = (async () => {
    for await (const { revocations } of served.changes({ signal: AbortSignal.timeout(18_000) })) {
      for (const { id } of revocations) seen.add(id)
      if (isOver && seen.has('last')) return
    }
  })()
  let ended = 0
  for (const socket of slow) {
    // To notice its end, it has to read: those of streams are seen in what the service tells.
    if (slow.indexOf(socket) % 20 !== 0) socket.resume().on('close', () => (ended += 1))
  }
  for (let count = 0; ended < 190; count++) {
    await served.add([session(`good ${count}`)])
    expect(await served.find(tokenOf(session(`good ${count}`)))).toBeDefined()
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  const stalled = () => told.filter((event) => event.type === 'service_stream_ended').length
  await expect.poll(stalled, { timeout: 10_000 }).toBe(10)
  isOver = true
  await served.add([session('last')])
  await reading
  expect(seen.has('last')).toBe(true)
  expect(told.filter((event) => 'reason' in event && event.reason !== 'not_reading')).toEqual([])
  await close()
})
