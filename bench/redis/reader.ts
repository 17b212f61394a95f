/** A process of `redis-propagation`: a mirror and a bare reader, which take down when what arrives. */
import { randomUUID } from 'node:crypto'
import { Redis } from 'ioredis'
import { RevocationMirror } from '../../src/revocation/mirror.js'
import type { ChangeBatch, ChangesOptions, RevocationStore } from '../../src/revocation/store.js'
import { RedisRevocationStore } from '../../src/stores/redis/index.js'
import type { TokenIdentity } from '../../src/tokens/token-identity.js'
import { Arrivals } from './arrivals.js'
import { type Place, poolId } from './place.js'
import { serve } from './processes.js'

const WITHIN_MS = 60_000

/** A store that hears when the mirror has taken over a batch. */
class HeardStore implements RevocationStore {
  readonly add
  readonly find
  readonly #store: RedisRevocationStore
  readonly #takenOver: (batch: ChangeBatch) => void

  constructor(store: RedisRevocationStore, takenOver: (batch: ChangeBatch) => void) {
    this.#store = store
    this.#takenOver = takenOver
    this.add = store.add.bind(store)
    this.find = store.find.bind(store)
  }

  async *changes(options: ChangesOptions): AsyncGenerator<ChangeBatch> {
    for await (const batch of this.#store.changes(options)) {
      yield batch
      // A mirror asks for the next when it has done with this one.
      this.#takenOver(batch)
    }
  }
}

function tokenOf(originJti: string): TokenIdentity {
  const iat = Math.floor(Date.now() / 1000)
  return { poolId, jti: randomUUID(), originJti, sub: randomUUID(), clientId: 'none', iat, authTime: iat }
}

let mirror: RevocationMirror
const inMirror = new Arrivals()
const inStream = new Arrivals()

function takenOver({ revocations }: ChangeBatch): void {
  inMirror.arrived(revocations.map(({ id }) => id))
  const last = revocations.at(-1)
  if (last !== undefined) assertRefused([last.id])
}

function assertRefused(ids: readonly string[]): void {
  const passed = ids.filter((id) => mirror.findSync(tokenOf(id)) === undefined)
  if (passed.length > 0) throw new Error(`${passed.length} of ${ids.length} are not refused`)
}

async function readStream({ port, stream }: Place): Promise<void> {
  const redis = new Redis(port, '127.0.0.1')
  let last = '$'
  for (;;) {
    const reply = await redis.xread('COUNT', 1_000, 'BLOCK', 1_000, 'STREAMS', stream, last)
    for (const [, entries] of reply ?? []) {
      inStream.arrived(entries.map(([, fields]) => fields[1] as string))
      last = entries.at(-1)?.[0] ?? last
    }
  }
}

serve({
  async start(place: Place) {
    const client = new Redis(place.port, '127.0.0.1')
    const { namespace } = place
    mirror = new RevocationMirror(
      new HeardStore(new RedisRevocationStore({ client, namespace, commandTimeoutMs: 10_000 }), takenOver),
      { maxStalenessMs: 60_000 },
    )
    void readStream(place)
    await mirror.ready()
  },

  /** A steady load of look-ups, so many every 10 ms. */
  lookUp(count: number) {
    setInterval(() => {
      for (let index = 0; index < count; index++) mirror.findSync(tokenOf(randomUUID()))
    }, 10)
  },

  async inMirror(ids: readonly string[]) {
    const times = await inMirror.of(ids, WITHIN_MS)
    assertRefused(ids)
    return times
  },

  inStream: (ids: readonly string[]) => inStream.of(ids, WITHIN_MS),
})
