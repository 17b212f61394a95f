/**
 * How long a look-up in a mirror's table takes, against a Map of as many entries:
 * `node --expose-gc --import tsx bench/mirror-lookup.ts [--quick]`
 */
import { randomInt, randomUUID } from 'node:crypto'
import {
  idInScope,
  isBeforeCutoff,
  REVOCATION_SCOPES,
  type Revocation,
  type RevocationScope,
} from '../src/revocation/revocation.js'
import { RevocationTable } from '../src/revocation/table/revocation-table.js'
import { ScopeTable } from '../src/revocation/table/scope-table.js'
import { TableTally } from '../src/revocation/table/table-piece.js'
import type { TokenIdentity } from '../src/tokens/token-identity.js'
import { collectYoung, heading, interleave, isQuick, nanosecondsEach, reportRatio } from './measure.js'

const entries = isQuick ? 200_000 : 1_000_000
const lookUps = 5_000
const rounds = isQuick ? 11 : 61

const poolId = 'us-east-1_AbCdEfGhI'
const now = 1_750_000_000
const expiresAt = now + 86_400
const cutoff = now - 3_600

/** Ids that are kept as bytes, so that every string made of them is one that was never looked up before. */
class Ids {
  readonly #bytes: Buffer
  readonly #order: Uint32Array
  #next = 0

  constructor(readonly length: number) {
    this.#bytes = Buffer.alloc(length * 36)
    this.#order = new Uint32Array(length)
    for (let index = 0; index < length; index++) {
      this.#bytes.write(randomUUID(), index * 36, 'latin1')
      const other = randomInt(index + 1)
      this.#order[index] = this.#order[other] as number
      this.#order[other] = index
    }
  }

  *[Symbol.iterator](): Generator<string> {
    for (let index = 0; index < this.length; index++) yield this.#at(index)
  }

  /** The next in an order of chance, round and round. */
  next(): string {
    return this.#at(this.#order[this.#next++ % this.length] as number)
  }

  #at(index: number): string {
    return this.#bytes.toString('latin1', index * 36, index * 36 + 36)
  }
}

/** As they come out of a token's payload; and out of the young generation, whose collection is not measured. */
function parsed<T>(make: () => T): T[] {
  const values = JSON.parse(JSON.stringify(Array.from({ length: lookUps }, make)))
  collectYoung()
  collectYoung()
  return values
}

function record(scope: RevocationScope, id: string): Revocation {
  return scope === 'user' ? { poolId, scope, id, cutoff, expiresAt } : { poolId, scope, id, expiresAt }
}

/** Time per call, and that they all found what they should: nothing of it can be optimised away. */
function timed<T>(values: readonly T[], look: (value: T) => unknown, areFound: boolean): number {
  let found = 0
  const time = nanosecondsEach(values.length, () => {
    for (const value of values) if (look(value) !== undefined) found += 1
  })
  if (found !== (areFound ? values.length : 0)) throw new Error(`${found} were found`)
  return time
}

function byKey(): void {
  heading(`A look-up by one key among ${entries.toLocaleString('en')}, against Map.get`)
  const present = new Ids(entries)
  const absent = new Ids(entries)
  const map = new Map([...present].map((id) => [id, record('session', id)]))
  const table = new ScopeTable(poolId, 'session', new TableTally())
  for (const id of present) table.apply(id, { expiresAt }, 0, now, true)
  const token: TokenIdentity = { poolId, sub: '', clientId: '', iat: now }
  const inMap = (id: string) => map.get(id)
  const inTable = (id: string) => table.find(id, token)

  const reusedAbsent = parsed(() => absent.next())
  for (const id of reusedAbsent) map.get(id)
  // The Map's own, which it knows by their address.
  const reusedPresent = shuffled([...map.keys()]).slice(0, lookUps)
  const of = interleave(
    {
      mapMiss: () =>
        timed(
          parsed(() => absent.next()),
          inMap,
          false,
        ),
      tableMiss: () =>
        timed(
          parsed(() => absent.next()),
          inTable,
          false,
        ),
      mapHit: () =>
        timed(
          parsed(() => present.next()),
          inMap,
          true,
        ),
      tableHit: () =>
        timed(
          parsed(() => present.next()),
          inTable,
          true,
        ),
      mapMissReused: () => timed(reusedAbsent, inMap, false),
      tableMissReused: () => timed(reusedAbsent, inTable, false),
      mapHitReused: () => timed(reusedPresent, inMap, true),
      tableHitReused: () => timed(reusedPresent, inTable, true),
    },
    { rounds },
  )
  reportRatio('not there', [of.tableMiss, of.mapMiss], 'ns', 0.5)
  reportRatio('there', [of.tableHit, of.mapHit], 'ns', 0.5)
  reportRatio('not there, strings looked up before', [of.tableMissReused, of.mapMissReused], 'ns')
  reportRatio("there, the Map's own strings", [of.tableHitReused, of.mapHitReused], 'ns')
}

