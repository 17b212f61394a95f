import { Agent, request } from 'node:http'
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import { type Scene, type Session, thrownBy, useScene } from '../support/scene.js'
import { watchForUnhandled } from './harness.js'
import { MOUNTS } from './logout/mounts.js'
import * as is from './logout/service.js'
import { bearer, COOKIE, gist, JSON_TYPE, LogoutService, OWN } from './logout/service.js'

const createScene = useScene()

describe.each(MOUNTS)('revokeSessionHandler of $name', (mount) => {
  let scene: Scene
  let byBody: LogoutService
  let byCookie: LogoutService
  let broken: LogoutService
  /** Of this one no request makes anything. */
  let session: Session

  beforeAll(async () => {
    scene = createScene()
    byBody = await LogoutService.start(mount, scene)
    byCookie = await LogoutService.start(mount, scene, is.FROM_COOKIE)
    session = await signIn()
    const client = { revokeRefreshToken: () => Promise.reject(new RangeError('a bug')) }
    broken = await LogoutService.start(mount, scene, {}, client)
  })
  afterEach(() => {
    scene.store.failAdds = 0
    scene.takeCalls()
  })
  afterAll(() => Promise.all([byBody.close(), byCookie.close(), broken.close()]))

  /** A session of which this process knows nothing. */
  const signIn = async () => {
    const session = await scene.signIn(scene.user, scene.createClient())
    scene.takeCalls()
    return session
  }

  const expectOver = async (ended: Session) => {
    expect(await scene.judge(ended)).toBe('token_revoked')
    const error = await thrownBy(() => scene.createClient().refresh(ended))
    expect(error.code).toBe('refresh_token_revoked')
  }

  const expectUntouched = async () => {
    expect(scene.takeCalls()).toEqual([])
    expect(await scene.judge(session)).toBe('accepted')
  }

  it('ends the session of a refresh token in the body, and no other', async () => {
    const ended = await signIn()
    expect(gist(await byBody.byBody(ended.refreshToken))).toEqual(is.DONE)
    await expectOver(ended)
    expect(await scene.judge(session)).toBe('accepted')
  })

  it('ends the session of a refresh token in the cookie, and clears that', async () => {
    const ended = await signIn()
    expect(gist(await byCookie.byCookie(ended.refreshToken))).toEqual(is.DONE_AND_CLEARED)
    await expectOver(ended)
  })

  it.skipIf(mount.isAlone)('leaves the cookies of others', async () => {
    const { refreshToken } = await signIn()
    const { headers } = await byCookie.byCookie(refreshToken)
    expect(headers['set-cookie']).toEqual(['theme=dark', is.CLEARED])
  })

  it.skipIf(mount.parses)('needs no body where the refresh token is in the cookie', async () => {
    const { refreshToken } = await signIn()
    const headers = { ...OWN, cookie: `${COOKIE}=${refreshToken}` }
    expect(gist(await byCookie.send({ headers }))).toEqual(is.DONE_AND_CLEARED)
  })

  it.each([
    ['a refresh token in camel case', '{"refreshToken":"x"}'],
    ['none', '{}'],
    ['an empty one', '{"refresh_token":""}'],
    ['null', '{"refresh_token":null}'],
    ['a number', '{"refresh_token":5}'],
    ['two in an array', '{"refresh_token":["a","b"]}'],
    ['an object', '{"refresh_token":{"toString":"x"}}'],
    ['one that is inherited', '{"__proto__":{"refresh_token":"x"}}'],
    ['an array', '[{"refresh_token":"x"}]'],
  ])('refuses %s', async (_, body) => {
    const answer = await byBody.send({ headers: JSON_TYPE, body })
    // A parser of the application's own may refuse it first.
    if (mount.parses && !answer.headers['content-type']?.includes('problem')) expect(answer.status).toBe(400)
    else expect(gist(answer)).toEqual(is.NO_TOKEN)
    expect(scene.takeCalls()).toEqual([])
  })

  it.each([
    ['no JSON', '{"refresh_token":"x'],
    ['null', 'null'],
    ['a string', '"x"'],
    ['nothing', ''],
    ['what is no UTF-8', Buffer.from('{"refresh_token":"\xff"}', 'latin1')],
    ['another encoding', Buffer.from('{"refresh_token":"x"}', 'utf16le')],
  ])('refuses a body that is %s', async (_, body) => {
    const answer = await byBody.send({ headers: JSON_TYPE, body })
    expect(answer.status).toBe(400)
    if (!mount.parses) expect(gist(answer)).toMatchObject({ status: 400, cache: 'no-store' })
    expect(scene.takeCalls()).toEqual([])
  })

  it.each([
    'text/plain',
    'application/x-www-form-urlencoded',
    'application/jsonp',
    'multipart/form-data; boundary=x',
  ])('refuses %s in which the refresh token is JSON', async (type) => {
    const answer = await byBody.byBody(session.refreshToken, { 'content-type': type })
    expect(answer.status).toBe(415)
    if (mount.parses !== 'json and text') expect(gist(answer)).toEqual(is.NOT_JSON)
    await expectUntouched()
  })

  it('takes a charset along with the content type', async () => {
    const { refreshToken } = await signIn()
    const headers = { 'content-type': 'Application/JSON; charset=utf-8' }
    expect(gist(await byBody.byBody(refreshToken, headers))).toEqual(is.DONE)
  })

  it('refuses a body that is too large, with its length or without', async () => {
    const body = JSON.stringify({ refresh_token: 'x', more: 'x'.repeat(20_000) })
    for (const length of [{ 'content-length': String(body.length) }, { 'transfer-encoding': 'chunked' }]) {
      const answer = await byBody.send({ headers: { ...JSON_TYPE, ...length }, body })
      // Of the second, a parser of the application's own has known the length, and took it.
      if ('content-length' in length) expect(gist(answer)).toEqual(is.TOO_LARGE)
      else expect(answer.status).toBeOneOf([400, 413])
    }
  })

  it('leaves the connection usable, whatever it has refused', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    onTestFinished(() => agent.destroy())
    const sockets = vi.spyOn(agent, 'createConnection' as never)
    const long = JSON.stringify({ refresh_token: 'x'.repeat(200_000) })
    const chunked = { ...JSON_TYPE, 'transfer-encoding': 'chunked' }
    const statuses = []
    for (const [headers, body] of [
      [JSON_TYPE, '{'],
      [{ 'content-type': 'text/html' }, '{}'],
      [JSON_TYPE, long],
      [chunked, long],
      [JSON_TYPE, '{}'],
    ] as const)
      statuses.push((await byBody.send({ headers, body, agent })).status)
    expect(statuses.filter((status) => ![400, 413, 415].includes(status))).toEqual([])
    const { refreshToken } = await signIn()
    const body = JSON.stringify({ refresh_token: refreshToken })
    expect((await byBody.send({ headers: JSON_TYPE, body, agent })).status).toBe(204)
    // Fastify closes it properly where it has no parser for what was sent.
    expect(sockets).toHaveBeenCalledTimes(mount.parses === 'json and text' ? 2 : 1)
  })

  it.each<[string, Record<string, string | readonly string[]>]>([
    ['by another website', { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' }],
    ['by a sibling subdomain', { 'sec-fetch-site': 'same-site', origin: 'https://blog.example.com' }],
    ['by no page at all', { 'sec-fetch-site': 'none' }],
    ['that does not say where it comes from', {}],
    ['of a sandboxed frame', { origin: 'null' }],
    ['with an origin that begins like ours', { origin: 'https://www.example.com.evil.example' }],
    ['with an empty origin', { origin: '' }],
    ['that says both', { 'sec-fetch-site': 'cross-site, same-origin' }],
    ['with two Sec-Fetch-Sites', { 'sec-fetch-site': ['same-origin', 'cross-site'] }],
    ['with two origins', { origin: ['https://www.example.com', 'https://evil.example'] }],
    ['by a form that writes JSON as text', { ...OWN, 'content-type': 'text/plain' }],
    ['with a type that only begins like JSON', { ...OWN, 'content-type': 'application/jsonp' }],
    ['by a form', { ...OWN, 'content-type': 'application/x-www-form-urlencoded' }],
  ])('refuses a request with the cookie %s', async (_, change) => {
    const headers = { ...JSON_TYPE, cookie: `${COOKIE}=${session.refreshToken}`, ...change }
    const lines = Object.entries(headers).flatMap(([name, values]) =>
      [values].flat().flatMap((value) => [name, value]),
    )
    const answer = await byCookie.send({ headers: ['host', 'localhost', ...lines], body: '{}' })
    // Fastify itself refuses what it has no parser for.
    if (mount.parses === 'json and text' && answer.status === 415)
      expect(gist(answer).cookies).toBeUndefined()
    else expect(gist(answer)).toEqual(is.FORBIDDEN)
    await expectUntouched()
  })

  it('takes a page of an origin that was allowed by name', async () => {
    const { refreshToken } = await signIn()
    const from = { 'sec-fetch-site': 'cross-site', origin: 'https://www.example.com' }
    expect(gist(await byCookie.byCookie(refreshToken, from))).toEqual(is.DONE_AND_CLEARED)
  })

  it('refuses two cookies of the name, of which one is somebody else’s', async () => {
    const planted = await signIn()
    for (const separator of ['; ', ';', ', ', ',']) {
      const cookie = `${COOKIE}=${planted.refreshToken}${separator}${COOKIE}=${session.refreshToken}`
      expect(gist(await byCookie.byCookie('', { cookie }))).toEqual(is.NO_TOKEN)
    }
    await expectUntouched()
  })

  it('does not say that a session is over where there is no cookie', async () => {
    expect(gist(await byCookie.byCookie('', { cookie: 'theme=dark' }))).toEqual(is.NO_TOKEN)
    expect(gist(await byCookie.byCookie(''))).toEqual(is.NO_TOKEN)
  })

  it('refuses two access tokens, and an Authorization header without any', async () => {
    for (const tokens of [`${session.accessToken}, Bearer ${session.accessToken}`, '']) {
      const answer = gist(await byBody.byBody(session.refreshToken, bearer(tokens)))
      const description = 'The Authorization header must be absent, or have one bearer token'
      const body = { error: 'invalid_request', error_description: description }
      expect(answer).toMatchObject({ status: 400, body })
    }
    await expectUntouched()
  })

  it('says that a refresh token is of no use, and clears its cookie', async () => {
    const { refreshToken } = await signIn()
    await scene.createClient().revokeRefreshToken({ refreshToken })
    for (const dead of [refreshToken, 'garbage']) {
      expect(gist(await byBody.byBody(dead))).toEqual(is.INVALID_GRANT)
      expect(gist(await byCookie.byCookie(dead))).toEqual({ ...is.INVALID_GRANT, cookies: [is.CLEARED] })
    }
  })

  it('keeps the cookie where what it holds cannot be a refresh token, such as one that was signed', async () => {
    const { refreshToken } = await signIn()
    for (const garbled of [`s%3A${refreshToken}.x`, 'gar!bage']) {
      expect(gist(await byBody.byBody(garbled))).toEqual(is.GARBLED)
      expect(gist(await byCookie.byCookie(garbled))).toEqual(is.GARBLED)
    }
    expect(scene.takeCalls()).toEqual([])
  })

  it('refuses a refresh token that is too long, whoever has read the body', async () => {
    const body = JSON.stringify({ refresh_token: 'x'.repeat(16_385) })
    const answer = await byBody.send({ headers: { ...JSON_TYPE, 'transfer-encoding': 'chunked' }, body })
    expect(answer.status).toBe(413)
    expect(scene.takeCalls()).toEqual([])
  })

  it('answers 503 and keeps the cookie while the store is down', async () => {
    const { refreshToken } = await signIn()
    scene.store.failAdds = 100
    expect(gist(await byCookie.byCookie(refreshToken))).toEqual(is.UNAVAILABLE)
  })

  it('answers 503 and keeps the cookie while Cognito is down, and ends the session after that', async () => {
    const ended = await signIn()
    scene.cognito.failNext('RevokeToken', 'InternalErrorException')
    expect(gist(await byCookie.byCookie(ended.refreshToken))).toEqual(is.UNAVAILABLE)
    expect(gist(await byCookie.byCookie(ended.refreshToken))).toEqual(is.DONE_AND_CLEARED)
    await expectOver(ended)
  })

  it.skipIf(mount.parses)('does nothing for a caller who goes away in the middle of the body', async () => {
    const problems = watchForUnhandled()
    const { port } = byBody
    const headers = { ...JSON_TYPE, 'content-length': '100' }
    const sent = request({ host: '127.0.0.1', port, path: '/logout', method: 'POST', headers })
    const closed = new Promise((resolve) => sent.on('close', resolve))
    sent.on('error', () => {}).write('{"refresh_token":', () => sent.destroy())
    await closed
    expect((await byBody.byBody('')).status).toBe(400)
    expect(scene.takeCalls()).toEqual([])
    expect(problems).toEqual([])
  })

  it('hands on an error that is not about the request', async () => {
    const answer = await broken.byBody('x')
    expect([answer.status, answer.text]).toEqual([500, is.HANDED_ON])
    expect(answer.headers['set-cookie']?.join() ?? '').not.toContain(COOKIE)
  })
})
