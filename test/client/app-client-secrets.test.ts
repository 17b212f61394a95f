import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import * as errors from '../../src/errors.js'
import { type Scene, thrownBy, useScene } from '../support/scene.js'

const createScene = useScene()
const OWN = 'own_secret+0123456789abcdef'

describe('addClientSecret', () => {
  it('has Cognito make up a second secret, which is as good as the first', async () => {
    const scene = createScene({ generateSecret: true })
    const { clientSecret, ...info } = await scene.client.addClientSecret()
    expect(info).toEqual({
      clientSecretId: expect.stringMatching(new RegExp(`^${scene.app.clientId}--\\d{13}$`)),
      createdAt: expect.any(Date),
    })
    expect(clientSecret).toMatch(/^[a-z0-9]{51}$/)
    for (const each of [clientSecret as string, scene.app.clientSecret as string]) {
      const session = await scene.signIn(scene.user, scene.createClient({ clientSecret: each }))
      expect(session.status).toBe('authenticated')
    }
  })

  it('takes one of your own, and does not tell it', async () => {
    const scene = createScene({ generateSecret: true })
    expect(await scene.client.addClientSecret({ clientSecret: OWN })).toEqual({
      clientSecretId: expect.any(String),
      createdAt: expect.any(Date),
    })
    await expect(scene.signIn(scene.user, scene.createClient({ clientSecret: OWN }))).resolves.toBeDefined()
  })

  it('says what to do where the app client has two already', async () => {
    const scene = createScene({ clientSecret: ['one', 'two'] })
    const error = await thrownBy(() => scene.client.addClientSecret())
    expect(error).toBeInstanceOf(errors.ThrottledError)
    expect(error.message).toContain('deleteClientSecret')
  })

  it('says that a public app client gets none', async () => {
    const error = await thrownBy(() => createScene().client.addClientSecret())
    expect(error).toBeInstanceOf(errors.InvalidParameterError)
    expect(error.message).toContain('has no secret')
  })

  it('leaves no trace of the secret in an error that quotes it', async () => {
    const scene = createScene({ generateSecret: true })
    scene.cognito.failNext('AddUserPoolClientSecret', 'InvalidParameterException', { message: `Bad ${OWN}` })
    const error = await thrownBy(() => scene.client.addClientSecret({ clientSecret: OWN }))
    expect(inspect(error, { depth: 12, showHidden: true })).not.toContain(OWN)
    expect(error.message).toContain('withheld')
  })

  it('can find the secret whose answer was lost', async () => {
    const scene = createScene({ generateSecret: true })
    scene.cognito.failNext('AddUserPoolClientSecret', 'socket hang up', { afterEffect: true })
    await expect(scene.client.addClientSecret()).rejects.toThrow(errors.CognitoUnavailableError)
    const [, lost] = await scene.client.listClientSecrets()
    await scene.client.deleteClientSecret({ clientSecretId: lost?.clientSecretId ?? '' })
    await expect(scene.client.addClientSecret()).resolves.toHaveProperty('clientSecret')
  })
})

describe('listClientSecrets', () => {
  it('tells the secrets, and never their values', async () => {
    const scene = createScene({ generateSecret: true })
    const { clientSecret: _, ...added } = await scene.client.addClientSecret()
    const [first, ...others] = await scene.client.listClientSecrets()
    expect(others).toEqual([added])
    expect(Object.keys(first ?? {})).toEqual(['clientSecretId', 'createdAt'])
  })

  it('tells none of a public app client', async () => {
    expect(await createScene().client.listClientSecrets()).toEqual([])
  })
})

