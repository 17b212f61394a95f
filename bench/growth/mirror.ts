/** A process of `mirror-growth`: a mirror of one size, and Maps of the same. */
import { randomUUID } from 'node:crypto'
import { RevocationMirror } from '../../src/revocation/mirror.js'
import {
  idInScope,
  isBeforeCutoff,
  REVOCATION_SCOPES,
  type Revocation,
} from '../../src/revocation/revocation.js'
import type { RevocationStore } from '../../src/revocation/store.js'
import { RedisRevocationStore } from '../../src/stores/redis/index.js'
import type { TokenIdentity } from '../../src/tokens/token-identity.js'
import { redisClients } from '../../test/support/redis-clients.js'
import { collectGarbage, collectYoung, interleave, nanosecondsEach } from '../measure.js'
import { serve } from '../redis/processes.js'
import { watchStalls } from '../redis/stalls.js'
import { GeneratedStore, now, poolId, revocationsOf, someSessions } from './numbered-revocations.js'

const LOOK_UPS = 5_000
/** Enough for the engine to have compiled what it will compile. */
const WARM_UP = 100_000
const FILL_LENGTH = 10_000

export interface Memory {
  readonly heapBytes: number
  readonly residentBytes: number
}

export interface CatchUp {
  readonly ms: number
  /** The longest time that the event loop was held up by this process's computing. */
  readonly longestBusyMs: number
}

/** Nanoseconds each. */
export interface LookUps {
  readonly mirrorMiss: number
  readonly mirrorHit: number
  readonly mapsMiss?: number
  readonly mapsHit?: number
}

export interface RedisPlace {
  readonly host: string
  readonly port: number
  readonly namespace: string
  /** How many numbered revocations it holds. */
  readonly size: number
}

export type GrowthTasks = {
  generate(size: number): Promise<CatchUp & Memory>
  fillMaps(size: number): Memory
  lookUp(options: { readonly size: number; readonly rounds: number }): LookUps
  loadRedis(place: RedisPlace): Promise<CatchUp>
}

let mirror: RevocationMirror | undefined
let maps: Record<Revocation['scope'], Map<string, Revocation>> | undefined

function memory(): Memory {
  collectGarbage()
  collectGarbage()
  const { arrayBuffers, heapUsed, rss } = process.memoryUsage()
  return { heapBytes: arrayBuffers + heapUsed, residentBytes: rss }
}

function grownSince(before: Memory): Memory {
  const after = memory()
  return {
    heapBytes: after.heapBytes - before.heapBytes,
    residentBytes: after.residentBytes - before.residentBytes,
  }
}

/** Nothing of these takes place while it is measured: it is fresh for as long as that takes. */
function createMirror(store: RevocationStore, size: number): RevocationMirror {
  const longestMs = 3_600_000
  return new RevocationMirror(store, {
    maxEntries: size + 1_000,
    maxStalenessMs: longestMs,
    readyTimeoutMs: longestMs,
  })
}

async function catchUp(caught: RevocationMirror, size: number): Promise<CatchUp> {
  collectGarbage()
  let ms = 0
  const { longestBusyMs } = await watchStalls(async () => {
    const startedAt = performance.now()
    await caught.ready()
    ms = performance.now() - startedAt
  })
  if (caught.size !== size) throw new Error(`${caught.size} of ${size} are there`)
  return { ms, longestBusyMs }
}

function tokens(change: readonly Partial<TokenIdentity>[]): TokenIdentity[] {
  // As they come out of a token's payload; and out of the young generation, whose collection is not measured.
  const made = change.map((each) => ({
    jti: randomUUID(),
    originJti: randomUUID(),
    sub: randomUUID(),
    clientId: '1example23456789abcdefghij',
    iat: now,
    authTime: now - 60,
    ...each,
  }))
  const parsed: Omit<TokenIdentity, 'poolId'>[] = JSON.parse(JSON.stringify(made))
  const list = parsed.map((each) => ({ ...each, poolId }))
  collectYoung()
  collectYoung()
  return list
}

const notRevoked = () => tokens(Array.from({ length: LOOK_UPS }, () => ({})))
const revoked = (size: number) => tokens(someSessions(size, LOOK_UPS).map((originJti) => ({ originJti })))

/** Time of each, and that they all found what they should: nothing of it can be optimised away. */
function timed(
  list: readonly TokenIdentity[],
  find: (token: TokenIdentity) => unknown,
  areFound: boolean,
): number {
  let found = 0
  const time = nanosecondsEach(list.length, () => {
    for (const token of list) if (find(token) !== undefined) found += 1
  })
  if (found !== (areFound ? list.length : 0)) throw new Error(`${found} of ${list.length} were found`)
  return time
}

serve({
  /** A mirror that reads what is made for it. The time is the mirror's, without the making. */
  async generate(size) {
    const warmUp = createMirror(new GeneratedStore(WARM_UP), WARM_UP)
    await warmUp.ready()
    await warmUp.close()
    const before = memory()
    const store = new GeneratedStore(size)
    mirror = createMirror(store, size)
    const { ms, longestBusyMs } = await catchUp(mirror, size)
    return { ms: ms - store.makingMs, longestBusyMs, ...grownSince(before) }
  },

  /** A Map for each scope, of all that is in the mirror. */
  fillMaps(size) {
    const before = memory()
    const filled = {
      token: new Map(),
      session: new Map(),
      user: new Map(),
      client: new Map(),
      pool: new Map(),
    }
    maps = filled
    for (let from = 0; from < size; from += FILL_LENGTH) {
      for (const revocation of revocationsOf(from, Math.min(from + FILL_LENGTH, size))) {
        maps[revocation.scope].set(revocation.id, revocation)
      }
    }
    return grownSince(before)
  },

  lookUp({ size, rounds }) {
    const inMirror = (token: TokenIdentity) => mirror?.findSync(token)
    const ours = {
      mirrorMiss: () => timed(notRevoked(), inMirror, false),
      mirrorHit: () => timed(revoked(size), inMirror, true),
    }
    if (maps === undefined) return interleave(ours, { rounds })
    const pools = new Map([[poolId, maps]])
    const inMaps = (token: TokenIdentity) => {
      const scopes = pools.get(token.poolId)
      if (scopes === undefined) return undefined
      for (const scope of REVOCATION_SCOPES) {
        const id = idInScope(token, scope)
        const entry = id === undefined ? undefined : scopes[scope].get(id)
        if (entry !== undefined && isBeforeCutoff(token, entry.cutoff)) return entry
      }
      return undefined
    }
    const theirs = {
      mapsMiss: () => timed(notRevoked(), inMaps, false),
      mapsHit: () => timed(revoked(size), inMaps, true),
    }
    return interleave({ ...ours, ...theirs }, { rounds })
  },

  async loadRedis({ size, namespace, ...address }) {
    const { client, end } = await redisClients.ioredis.connect(address)
    const store = new RedisRevocationStore({ client, namespace, commandTimeoutMs: 60_000 })
    const loaded = createMirror(store, size)
    // Beside them, it holds a first one.
    const figures = await catchUp(loaded, size + 1)
    timed(revoked(size), (token) => loaded.findSync(token), true)
    await loaded.close()
    await store.close()
    await end()
    return figures
  },
} satisfies GrowthTasks)
