import { MemoryRevocationStore, RevocationMirror, Revoker, TokenVerifier } from 'cognito-revocation'
import { CognitoTokenClient } from 'cognito-revocation/client'
import { RedisRevocationStore } from 'cognito-revocation/redis'
import { Redis } from 'ioredis'

/** Where an emulator is; never set for AWS. */
export interface Emulator {
  readonly url: string
  readonly issuer: string
}

const EMULATED = { accessKeyId: 'emulated', secretAccessKey: 'emulated' }

/**
 * What the service stands on, from the environment: USER_POOL_ID, CLIENT_ID, CLIENT_SECRET if the app client has
 * one, and REDIS_URL if there is more than one process, or if revocations must outlive this one. With AWS credentials
 * that allow cognito-idp:DescribeUserPoolClient, two tabs that refresh at once share what rotation gives.
 */
export function configure(env: NodeJS.ProcessEnv, emulator?: Emulator) {
  const pool = { userPoolId: need(env, 'USER_POOL_ID'), clientId: need(env, 'CLIENT_ID') }
  const { CLIENT_SECRET: clientSecret, REDIS_URL: redisUrl } = env
  const redis = redisUrl ? new Redis(redisUrl) : undefined
  // It connects again by itself; meanwhile the answers are 503.
  redis?.on('error', (error) => console.error(`Redis: ${error.message}`))
  const store = redis
    ? new RevocationMirror(new RedisRevocationStore({ client: redis }))
    : new MemoryRevocationStore()
  const issuer = emulator && { issuer: emulator.issuer }
  const verifier = new TokenVerifier({ ...pool, ...issuer, tokenUse: 'access', revocation: store })
  const client = new CognitoTokenClient({
    ...pool,
    ...issuer,
    store,
    ...(clientSecret && { clientSecret }),
    ...(emulator && { endpoint: emulator.url, credentials: EMULATED }),
    // A refresh token that was replaced comes back: who got the new one may be a thief. Nobody can tell, so the
    // session ends for both, and its owner signs in again.
    onRefreshTokenReuse: async (reuse) => {
      await reuse.revokeSession({ reason: 'refresh token reused' })
    },
  })
  return {
    client,
    verifier,
    revoker: new Revoker({ store, poolId: pool.userPoolId }),
    async close(): Promise<void> {
      await Promise.all([client.close(), verifier.close()])
      if (store instanceof RevocationMirror) await store.close()
      redis?.disconnect()
    },
  }
}

function need(env: NodeJS.ProcessEnv, name: string): string {
  const value = env[name]
  if (!value) throw new Error(`Set ${name}, or none of USER_POOL_ID, CLIENT_ID, CLIENT_SECRET, REDIS_URL`)
  return value
}
