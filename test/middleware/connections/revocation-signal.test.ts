import { getEventListeners, once } from 'node:events'
import { getRequestListener } from '@hono/node-server'
import { Hono } from 'hono'
import { streamSSE } from 'hono/streaming'
import { describe, expect, it } from 'vitest'
import { RevocationUnavailableError, TokenExpiredError, TokenRevokedError } from '../../../src/index.js'
import { revocationSignal } from '../../../src/middleware/connections/index.js'
import { serve, usePool, watchForUnhandled } from '../harness.js'
import { Scene, until } from './scene.js'

const poolOf = usePool()

describe('The signal of a session', () => {
  it('is aborted with a TokenRevokedError when the session is revoked', async () => {
    const scene = new Scene(poolOf())
    const claims = await scene.claims()
    const { signal } = new AbortController()
    const over = revocationSignal(scene, claims, { signal })
    expect(over.aborted).toBe(false)
    await scene.revoker.revokeSession(claims)
    await once(over, 'abort')
    expect(over.reason).toBeInstanceOf(TokenRevokedError)
    expect(getEventListeners(signal, 'abort')).toEqual([])
  })

  it('is aborted with a TokenExpiredError when the token has expired', async () => {
    const scene = new Scene(poolOf())
    const claims = await scene.claims()
    scene.pass(3_600)
    const over = revocationSignal(scene, claims, { signal: new AbortController().signal })
    await once(over, 'abort')
    expect(over.reason).toBeInstanceOf(TokenExpiredError)
  })

  it('is aborted with a RevocationUnavailableError when it cannot be known, and the observer is told why', async () => {
    const unhandled = watchForUnhandled()
    const scene = new Scene(poolOf())
    const { observer } = scene
    const { signal } = new AbortController()
    const over = revocationSignal(scene, undefined as never, { signal, observer })
    await once(over, 'abort')
    expect(over.reason).toBeInstanceOf(RevocationUnavailableError)
    expect(scene.events).toMatchObject([{ type: 'connection_closed', error: expect.any(Error) }])
    expect(unhandled).toEqual([])
  })

  it('is aborted with the reason of the signal that ends it, and watches no longer', async () => {
    const scene = new Scene(poolOf())
    const done = new AbortController()
    const over = revocationSignal(scene, await scene.claims(), { signal: done.signal })
    expect(scene.watching).toBe(1)
    done.abort(new Error('the client is gone'))
    expect(over.reason).toEqual(new Error('the client is gone'))
    await until(() => scene.watching === 0)
  })

  it('is aborted from the start where that signal is', async () => {
    const scene = new Scene(poolOf())
    const signal = AbortSignal.abort(new Error('gone'))
    expect(revocationSignal(scene, await scene.claims(), { signal }).reason).toEqual(new Error('gone'))
    expect(scene.watching).toBe(0)
  })

  it.each([
    ['signal', {}],
    ['signal', { signal: {} }],
    ['observer', { signal: new AbortController().signal, observer: 5 }],
    ['closeTimeoutMs', { signal: new AbortController().signal, closeTimeoutMs: 5 }],
  ])('needs its options right: %s', async (option, options) => {
    const scene = new Scene(poolOf())
    const claims = await scene.claims()
    expect(() => revocationSignal(scene, claims, options as never)).toThrow(option)
    expect(() => revocationSignal(scene, claims, options as never)).toThrow(TypeError)
  })
})

describe('A stream that goes by the signal', () => {
  it("ends when the session is revoked: Hono's streamSSE", async () => {
    const scene = new Scene(poolOf())
    const claims = await scene.claims()
    const app = new Hono().get('/', (context) =>
      streamSSE(context, async (stream) => {
        const done = new AbortController()
        stream.onAbort(() => done.abort())
        const over = revocationSignal(scene, claims, { signal: done.signal })
        try {
          await stream.writeSSE({ data: 'hello' })
          if (!over.aborted) await once(over, 'abort')
        } finally {
          done.abort()
        }
      }),
    )
    const port = await serve(getRequestListener(app.fetch))
    const [ends, goes] = [new AbortController(), new AbortController()]
    const answer = await fetch(`http://127.0.0.1:${port}/`, { signal: ends.signal })
    await fetch(`http://127.0.0.1:${port}/`, { signal: goes.signal })
    await until(() => scene.watching === 2)
    goes.abort()
    await until(() => scene.watching === 1)
    await scene.revoker.revokeSession(claims)
    expect(await answer.text()).toBe('data: hello\n\n')
    await until(() => scene.watching === 0)
  })

  it('ends when the session is revoked: a ReadableStream', async () => {
    const scene = new Scene(poolOf())
    const claims = await scene.claims()
    const streamOf = () => {
      const done = new AbortController()
      const over = revocationSignal(scene, claims, { signal: done.signal })
      return new ReadableStream({
        start(controller) {
          controller.enqueue('data: hello\n\n')
          over.addEventListener('abort', () => controller.error(over.reason))
        },
        cancel: () => done.abort(),
      })
    }
    const [one, two] = [streamOf().getReader(), streamOf().getReader()]
    await one.read()
    await scene.revoker.revokeSession(claims)
    await expect(one.read()).rejects.toThrow(TokenRevokedError)
    await two.cancel().catch(() => {})
    await until(() => scene.watching === 0)
  })
})