describe('deleteClientSecret', () => {
  it('makes a secret worthless, and leaves the other', async () => {
    const scene = createScene({ clientSecret: ['older-secret', 'newer-secret'] })
    const [older] = await scene.client.listClientSecrets()
    await scene.client.deleteClientSecret({ clientSecretId: older?.clientSecretId ?? '' })
    const using = (clientSecret: string) => scene.createClient({ clientSecret })
    await expect(scene.signIn(scene.user, using('newer-secret'))).resolves.toBeDefined()
    await expect(scene.signIn(scene.user, using('older-secret'))).rejects.toThrow(
      errors.SecretHashMismatchError,
    )
  })

  it('is refused for the last one', async () => {
    const scene = createScene({ generateSecret: true })
    const [only] = await scene.client.listClientSecrets()
    const error = await thrownBy(() =>
      scene.client.deleteClientSecret({ clientSecretId: only?.clientSecretId ?? '' }),
    )
    expect(error).toBeInstanceOf(errors.InvalidParameterError)
    expect(error.message).toContain('the last one cannot be deleted')
  })

  it('tells that there is no such secret', async () => {
    const scene = createScene({ generateSecret: true })
    await expect(scene.client.deleteClientSecret({ clientSecretId: 'none' })).rejects.toThrow(
      errors.ResourceNotFoundError,
    )
  })
})

describe('Replacing a secret as the docs tell', () => {
  it('refuses nobody at any moment', async () => {
    const scene = createScene({ generateSecret: true })
    const before = scene.app.clientSecret as string
    const [old] = await scene.client.listClientSecrets()
    const session = await scene.signIn()
    const everyone = async (...clients: Scene['client'][]) => {
      for (const client of clients) {
        await scene.signIn(scene.user, client)
        await client.refresh(session)
      }
    }
    const { clientSecret: after } = await scene.client.addClientSecret()
    const both = scene.createClient({ clientSecret: [after as string, before] })
    const alone = scene.createClient({ clientSecret: after as string })
    await everyone(scene.client, both, alone)
    await scene.client.deleteClientSecret({ clientSecretId: old?.clientSecretId ?? '' })
    await everyone(both, alone)
  })
})

const ACTIONS = {
  addClientSecret: (scene: Scene, input: object) => scene.client.addClientSecret(input),
  listClientSecrets: (scene: Scene, input: object) => scene.client.listClientSecrets(input),
  deleteClientSecret: (scene: Scene, input: object) =>
    scene.client.deleteClientSecret({ clientSecretId: 'some', ...input }),
}

describe.each(Object.entries(ACTIONS))('%s', (name, act) => {
  it('asks for nothing once its signal is aborted', async () => {
    const scene = createScene({ generateSecret: true })
    const reason = new Error('too late')
    expect(await thrownBy(() => act(scene, { signal: AbortSignal.abort(reason) }))).toBe(reason)
    expect(scene.takeCalls()).toEqual([])
  })

  it.each([
    ['signal', {}],
    ['clientID', 'x'],
  ])('refuses a wrong option %s before anything is asked', async (option, value) => {
    const scene = createScene({ generateSecret: true })
    const error = await thrownBy(() => act(scene, { [option]: value }))
    expect(error).toBeInstanceOf(TypeError)
    expect(error.message).toContain(`"${option}"`)
    expect(scene.takeCalls()).toEqual([])
  })

  it.each([undefined, {}])('throws of an answer %j, which lacks what was asked for', async (told) => {
    if (name === 'deleteClientSecret') return
    const sdk = {
      middlewareStack: { add: () => {}, remove: () => {} },
      send: async () => ({ ClientSecretDescriptor: told, ClientSecrets: [told] }),
    }
    const scene = createScene({}, { sdk: sdk as never })
    await expect(act(scene, {})).rejects.toThrow(errors.CognitoError)
  })
})

describe('A secret of your own', () => {
  it.each(['', 'too-short', 'x'.repeat(23), 'x'.repeat(65), `${'x'.repeat(24)}-`, 5])(
    'is refused before anything is asked where it is %j, and not shown',
    async (clientSecret) => {
      const scene = createScene({ generateSecret: true })
      const error = await thrownBy(() => scene.client.addClientSecret({ clientSecret } as never))
      expect(error).toBeInstanceOf(TypeError)
      expect(error.message).toContain('"clientSecret"')
      if (clientSecret !== '' && clientSecret !== 5) expect(error.message).not.toContain(clientSecret)
      expect(scene.takeCalls()).toEqual([])
    },
  )
})
