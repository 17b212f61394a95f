import { describe, expect, it } from 'vitest'
import { SecretHashMismatchError } from '../../src/errors.js'
import { EVERY_FLOW, type Scene, thrownBy, useScene } from '../support/scene.js'

const createScene = useScene()

/** Signs in by e-mail address, with a second factor; the app client has a secret. */
async function signInByAlias(flow: 'USER_PASSWORD_AUTH' | 'USER_SRP_AUTH') {
  const scene = createScene({ ...EVERY_FLOW, generateSecret: true })
  const { client, cognito, user } = scene
  const alias = `${user.username}@example.com`
  cognito.updateUser(user.username, { mfa: ['SOFTWARE_TOKEN_MFA'] })
  const challenge = await client.signIn({ username: alias, password: user.password, flow })
  if (challenge.status !== 'challenge' || challenge.challengeName !== 'SOFTWARE_TOKEN_MFA')
    throw new Error('none')
  const result = await client.respondToChallenge(challenge, { code: cognito.totpFor(user.username) })
  if (result.status !== 'authenticated') throw new Error(result.status)
  return { scene, alias, result }
}

/** USERNAME as each request of the sign-in sent it. */
function usernames({ cognito }: Scene, alias: string): unknown[] {
  return cognito.calls.flatMap(({ parameters }) => {
    const { AuthParameters, ChallengeResponses } = parameters as Record<string, Record<string, string>>
    const username = (AuthParameters ?? ChallengeResponses)?.USERNAME
    return username !== undefined && alias.startsWith(username) ? [username] : []
  })
}

describe('After a sign-in by an alias, with a client secret and a challenge in between', () => {
  it.each(['USER_PASSWORD_AUTH', 'USER_SRP_AUTH'] as const)(
    'each step is hashed with the name that it sends, and the result tells the real one: %s',
    async (flow) => {
      const { scene, alias, result } = await signInByAlias(flow)
      const { username } = scene.user
      expect(result.username).toBe(username)
      const [first, ...others] = usernames(scene, alias)
      expect(first).toBe(alias)
      expect(new Set(others)).toEqual(new Set([username]))
    },
  )

  it('REFRESH_TOKEN_AUTH works with the username of the result, and says so where it is the alias', async () => {
    const { scene, alias, result } = await signInByAlias('USER_PASSWORD_AUTH')
    const { client } = scene
    const { refreshToken, username } = result
    const refreshed = await client.refresh({ refreshToken, username, flow: 'REFRESH_TOKEN_AUTH' })
    expect(refreshed).toMatchObject({ username, rotated: false })
    const error = await thrownBy(() =>
      client.refresh({ refreshToken, username: alias, flow: 'REFRESH_TOKEN_AUTH' }),
    )
    expect(error).toBeInstanceOf(SecretHashMismatchError)
    expect(error.message).toContain('the username is not the real one')
  })

  it('GetTokensFromRefreshToken needs no username', async () => {
    const { scene, result } = await signInByAlias('USER_PASSWORD_AUTH')
    expect(await scene.client.refresh({ refreshToken: result.refreshToken })).toMatchObject({
      rotated: false,
    })
  })
})
