import { once } from 'node:events'
import { createServer, get, type IncomingMessage, type ServerResponse } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import express from 'express'
import Fastify from 'fastify'
import Koa from 'koa'
import { describe, expect, it, onTestFinished } from 'vitest'
import { endEventStreamOnRevocation } from '../../../src/middleware/connections/index.js'
import { serve, usePool, watchForUnhandled } from '../harness.js'
import { Scene, until } from './scene.js'

const poolOf = usePool()
const HEAD = { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' }

/** What a client reads until the stream ends. */
interface Stream {
  readonly response: IncomingMessage
  readonly text: Promise<string>
}

async function open(port: number): Promise<Stream> {
  const request = get({ host: '127.0.0.1', port, agent: false })
  onTestFinished(() => void request.destroy())
  const [response] = (await once(request, 'response')) as [IncomingMessage]
  const read = async () => {
    let text = ''
    for await (const chunk of response) text += chunk
    return text
  }
  return { response, text: read() }
}

function begin(response: ServerResponse): ServerResponse {
  response.writeHead(200, HEAD).write('data: hello\n\n')
  return response
}

describe('A stream of server-sent events', () => {
  it('ends when its session is revoked', async () => {
    const scene = new Scene(poolOf())
    const claims = await scene.claims()
    const { observer } = scene
    const port = await serve((_, response) => {
      endEventStreamOnRevocation(begin(response), scene, claims, { observer })
    })
    const { text } = await open(port)
    await scene.revoker.revokeSession(claims)
    expect(await text).toBe('data: hello\n\n')
    expect(scene.events).toEqual([{ type: 'connection_closed', reason: 'revoked' }])
    await until(() => scene.watching === 0)
  })

  it('ends with a last event where the owner wants one', async () => {
    const scene = new Scene(poolOf())
    const claims = await scene.claims()
    const port = await serve((_, response) => {
      endEventStreamOnRevocation(begin(response), scene, claims, { lastEvent: true })
    })
    const { text } = await open(port)
    await scene.revoker.revokeSession(claims)
    expect(await text).toBe('data: hello\n\nevent: revoked\ndata: revoked\n\n')
  })

  it.each<[string, (handle: (response: ServerResponse) => void) => Promise<number>]>([
    ['Express', async (handle) => serve(express().get('/', (_, response) => handle(response)))],
    [
      'Koa',
      async (handle) => {
        const app = new Koa()
        app.use((context) => {
          context.respond = false
          handle(context.res)
        })
        return serve(app.callback())
      },
    ],
    [
      'Fastify',
      async (handle) => {
        const app = Fastify()
        app.get('/', (_, reply) => {
          reply.hijack()
          handle(reply.raw)
        })
        onTestFinished(() => app.close())
        await app.listen({ port: 0, host: '127.0.0.1' })
        return (app.server.address() as AddressInfo).port
      },
    ],
  ])('ends in %s, too', async (_, listen) => {
    const scene = new Scene(poolOf())
    const claims = await scene.claims()
    const port = await listen((response) => {
      endEventStreamOnRevocation(begin(response), scene, claims)
    })
    const { text } = await open(port)
    await scene.revoker.revokeSession(claims)
    expect(await text).toBe('data: hello\n\n')
  })

  it('ends when its token has expired', async () => {
    const scene = new Scene(poolOf())
    const claims = await scene.claims()
    scene.pass(3_600)
    const port = await serve((_, response) => {
      endEventStreamOnRevocation(begin(response), scene, claims, { lastEvent: true })
    })
    expect(await (await open(port)).text).toContain('event: expired\n')
  })

  it('ends when it cannot be watched, and the observer is told why', async () => {
    const unhandled = watchForUnhandled()
    const scene = new Scene(poolOf())
    const { observer } = scene
    const port = await serve((_, response) => {
      endEventStreamOnRevocation(begin(response), scene, undefined as never, { observer })
    })
    expect(await (await open(port)).text).toBe('data: hello\n\n')
    expect(scene.events).toMatchObject([{ reason: 'unavailable', error: expect.any(Error) }])
    expect(unhandled).toEqual([])
  })

  it('is broken off, not answered with 200, where it has not begun', async () => {
    const scene = new Scene(poolOf())
    const claims = await scene.claims()
    const port = await serve((_, response) => {
      endEventStreamOnRevocation(response, scene, claims)
      void scene.revoker.revokeSession(claims)
    })
    await expect(open(port)).rejects.toThrow('socket hang up')
  })

  it('lets the application go on writing for a while, without an error', async () => {
    const unhandled = watchForUnhandled()
    const scene = new Scene(poolOf())
    const claims = await scene.claims()
    let written: unknown
    const port = await serve((_, response) => {
      const { ended } = endEventStreamOnRevocation(begin(response), scene, claims)
      void ended.then(() => {
        written = response.write('data: too late\n\n')
      })
    })
    const { text } = await open(port)
    await scene.revoker.revokeSession(claims)
    expect(await text).toBe('data: hello\n\n')
    await pause(0)
    expect(written).toBe(false)
    expect(unhandled).toEqual([])
  })

  it('is broken off where the client does not take in the rest', async () => {
    const scene = new Scene(poolOf())
    const claims = await scene.claims()
    let response: ServerResponse | undefined
    const server = createServer((_, its) => {
      response = its
      begin(its).write(Buffer.alloc(16_000_000, 'x'))
      endEventStreamOnRevocation(its, scene, claims, { closeTimeoutMs: 20 })
    }).listen(0, '127.0.0.1')
    onTestFinished(() => void server.close())
    await once(server, 'listening')
    // It never reads.
    const client = connect((server.address() as AddressInfo).port, '127.0.0.1')
    onTestFinished(() => void client.destroy())
    client.on('error', () => {}).write('GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n')
    await until(() => response !== undefined)
    await scene.revoker.revokeSession(claims)
    await once(response as ServerResponse, 'close')
    expect(response?.destroyed).toBe(true)
  })

  it('is broken off where it cannot end: the application promised more', async () => {
    const unhandled = watchForUnhandled()
    const scene = new Scene(poolOf())
    const { observer } = scene
    const claims = await scene.claims()
    const port = await serve((_, response) => {
      response.strictContentLength = true
      response.writeHead(200, { 'Content-Length': 100 }).write('data: hello\n\n')
      endEventStreamOnRevocation(response, scene, claims, { observer })
    })
    const { text } = await open(port)
    await scene.revoker.revokeSession(claims)
    await expect(text).rejects.toThrow('aborted')
    expect(scene.events).toEqual([
      { type: 'connection_closed', reason: 'revoked', error: expect.objectContaining({ name: 'Error' }) },
    ])
    expect(unhandled).toEqual([])
  })

  it('is not watched any more once the client has gone, or the application has ended it', async () => {
    const scene = new Scene(poolOf())
    const claims = await scene.claims()
    const ends: unknown[] = []
    const responses: ServerResponse[] = []
    const port = await serve((_, response) => {
      responses.push(response)
      const { ended } = endEventStreamOnRevocation(begin(response), scene, claims)
      void ended.then((end) => ends.push(end))
    })
    const [first, second] = [await open(port), await open(port)]
    first.text.catch(() => {})
    first.response.destroy()
    responses[1]?.end()
    await second.text
    await until(() => ends.length === 2)
    expect(ends).toEqual(['closed', 'closed'])
    expect(scene.watching).toBe(0)
  })

  it('is not watched at all where it is over already', async () => {
    const scene = new Scene(poolOf())
    const claims = await scene.claims()
    let end: unknown
    const port = await serve((_, response) => {
      response.on('close', () => {
        end = endEventStreamOnRevocation(response, scene, claims).ended
      })
      begin(response).end()
    })
    await (await open(port)).text
    await until(() => end !== undefined)
    expect(await end).toBe('closed')
    expect(scene.watching).toBe(0)
  })

  it.each<[string, object]>([
    ['lastEvent', { lastEvent: 'revoked' }],
    ['closeTimeoutMs', { closeTimeoutMs: -1 }],
    ['observer', { observer: {} }],
    ['event', { event: 'revoked' }],
  ])('is broken off, and a TypeError thrown, where an option is wrong: %s', async (option, options) => {
    const scene = new Scene(poolOf())
    const claims = await scene.claims()
    let thrown: unknown
    const port = await serve((_, response) => {
      try {
        endEventStreamOnRevocation(response, scene, claims, options)
      } catch (error) {
        thrown = error
      }
    })
    await expect(open(port)).rejects.toThrow('socket hang up')
    expect(thrown).toBeInstanceOf(TypeError)
    expect(String(thrown)).toContain(option)
  })
})
