import { readFileSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { PROGRAMS } from '../../examples/frameworks/programs.js'
import { Visitor } from '../../examples/frameworks/visitor.js'
import { Revoker, TokenVerifier } from '../../src/index.js'
import { useScene } from '../support/scene.js'

const createScene = useScene()
const folder = new URL('../../examples/frameworks/', import.meta.url)

// What is refused is told there.
beforeEach(() => void vi.spyOn(console, 'error').mockImplementation(() => {}))
afterEach(() => void vi.restoreAllMocks())

/** The program as it stands, and who asks it: nobody, or somebody new who has signed in. */
async function start(name: string) {
  const { cognito, app, client, store } = createScene()
  const pool = { userPoolId: cognito.userPoolId, issuer: cognito.issuer, clientId: app.clientId }
  const verifier = new TokenVerifier({ ...pool, tokenUse: 'access', revocation: store })
  const revoker = new Revoker({ store, poolId: cognito.userPoolId })
  const program = await PROGRAMS[name]?.()
  if (program === undefined) throw new Error(`there is no ${name}`)
  const { url, close } = await program.start({ verifier, client, revoker, port: 0 })
  onTestFinished(async () => {
    await close()
    await verifier.close()
  })
  const signIn = async (groups: string[] = []) => {
    const user = { username: crypto.randomUUID(), password: 'correct horse', groups }
    cognito.createUser(user)
    const result = await client.signIn(user)
    if (result.status !== 'authenticated') throw new Error(`unexpected ${result.status}`)
    return new Visitor(url, result)
  }
  return { signIn, nobody: new Visitor(url) }
}

describe.each(Object.keys(PROGRAMS))('The example on %s', (name) => {
  it('is short', () => {
    const lines = readFileSync(new URL(`${name}.ts`, folder), 'utf8')
      .trimEnd()
      .split('\n')
    expect(lines.length).toBeLessThan(60)
  })

  it('is open to all at /health only', async () => {
    const { nobody } = await start(name)
    const paths = ['/health', '/me', '/orders']
    expect(await Promise.all(paths.map((path) => nobody.get(path)))).toEqual(['200', '401', '401'])
  })

  it('shows orders to the group alone', async () => {
    const { signIn } = await start(name)
    const [jane, joe] = [await signIn(['sales']), await signIn()]
    expect(await Promise.all([jane.get('/me'), joe.get('/me')])).toEqual(['200', '200'])
    expect(await Promise.all([jane.get('/orders'), joe.get('/orders')])).toEqual([
      '200',
      '403 insufficient_scope',
    ])
  })

  it('ends the session that logs out, and no other', async () => {
    const { signIn } = await start(name)
    const [jane, joe] = [await signIn(), await signIn()]
    expect(await jane.logOut()).toBe('204')
    expect(await Promise.all([jane.get('/me'), jane.get('/orders')])).toEqual([
      '401 invalid_token',
      '401 invalid_token',
    ])
    expect(await joe.get('/me')).toBe('200')
  })
})

describe('The example with the refresh token in a cookie', () => {
  it('lets no other website log somebody out', async () => {
    const { signIn } = await start('hono')
    const jane = await signIn()
    expect(await jane.logOut('cross-site')).toBe('403')
    expect(await jane.get('/me')).toBe('200')
    expect(await jane.logOut()).toBe('204')
  })
})
