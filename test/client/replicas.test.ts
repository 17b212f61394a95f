import { CognitoIdentityProviderClient } from '@aws-sdk/client-cognito-identity-provider'
import { describe, expect, it, onTestFinished } from 'vitest'
import {
  CognitoConfigurationError,
  RefreshTokenRevokedError,
  RevocationIncompleteError,
} from '../../src/errors.js'
import type { ReplicaOptions } from '../../src/testing/index.js'
import { TokenVerifier } from '../../src/verifier.js'
import { type Scene, type Session, thrownBy, useScene } from '../support/scene.js'

const createScene = useScene()
const ISSUER_TYPES = ['ORIGINAL', 'UPDATED'] as const
/** Longer than any test takes; less than the 300 s by which records outlive the tokens. */
const LAG_SECONDS = 200

/** A secondary Region of the scene's pool, a client of it, and a verifier that takes both forms of the issuer. */
async function beginElsewhere(scene: Scene, options: Partial<ReplicaOptions> = {}) {
  const { cognito } = scene
  const replica = await cognito.createReplica({
    region: 'eu-west-1',
    lagMs: LAG_SECONDS * 1000,
    ...options,
  })
  const issuer = Object.values(cognito.issuers)
  const verifier = new TokenVerifier({
    userPoolId: cognito.userPoolId,
    issuer,
    clientId: scene.app.clientId,
    tokenUse: null,
    revocation: scene.store,
    clock: cognito.clock.now,
  })
  const sdk = new CognitoIdentityProviderClient({
    region: replica.region,
    endpoint: replica.url,
    credentials: { accessKeyId: 'fake', secretAccessKey: 'fake' },
    maxAttempts: 1,
  })
  onTestFinished(async () => {
    await verifier.close()
    sdk.destroy()
    await replica.close()
  })
  const judge = async (token = ''): Promise<string> =>
    verifier.verify(token).then(
      ({ iss }) => `accepted from ${iss}`,
      (error) => error.code,
    )
  return {
    client: scene.createClient({ sdk, issuer }),
    /** One that asks no store, as somebody with a stolen refresh token has it. */
    bareClient: scene.createClient({ sdk, issuer, store: false }),
    judge,
  }
}

/** How sessions are ended at the primary Region. */
const ENDINGS: Record<string, (scene: Scene, session: Session) => Promise<unknown>> = {
  revokeRefreshToken: ({ client }, session) => client.revokeRefreshToken(session),
  'revokeRefreshToken by a refresh': ({ client }, { refreshToken }) =>
    client.revokeRefreshToken({ refreshToken }),
  globalSignOut: ({ client }, session) => client.globalSignOut(session),
  adminGlobalSignOut: ({ client, user }) => client.adminGlobalSignOut(user),
}

describe.each(ISSUER_TYPES)('Tokens that a lagging replica gives out under the %s issuer', (issuerType) => {
  it.each(Object.entries(ENDINGS))('are refused after %s at the primary Region', async (_, end) => {
    const scene = createScene()
    const session = await scene.signIn()
    const elsewhere = await beginElsewhere(scene, { issuerType })
    await end(scene, session)
    // As late as it can be, when the replica has still not heard of it.
    scene.cognito.clock.advance(LAG_SECONDS - 20)
    const minted = await elsewhere.bareClient.refresh(session)
    for (const token of [minted.accessToken, minted.idToken, session.accessToken, session.idToken]) {
      expect(await elsewhere.judge(token)).toBe('token_revoked')
    }
    await expect(elsewhere.client.refresh(session)).rejects.toThrow(RefreshTokenRevokedError)
    scene.cognito.clock.advance(20)
    await expect(elsewhere.bareClient.refresh(session)).rejects.toThrow('Refresh Token has been revoked')
  })

  it('are accepted where nothing was revoked', async () => {
    const scene = createScene()
    const session = await scene.signIn()
    const elsewhere = await beginElsewhere(scene, { issuerType })
    const minted = await elsewhere.client.refresh(session)
    const accepted = `accepted from ${scene.cognito.issuers[issuerType]}`
    expect(await elsewhere.judge(minted.accessToken)).toBe(accepted)
    expect(await elsewhere.judge(minted.idToken)).toBe(accepted)
    expect(await elsewhere.judge(session.accessToken)).toBe(`accepted from ${scene.cognito.issuer}`)
  })
})

describe('A client of a secondary Region', () => {
  it('signs a user out there, and the primary Region can lag as it will', async () => {
    const scene = createScene()
    const session = await scene.signIn()
    const elsewhere = await beginElsewhere(scene)
    expect(await elsewhere.client.globalSignOut(session)).toMatchObject({ cognito: 'revoked' })
    scene.cognito.clock.advance(2)
    const minted = await scene.createClient({ store: false }).refresh(session)
    expect(await elsewhere.judge(minted.accessToken)).toBe('token_revoked')
    expect(await elsewhere.judge(minted.idToken)).toBe('token_revoked')
  })

  it('leaves the session shut, and tells, where only the primary Region may revoke', async () => {
    const scene = createScene()
    const session = await scene.signIn()
    const elsewhere = await beginElsewhere(scene)
    for (const end of [
      () => elsewhere.client.revokeRefreshToken(session),
      () => elsewhere.client.adminGlobalSignOut(scene.user),
    ]) {
      const error = await thrownBy(end)
      expect(error).toBeInstanceOf(RevocationIncompleteError)
      expect(error).toMatchObject({ outcome: { store: 'recorded', cognito: 'failed' } })
      expect(error.cause).toBeInstanceOf(CognitoConfigurationError)
    }
    const minted = await elsewhere.bareClient.refresh(session)
    expect(await elsewhere.judge(minted.accessToken)).toBe('token_revoked')
    expect(await scene.client.revokeRefreshToken(session)).toMatchObject({ cognito: 'revoked' })
  })
})
