import { inspect } from 'node:util'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { basicAuthorization } from '../../src/client/client-authentication.js'
import type { ObserverEvent } from '../../src/observer.js'
import { type Callback, comeBack, exchange, MACHINE, signInByBrowser, WEB } from '../support/hosted.js'
import { listen } from '../support/http.js'
import { type Scene, thrownBy, useScene } from '../support/scene.js'

const createScene = useScene()
type Tokens = Awaited<ReturnType<typeof signInByBrowser>>

interface Act {
  readonly endpoint: string
  readonly act: (scene: Scene, callback: Callback, tokens: Tokens) => Promise<unknown>
}

const ACTIONS: Record<string, Act> = {
  exchangeCode: {
    endpoint: 'POST /oauth2/token',
    act: ({ client }, callback) => exchange(callback, client),
  },
  refresh: {
    endpoint: 'POST /oauth2/token',
    act: ({ client }, _, tokens) => client.oauth.refresh(tokens),
  },
  clientCredentials: {
    endpoint: 'POST /oauth2/token',
    act: ({ client }) => client.oauth.clientCredentials(),
  },
  userInfo: {
    endpoint: 'GET /oauth2/userInfo',
    act: ({ client }, _, tokens) => client.oauth.userInfo(tokens),
  },
  "revokeRefreshToken via: 'endpoint'": {
    endpoint: 'POST /oauth2/revoke',
    act: ({ client }, _, tokens) => client.revokeRefreshToken({ ...tokens, via: 'endpoint' }),
  },
}
const ERRORS = ['invalid_client', 'invalid_grant', 'something_new']

/** All that must not be told, by name. */
function secretsOf(scene: Scene, callback: Callback, tokens: Tokens): Record<string, string> {
  const { clientId, clientSecret = '' } = scene.app
  const { accessToken, idToken, refreshToken } = tokens
  const { callbackUrl, codeVerifier, expectedState, expectedNonce = '' } = callback
  const code = new URL(callbackUrl).searchParams.get('code') ?? ''
  return {
    ...{ clientSecret, basic: basicAuthorization(clientId, clientSecret).slice('Basic '.length) },
    ...{ accessToken, idToken, refreshToken, callbackUrl, codeVerifier, expectedState, expectedNonce, code },
  }
}

/** What an error holds, to its depths. */
function shown(...values: unknown[]): string {
  return values
    .map((each) => inspect(each, { depth: 12, showHidden: true, maxStringLength: null }))
    .join('\n')
}

describe.each(Object.entries(ACTIONS))('What %s throws', (_, { endpoint, act }) => {
  it.each(ERRORS)(
    'and tells has no code, verifier, token or secret, even where %s quotes them',
    async (error) => {
      const events: ObserverEvent[] = []
      const scene = createScene(
        { oauth: WEB, generateSecret: true },
        { observer: (event) => events.push(event) },
      )
      const [tokens, callback] = [await signInByBrowser(scene), await comeBack(scene)]
      const secrets = secretsOf(scene, callback, tokens)
      const outputs = [vi.spyOn(process.stdout, 'write'), vi.spyOn(process.stderr, 'write')]
      for (const secret of Object.values(secrets)) {
        const description = `refused: ${secret}`.slice(0, 480)
        scene.cognito.failNext(endpoint, error, { message: description, times: 3 })
        const thrown = await thrownBy(() => act(scene, callback, tokens))
        const text = shown(thrown, thrown.cause, (thrown.cause as Error | undefined)?.cause, events)
        for (const [name, each] of Object.entries(sentOf(scene, secrets))) {
          expect(text.includes(each), `${name} in what was thrown`).toBe(false)
        }
        scene.cognito.clearFaults()
      }
      const printed = shown(outputs.flatMap((output) => output.mock.calls))
      for (const output of outputs) output.mockRestore()
      for (const each of Object.values(secrets)) expect(printed.includes(each)).toBe(false)
    },
  )

  it('is withheld also where it would be cut in half', async () => {
    const scene = createScene({ oauth: WEB, generateSecret: true })
    const [tokens, callback] = [await signInByBrowser(scene), await comeBack(scene)]
    const { clientSecret = '' } = scene.app
    const quoted = endpoint === 'GET /oauth2/userInfo' ? tokens.accessToken : clientSecret
    const message = `${'x'.repeat(500 - 10)}${quoted}`
    scene.cognito.failNext(endpoint, 'something_new', { message })
    const thrown = await thrownBy(() => act(scene, callback, tokens))
    expect(shown(thrown)).not.toContain(quoted.slice(0, 10))
    expect(shown(thrown)).toContain('withheld')
  })

  it.each<[string, (secret: string) => string]>([
    ['as a form has it', (secret) => new URLSearchParams({ secret }).toString()],
    ['percent-encoded', (secret) => encodeURIComponent(secret)],
    [
      'percent-encoded to the last letter',
      (secret) => Buffer.from(secret).toString('hex').replace(/../g, '%$&'),
    ],
  ])('is withheld also where it is quoted %s', async (_, encode) => {
    const clientSecret = 'a+secret+with+plus+signs+in+it'
    const scene = createScene({ oauth: WEB, clientSecret })
    const [tokens, callback] = [await signInByBrowser(scene), await comeBack(scene)]
    const quoted = endpoint === 'GET /oauth2/userInfo' ? tokens.accessToken : clientSecret
    scene.cognito.failNext(endpoint, 'something_new', { message: `what is ${encode(quoted)}?` })
    const thrown = await thrownBy(() => act(scene, callback, tokens))
    expect(shown(thrown)).not.toContain(encode(quoted))
    expect(shown(thrown)).toContain('withheld')
  })

  /** Those that the request had: of others Cognito knows nothing that it could quote. */
  function sentOf(scene: Scene, secrets: Record<string, string>): Record<string, string> {
    const { parameters, headers } = scene.cognito.calls.at(-1) ?? {}
    const sent = JSON.stringify([parameters, headers])
    const isSent = ([name, value]: [string, string]) =>
      sent.includes(value) || (name === 'clientSecret' && sent.includes('Basic '))
    return Object.fromEntries(Object.entries(secrets).filter(isSent))
  }
})

