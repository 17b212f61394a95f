import { describe, expect, it } from 'vitest'
import { CognitoConfigurationError, CognitoError, SessionUnknownError } from '../../src/errors.js'
import { type Scene, thrownBy, useScene } from '../support/scene.js'
import { createSdk } from '../testing/harness.js'

const createScene = useScene()

/** A client whose userPoolId is another pool's; Cognito goes by the app client alone. */
const mistaken = (scene: Scene, options = {}) =>
  scene.createClient({ userPoolId: 'us-east-1_Mistaken1', issuer: undefined as never, ...options })

describe('A userPoolId that is not the one of the app client', () => {
  it.each(['signIn', 'refresh'] as const)('is told by %s', async (call) => {
    const scene = createScene()
    const session = await scene.signIn()
    const client = mistaken(scene)
    const error = await thrownBy(() =>
      call === 'signIn' ? client.signIn(scene.user) : client.refresh(session),
    )
    expect(error).toBeInstanceOf(CognitoConfigurationError)
    expect(error.message).toContain(
      `Cognito's tokens are of ${scene.cognito.issuer}, but userPoolId is us-east-1_Mistaken1: check userPoolId`,
    )
    expect(error.message).not.toContain('eyJ')
  })

  it('has nothing recorded by revokeRefreshToken, which tells it, and has Cognito revoke all the same', async () => {
    const scene = createScene()
    const session = await scene.signIn()
    const error = await thrownBy(() => mistaken(scene).revokeRefreshToken(session))
    expect(error).toBeInstanceOf(SessionUnknownError)
    expect(error.message).toContain('check userPoolId')
    expect(error.outcome).toEqual({ store: 'skipped', cognito: 'revoked' })
    expect(scene.store.added).toEqual([])
    await expect(scene.client.refresh(session)).rejects.toThrow('Refresh Token has been revoked')
  })
})

describe('An access token of Cognito’s', () => {
  it('that cannot be read is refused', async () => {
    const scene = createScene()
    const sdk = createSdk(scene.cognito.url, { maxAttempts: 1 })
    sdk.middlewareStack.add(
      (next) => async (args) => {
        const result = await next(args)
        const { AuthenticationResult } = result.output as { AuthenticationResult?: { AccessToken?: string } }
        if (AuthenticationResult) AuthenticationResult.AccessToken = 'no JWT'
        return result
      },
      { step: 'initialize' },
    )
    const error = await thrownBy(() => scene.createClient({ sdk }).signIn(scene.user))
    expect(error).toBeInstanceOf(CognitoError)
    expect(error.message).toContain('cannot be read')
  })

  it('tells its user, and when it expires', async () => {
    const scene = createScene()
    const session = await scene.signIn()
    const { sub, exp } = await scene.verifier.verify(session.accessToken)
    expect(session).toMatchObject({ sub, expiresAt: exp })
    const { accessToken, ...refreshed } = await scene.client.refresh(session)
    expect(refreshed).toMatchObject({ sub, expiresAt: (await scene.verifier.verify(accessToken)).exp })
  })
})