function byToken(): void {
  heading(`A look-up by a token's five keys among ${entries.toLocaleString('en')}, against five Map.gets`)
  const ids = {
    token: new Ids(entries / 5),
    session: new Ids(entries / 2),
    user: new Ids((entries * 3) / 10),
  }
  const maps = Object.fromEntries(REVOCATION_SCOPES.map((scope) => [scope, new Map()])) as ScopeMaps
  const pools = new Map([[poolId, maps]])
  const table = new RevocationTable({ maxEntries: entries + 100 })
  const add = (revocation: Revocation) => {
    maps[revocation.scope].set(revocation.id, revocation)
    table.apply(revocation, 0, now)
  }
  for (const scope of ['token', 'session', 'user'] as const) {
    for (const id of ids[scope]) add(record(scope, id))
  }
  for (let client = 0; client < 10; client++) add({ ...record('client', clientId(client)), cutoff })

  const inMaps = (token: TokenIdentity) => {
    const tables = pools.get(token.poolId)
    if (tables === undefined) return undefined
    for (const scope of REVOCATION_SCOPES) {
      const id = idInScope(token, scope)
      const entry = id === undefined ? undefined : tables[scope].get(id)
      if (entry !== undefined && isBeforeCutoff(token, entry.cutoff)) return entry
    }
    return undefined
  }
  const inTable = (token: TokenIdentity) => table.find(token)
  const tokens = (change: () => Partial<TokenIdentity>) =>
    parsed<TokenIdentity>(() => ({
      jti: randomUUID(),
      originJti: randomUUID(),
      sub: randomUUID(),
      clientId: clientId(99),
      iat: now,
      authTime: now - 60,
      ...change(),
      poolId,
    })).map((token) => ({ ...token, poolId }))
  const notRevoked = () => tokens(() => ({}))
  const revoked = () => tokens(() => ({ originJti: ids.session.next() }))
  const signedInAgain = () => tokens(() => ({ sub: ids.user.next() }))
  const of = interleave(
    {
      mapsMiss: () => timed(notRevoked(), inMaps, false),
      tableMiss: () => timed(notRevoked(), inTable, false),
      mapsHit: () => timed(revoked(), inMaps, true),
      tableHit: () => timed(revoked(), inTable, true),
      mapsAfter: () => timed(signedInAgain(), inMaps, false),
      tableAfter: () => timed(signedInAgain(), inTable, false),
    },
    { rounds },
  )
  reportRatio('not revoked', [of.tableMiss, of.mapsMiss], 'ns')
  reportRatio('session revoked', [of.tableHit, of.mapsHit], 'ns')
  reportRatio('user revoked, but signed in again', [of.tableAfter, of.mapsAfter], 'ns')
}

type ScopeMaps = Record<RevocationScope, Map<string, Revocation>>

function clientId(number: number): string {
  return `1example${number}`.padEnd(26, 'k')
}

function shuffled<T>(values: readonly T[]): T[] {
  const places = values.map((value) => ({ value, place: Math.random() }))
  return places.sort((a, b) => a.place - b.place).map(({ value }) => value)
}

byKey()
byToken()