describe('An authorization response that is refused', () => {
  it.each<[string, (url: URL) => void]>([
    ['another state', (url) => url.searchParams.set('state', 'another')],
    ['two codes', (url) => url.searchParams.append('code', 'x')],
    ['an error', (url) => url.searchParams.set('error', 'access_denied')],
    ['an error that is a secret', (url) => url.searchParams.set('error', url.searchParams.get('code') ?? '')],
  ])('is not quoted: %s', async (_, change) => {
    const scene = createScene({ oauth: WEB })
    const callback = await comeBack(scene)
    const code = new URL(callback.callbackUrl).searchParams.get('code') ?? ''
    const url = new URL(callback.callbackUrl)
    change(url)
    const error = await thrownBy(() => exchange({ ...callback, callbackUrl: url.href }, scene.client))
    for (const secret of [code, callback.codeVerifier, callback.expectedState, url.search]) {
      expect(shown(error)).not.toContain(secret)
    }
  })

  it('forges no line of a log', async () => {
    const scene = createScene({ oauth: WEB })
    const callback = await comeBack(scene)
    const url = new URL(callback.callbackUrl)
    url.searchParams.set('error', 'access_denied')
    url.searchParams.set('error_description', `x\n2026 INFO all is well${'x'.repeat(10_000)}`)
    const error = await thrownBy(() => exchange({ ...callback, callbackUrl: url.href }, scene.client))
    expect((error.cause as Error).message).not.toContain('\n')
    expect((error.cause as Error).message.length).toBeLessThan(1_000)
  })
})

describe('An answer that is not what it must be', () => {
  it.each([
    ['cut off', (token: string) => `{"access_token":"${token}`],
    ['of another kind', (token: string) => `{"access_token":"${token}","token_type":"DPoP"}`],
    ['without its type', (token: string) => `{"access_token":"${token}"}`],
    [
      'with an ID token of somebody else',
      (token: string, id: string) =>
        JSON.stringify({ access_token: token, id_token: id, token_type: 'Bearer' }),
    ],
  ])('does not bring its tokens into the error: %s', async (_, body) => {
    const scene = createScene({ oauth: MACHINE, generateSecret: true })
    const other = await createScene().signIn()
    const server = await listen((_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' })
      response.end(body(other.accessToken, other.idToken))
    })
    onTestFinished(server.close)
    const client = scene.createClient({ domain: server.url })
    const error = await thrownBy(() => client.oauth.clientCredentials())
    expect(shown(error)).not.toContain(other.accessToken)
    expect(shown(error)).not.toContain(other.idToken.split('.')[1])
    expect(shown(error)).not.toContain('Response {')
  })
})
