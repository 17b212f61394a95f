import { Redis } from 'ioredis'
import { createClient } from 'redis'
import { RevocationMirror, TokenVerifier } from '../../src/index.js'
import { RedisRevocationStore } from '../../src/stores/redis/index.js'
import type { PublicJwk } from '../../src/testing/token-minter.js'
import type { ClientKind } from './protocol.js'

/** A script as people write them: it verifies a token, and closes what it has opened itself, nothing else. */

export interface IdleSettings {
  readonly kind: ClientKind
  readonly port: number
  readonly namespace: string
  readonly userPoolId: string
  readonly jwks: { readonly keys: PublicJwk[] }
  readonly token: string
}

const settings: IdleSettings = JSON.parse(process.argv[2] ?? '')
const { kind, port, namespace, userPoolId, jwks, token } = settings

void main()

async function main(): Promise<void> {
  const { client, close } = await connect()
  const mirror = new RevocationMirror(new RedisRevocationStore({ client, namespace }))
  const verifier = new TokenVerifier({ userPoolId, clientId: null, tokenUse: 'access', revocation: mirror })
  verifier.cacheJwks(jwks)
  await mirror.ready()
  await verifier.verify(token)
  process.send?.('accepted')
  // As long as the test takes to do something to Redis.
  await new Promise((resolve) => process.once('message', resolve))
  close()
}

async function connect() {
  if (kind === 'ioredis') {
    const ioredis = new Redis({ host: '127.0.0.1', port }).on('error', () => {})
    return { client: ioredis, close: () => ioredis.disconnect() }
  }
  const nodeRedis = createClient({ socket: { host: '127.0.0.1', port } }).on('error', () => {})
  await nodeRedis.connect()
  return { client: nodeRedis, close: () => nodeRedis.destroy() }
}
