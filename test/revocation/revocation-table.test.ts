import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  idInScope,
  isBeforeCutoff,
  mergeExtents,
  purgeableAt,
  REVOCATION_SCOPES,
  type Revocation,
  type RevocationMatch,
  type RevocationScope,
} from '../../src/revocation/revocation.js'
import { RevocationTable } from '../../src/revocation/table/revocation-table.js'
import type { TokenIdentity } from '../../src/tokens/token-identity.js'

const now = 1_750_000_000
const hour = 3_600
const uuid = '0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0'

function create(maxEntries = 1_000_000): RevocationTable {
  return new RevocationTable({ maxEntries })
}

function revocationOf(id: string, changes: Partial<Revocation> = {}): Revocation {
  return { poolId: 'pool', scope: 'session', id, expiresAt: now + hour, ...changes }
}

/** A token that this record, and no other, can be found by. */
function tokenOf({ poolId, scope, id }: RevocationMatch, iat = now): TokenIdentity {
  const token = { poolId, sub: 'another sub', clientId: 'another client', iat }
  const field = { token: 'jti', session: 'originJti', user: 'sub', client: 'clientId', pool: 'poolId' }[scope]
  return { ...token, [field]: id }
}

function all(slices: Iterable<RevocationMatch[]>): RevocationMatch[] {
  return [...slices].flat()
}

function sweepAll(table: RevocationTable, nowSeconds: number): void {
  for (let time = 0; time < 100; time++) table.sweep(nowSeconds)
}

/** The same ids in every run. */
function numberedId(number: number): string {
  const digits = Math.imul(number, 0x9e3779b1) >>> 0
  return `${digits.toString(16).padStart(8, '0')}-0000-4000-8000-${number.toString(16).padStart(12, '0')}`
}

describe('A RevocationTable', () => {
  it('begins empty', () => {
    const table = create()
    expect(table.size).toBe(0)
    expect(all(table.entries())).toEqual([])
    expect(table.find(tokenOf(revocationOf(uuid)))).toBeUndefined()
  })

  it.each(REVOCATION_SCOPES)('finds what is revoked in the scope %s', (scope) => {
    const table = create()
    for (const poolId of [uuid, 'pool']) {
      const record = { poolId, scope, id: scope === 'pool' ? poolId : uuid, expiresAt: now }
      expect(table.find(tokenOf(record))).toBeUndefined()
      expect(table.apply({ ...record, audit: { revokedAt: now } }, 0, now)).toBe(true)
      expect(table.find(tokenOf(record))).toEqual(record)
    }
    expect(table.size).toBe(2)
  })

  it('keeps apart the pools of records that come in turns', () => {
    const table = new RevocationTable({ maxEntries: 10 })
    const inTurns = ['a', 'b', 'b', 'a'].map((poolId, index) => revocationOf(`session ${index}`, { poolId }))
    for (const revocation of inTurns) table.apply(revocation, 0, now)
    for (const { poolId, id } of inTurns) {
      const other = poolId === 'a' ? 'b' : 'a'
      expect(table.find(tokenOf(revocationOf(id, { poolId })))).toMatchObject({ poolId, id })
      expect(table.find(tokenOf(revocationOf(id, { poolId: other })))).toBeUndefined()
    }
  })

  it('finds nothing of another scope or pool', () => {
    const table = create()
    table.apply(revocationOf(uuid), 0, now)
    for (const scope of ['token', 'user', 'client'] as const)
      expect(table.find(tokenOf(revocationOf(uuid, { scope })))).toBeUndefined()
    expect(table.find(tokenOf(revocationOf(uuid, { poolId: 'other' })))).toBeUndefined()
  })

  it('answers with the narrowest scope that matches', () => {
    const table = create()
    const token = { poolId: 'pool', jti: 'j', originJti: uuid, sub: uuid, clientId: 'c', iat: now }
    for (const scope of [...REVOCATION_SCOPES].reverse()) {
      const id = idInScope(token, scope) ?? ''
      table.apply(revocationOf(id, { scope }), 0, now)
      expect(table.find(token)).toMatchObject({ scope, id })
    }
  })

  it('goes on to the next scope where a cutoff does not match', () => {
    const table = create()
    table.apply(revocationOf(uuid, { scope: 'user', cutoff: now - 1 }), 0, now)
    table.apply(revocationOf('c', { scope: 'client', cutoff: now }), 0, now)
    const token = { poolId: 'pool', sub: uuid, clientId: 'c', iat: now }
    expect(table.find(token)).toMatchObject({ scope: 'client' })
    expect(table.find({ ...token, iat: now + 1 })).toBeUndefined()
  })

  it.each([uuid, 'some text'])('matches by the earlier of auth_time and iat, up to the cutoff (%s)', (id) => {
    const table = create()
    const record = revocationOf(id, { scope: 'user', cutoff: now })
    table.apply(record, 0, now)
    const token = tokenOf(record)
    expect(table.find({ ...token, iat: now })).toEqual(record)
    expect(table.find({ ...token, iat: now + 1 })).toBeUndefined()
    expect(table.find({ ...token, iat: now + 1, authTime: now })).toEqual(record)
    expect(table.find({ ...token, iat: now + 1, authTime: now + 1 })).toBeUndefined()
    expect(table.find({ ...token, iat: Number.NaN })).toEqual(record)
  })

  it('finds what is past its expiresAt for as long as it is there', () => {
    const table = create()
    const record = revocationOf(uuid, { expiresAt: 1 })
    table.apply(record, 0, now)
    expect(table.find(tokenOf(record))).toEqual(record)
  })

  it('passes over ids that a token does not have, or that are no strings', () => {
    const table = create()
    table.apply(revocationOf(uuid), 0, now)
    const token = { poolId: 'pool', jti: undefined, originJti: undefined, sub: 's', clientId: 'c', iat: now }
    expect(table.find(token)).toBeUndefined()
    expect(table.find({ ...token, originJti: null as unknown as string })).toBeUndefined()
    expect(table.find({ ...token, originJti: 36 as unknown as string })).toBeUndefined()
    expect(table.find({ ...token, originJti: [uuid] as unknown as string })).toBeUndefined()
  })

  it('tells ids apart that look alike', () => {
    const ids = [
      ...[uuid, uuid.toUpperCase(), uuid.replace('f', 'F'), uuid.replaceAll('-', ''), `${uuid} `, ` ${uuid}`],
      ...['', ' ', '0', '__proto__', 'constructor', '\u0130', '\u{1f510}', '-'.repeat(36), '0'.repeat(36)],
      ...[0x80, 0x100, 0x200, 0x1000, 0xff00].map((high) => String.fromCharCode(high + 0x30) + uuid.slice(1)),
      ...[0x80, 0x100, 0x200].map((high) => uuid.replace('-', String.fromCharCode(high + 0x2d))),
    ]
    for (const id of ids) {
      const table = create()
      table.apply(revocationOf(id), 0, now)
      const found = ids.filter((other) => table.find(tokenOf(revocationOf(other))) !== undefined)
      expect(found).toEqual([id])
      expect(all(table.entries())).toEqual([revocationOf(id)])
    }
  })

  it('keeps every value as it is, however large or fine, and in whatever company', () => {
    const values = [0, 1, 0.5, now, now + 0.25, 2 ** 31, 2 ** 32 - 2, 2 ** 32 - 1, 2 ** 32, 1e11 - 0.001]
    const extents = values.flatMap((expiresAt) => [
      { expiresAt },
      ...values.map((cutoff) => ({ expiresAt, cutoff })),
    ])
    const records = extents.map((extent, index) => ({
      ...{ poolId: 'pool', scope: 'user' as const, id: numberedId(index) },
      ...extent,
    }))
    for (const order of [records, records.toReversed(), ...records.map((record) => [record])]) {
      const table = create()
      for (const record of order) table.apply(record, 0, 0)
      const sorted = all(table.entries()).sort((a, b) => a.id.slice(24).localeCompare(b.id.slice(24)))
      expect(sorted).toEqual(order.toSorted((a, b) => a.id.slice(24).localeCompare(b.id.slice(24))))
    }
  })

  it.each([uuid, 'some text'])('merges: the larger cutoff, of which none is the largest; %s', (id) => {
    const extents = [
      { expiresAt: now },
      { expiresAt: now + 0.5, cutoff: now },
      { expiresAt: now - 1, cutoff: now + 1 },
      { expiresAt: now + 2, cutoff: now - 0.5 },
      { expiresAt: now, cutoff: 2 ** 32 },
    ]
    for (const a of extents) {
      for (const b of extents) {
        const table = create()
        const record = { poolId: 'pool', scope: 'user', id } as const
        table.apply({ ...record, ...a }, 0, now)
        table.apply({ ...record, ...b }, 0, now)
        expect(all(table.entries())).toEqual([{ ...record, ...mergeExtents(a, b) }])
        expect(table.size).toBe(1)
      }
    }
  })

  it('counts an epoch up where a token can have become revoked, and only there', () => {
    const table = create()
    let { epoch } = table
    const isUp = (id: string, cutoff: number | undefined, expiresAt: number) => {
      table.apply({ ...revocationOf(id, { scope: 'user', expiresAt }), ...(cutoff && { cutoff }) }, 0, now)
      const before = epoch
      epoch = table.epoch
      return epoch > before
    }
    for (const id of [uuid, 'some text']) {
      expect(isUp(id, now, now)).toBe(true)
      expect(isUp(id, now, now)).toBe(false)
      expect(isUp(id, now, now + 1)).toBe(false)
      expect(isUp(id, now - 1, now)).toBe(false)
      expect(isUp(id, now + 1, now)).toBe(true)
      expect(isUp(id, undefined, now)).toBe(true)
      expect(isUp(id, now + 9, now)).toBe(false)
    }
  })
})

describe('A growing RevocationTable', () => {
  it('finds each of 200,000 entries, and none of 200,000 others', () => {
    const table = create()
    const ids = Array.from({ length: 400_000 }, (_, number) => numberedId(number))
    const present = ids.filter((_, number) => number % 2 === 0)
    for (const id of present) table.apply(revocationOf(id), 0, now)
    expect(table.size).toBe(present.length)
    const isFound = (id: string) =>
      table.find({ poolId: 'pool', originJti: id, sub: 's', clientId: 'c', iat: now }) !== undefined
    expect(ids.findIndex((id, number) => isFound(id) !== (number % 2 === 0))).toBe(-1)
    const told = all(table.entries()).map(({ id }) => id)
    expect(told).toHaveLength(present.length)
    expect(new Set([...told, ...present]).size).toBe(present.length)
    for (const id of present) table.apply(revocationOf(id), 0, now)
    expect(table.size).toBe(present.length)
  })

  it.each(Array.from(uuid, (_, place) => place).filter((place) => uuid[place] !== '-'))(
    'tells ids apart that differ in the digit at %i only',
    (place) => {
      const table = create()
      const ids = Array.from(
        '0123456789abcdef',
        (digit) => uuid.slice(0, place) + digit + uuid.slice(place + 1),
      )
      for (const id of ids.slice(0, 8)) table.apply(revocationOf(id), 0, now)
      const found = ids.filter((id) => table.find(tokenOf(revocationOf(id))) !== undefined)
      expect(found).toEqual(ids.slice(0, 8))
    },
  )

  it.each([0, 9, 19, 28])('bears ids that differ in four digits from %i on only', (place) => {
    const table = create()
    const ids = Array.from({ length: 20_000 }, (_, number) => {
      return uuid.slice(0, place) + number.toString(16).padStart(4, '0') + uuid.slice(place + 4)
    })
    for (const id of ids.slice(0, 10_000)) table.apply(revocationOf(id), 0, now)
    const found = ids.filter((id) => table.find(tokenOf(revocationOf(id))) !== undefined)
    expect(found).toEqual(ids.slice(0, 10_000))
  })

  it('grows in every pool and scope, and by ids of every kind', () => {
    const table = create()
    const records: Revocation[] = []
    for (let number = 0; number < 30_000; number++) {
      const scope = REVOCATION_SCOPES[number % 4] as RevocationScope
      const id = number % 5 === 0 ? `text ${number}` : numberedId(number)
      const expiresAt = now + (number % 7 === 0 ? number + 0.5 : number)
      records.push({ poolId: `pool ${number % 3}`, scope, id, expiresAt })
    }
    for (const record of records) table.apply(record, 0, now)
    expect(records.map((record) => table.find(tokenOf(record)))).toEqual(records)
    expect(all(table.entries())).toHaveLength(records.length)
  })

  it('keeps values exactly when an entry that needs more room comes late', () => {
    const table = create()
    const records = Array.from({ length: 8_000 }, (_, number) => {
      return revocationOf(numberedId(number), { scope: 'user', expiresAt: now + number })
    })
    for (const record of records) table.apply(record, 0, now)
    const late = [
      { ...revocationOf(numberedId(10_001), { scope: 'user' }), cutoff: now },
      { ...revocationOf(numberedId(10_002), { scope: 'user' }), expiresAt: now + 0.125 },
      { ...revocationOf(numberedId(10_003), { scope: 'user' }), cutoff: now + 0.125 },
    ]
    for (const record of late) {
      table.apply(record, 0, now)
      records.push(record)
      expect(records.map((one) => table.find(tokenOf(one, now - 1)))).toEqual(records)
    }
  })
})

describe('A full RevocationTable', () => {
  it.each([(number: number) => numberedId(number), (number: number) => `text ${number}`])(
    'refuses what is new, and merges what is there',
    (idOf) => {
      const table = create(100)
      for (let number = 0; number < 100; number++) {
        expect(table.apply(revocationOf(idOf(number)), 0, now)).toBe(true)
      }
      for (const scope of REVOCATION_SCOPES) {
        expect(table.apply(revocationOf(idOf(100), { scope }), 0, now)).toBe(false)
      }
      expect(table.apply(revocationOf(idOf(50), { expiresAt: now + 9 * hour }), 0, now)).toBe(true)
      expect(table.find(tokenOf(revocationOf(idOf(50))))).toMatchObject({ expiresAt: now + 9 * hour })
      expect(table.find(tokenOf(revocationOf(idOf(100))))).toBeUndefined()
      expect(table.size).toBe(100)
    },
  )

  it('makes room as soon as anything in it may be forgotten, and no sooner', () => {
    for (const [idOf, poolId] of [
      [numberedId, 'pool'],
      [(number: number) => `text ${number}`, 'pool'],
      [numberedId, 'other'],
    ] as const) {
      const table = create(20_000)
      for (let number = 0; number < 20_000; number++) {
        const expiresAt = number === 12_345 ? now : now + 9 * hour
        table.apply(revocationOf(idOf(number), { expiresAt }), 0, now)
      }
      const late = revocationOf(numberedId(20_001), { poolId })
      expect(table.apply(late, 0, now + hour - 0.001)).toBe(false)
      // The work of one call is limited: it may take some to come upon the entry.
      let calls = 1
      while (!table.apply(late, 0, now + hour) && calls < 10) calls += 1
      expect(table.find(tokenOf(late))).toEqual(late)
      expect(table.find(tokenOf(revocationOf(idOf(12_345))))).toBeUndefined()
      expect(table.size).toBe(20_000)
    }
  })

  it('may hold nothing at all', () => {
    const table = create(0)
    expect(table.apply(revocationOf(uuid), 0, now)).toBe(false)
    expect(table.size).toBe(0)
    expect(all(table.entries())).toEqual([])
  })
})

describe('Purging a RevocationTable', () => {
  it('forgets an hour after expiresAt, to the moment', () => {
    for (const id of [uuid, 'some text']) {
      const table = create()
      table.apply(revocationOf(id, { expiresAt: now + 0.5 }), 0, now)
      sweepAll(table, now + hour + 0.499)
      expect(table.size).toBe(1)
      sweepAll(table, now + hour + 0.5)
      expect(table.size).toBe(0)
      expect(table.find(tokenOf(revocationOf(id)))).toBeUndefined()
    }
  })

  it('goes by the merged expiresAt', () => {
    for (const id of [uuid, 'some text']) {
      const table = create()
      for (const expiresAt of [now, now + 9, now + 1]) table.apply(revocationOf(id, { expiresAt }), 0, now)
      sweepAll(table, now + hour + 8)
      expect(table.size).toBe(1)
      sweepAll(table, now + hour + 9)
      expect(table.size).toBe(0)
    }
  })

  it('leaves what still lives, as it was', () => {
    const table = create()
    const records = Array.from({ length: 30_000 }, (_, number) => {
      const id = number % 3 === 0 ? `text ${number}` : numberedId(number)
      return revocationOf(id, { expiresAt: now + (number % 10), poolId: `pool ${number % 2}` })
    })
    for (const record of records) table.apply(record, 7, now)
    for (const over of [0, 1, 5, 9]) {
      sweepAll(table, now + hour + over)
      const live = records.filter(({ expiresAt }) => expiresAt > now + over)
      expect(table.size).toBe(live.length)
      expect(records.filter((record) => table.find(tokenOf(record)))).toEqual(live)
      expect(all(table.unseen(7))).toEqual([])
      expect(all(table.unseen(8))).toHaveLength(live.length)
    }
  })

  it('takes place little by little', () => {
    const table = create()
    for (let number = 0; number < 100_000; number++) table.apply(revocationOf(numberedId(number)), 0, now)
    let calls = 0
    for (let { size } = table; size > 0; calls++) {
      table.sweep(now + 2 * hour)
      expect(size - table.size).toBeLessThan(20_000)
      size = table.size
    }
    expect(calls).toBeGreaterThan(5)
  })

  it.each(Array.from({ length: 8 }, (_, number) => number))(
    'comes upon what is added meanwhile (%i)',
    (time) => {
      const table = create()
      for (let number = 0; number < 20_000; number++) table.apply(revocationOf(numberedId(number)), 0, now)
      const later = now + 2 * hour
      while (table.size > 5_000) table.sweep(later)
      const late = revocationOf(numberedId(20_000 + time), { expiresAt: later })
      table.apply(late, 0, later)
      sweepAll(table, later)
      expect(all(table.entries())).toEqual([late])
      sweepAll(table, later + hour)
      expect(table.size).toBe(0)
    },
  )

  it('happens as a table grows, which then need not', () => {
    const table = create()
    for (let number = 0; number < 200_000; number++) {
      const nowSeconds = now + number
      table.apply(revocationOf(numberedId(number), { expiresAt: nowSeconds }), 0, nowSeconds)
    }
    // 3,600 are to be kept at any time.
    expect(table.size).toBeLessThan(10_000)
    expect(all(table.entries())).toHaveLength(table.size)
  })

  it('does not keep an id from being revoked again', () => {
    const table = create()
    table.apply(revocationOf(uuid), 0, now)
    const { epoch } = table
    sweepAll(table, now + 9 * hour)
    table.apply(revocationOf(uuid, { expiresAt: now + 10 * hour }), 0, now + 9 * hour)
    expect(table.find(tokenOf(revocationOf(uuid)))).toMatchObject({ expiresAt: now + 10 * hour })
    expect(table.epoch).toBeGreaterThan(epoch)
  })
})

describe('The rounds of a RevocationTable', () => {
  const ids = [uuid, 'some text', ...Array.from({ length: 20_000 }, (_, number) => numberedId(number))]

  it('tell which entries were not seen in one', () => {
    const table = create()
    for (const id of ids) table.apply(revocationOf(id), 1, now)
    expect(all(table.unseen(1))).toEqual([])
    for (const [index, id] of ids.entries()) if (index % 100 !== 0) table.apply(revocationOf(id), 2, now)
    const unseen = all(table.unseen(2)).map(({ id }) => id)
    expect(unseen.sort()).toEqual(ids.filter((_, index) => index % 100 === 0).sort())
  })

  it('can be asked about one entry', () => {
    const table = create()
    for (const id of [uuid, 'some text']) {
      const record = revocationOf(id)
      expect(table.isUnseen(record, 1)).toBe(false)
      table.apply(record, 1, now)
      expect(table.isUnseen(record, 1)).toBe(false)
      expect(table.isUnseen(record, 2)).toBe(true)
      expect(table.isUnseen({ ...record, scope: 'token' }, 2)).toBe(false)
      expect(table.isUnseen({ ...record, poolId: 'other' }, 2)).toBe(false)
      table.apply(record, 2, now)
      expect(table.isUnseen(record, 2)).toBe(false)
    }
  })

  it('are not confused by an earlier one that comes late: what was seen later was not lost', () => {
    const table = create()
    for (const id of [uuid, 'some text']) {
      const record = revocationOf(id)
      for (const round of [5, 3]) table.apply(record, round, now)
      expect(table.isUnseen(record, 5)).toBe(false)
      expect(table.isUnseen(record, 3)).toBe(false)
      expect(table.isUnseen(record, 6)).toBe(true)
    }
  })

  it('of what was forgotten are not taken for those of what is there', () => {
    const table = create()
    const later = now + 2 * hour
    for (const [index, id] of ids.entries()) {
      table.apply(revocationOf(id, { expiresAt: index % 2 === 0 ? now : later }), 9, now)
    }
    sweepAll(table, later)
    const forgotten = ids.filter((_, index) => index % 2 === 0)
    for (const id of forgotten) table.apply(revocationOf(id, { expiresAt: later }), 3, later)
    expect(all(table.unseen(4))).toHaveLength(forgotten.length)
  })

  it('may be any number, and never look like another one', () => {
    const table = create()
    const [always, once, text] = [numberedId(1), numberedId(2), 'some text']
    const rounds = [
      ...Array.from({ length: 1_000 }, (_, round) => round),
      5_000,
      5_001,
      1e6,
      2 ** 40,
      2 ** 40 + 255,
    ]
    table.apply(revocationOf(once), 0, now)
    for (const round of rounds) {
      for (const id of [always, text]) table.apply(revocationOf(id), round, now)
      expect(table.isUnseen(revocationOf(always), round)).toBe(false)
      expect(table.isUnseen(revocationOf(text), round)).toBe(false)
      if (round > 0) expect(all(table.unseen(round))).toEqual([revocationOf(once)])
      expect(all(table.unseen(round + 1))).toHaveLength(3)
      expect(all(table.unseen(round + 256))).toHaveLength(3)
    }
  })

  it('stay known when the table grows, up to 127 back', () => {
    const table = create()
    const rounds = [300, 400, 427]
    for (const round of rounds) {
      for (const [index, id] of ids.entries()) {
        if (rounds[index % 3] === round) table.apply(revocationOf(id), round, now)
      }
    }
    const seenIn = (...some: number[]) =>
      ids.filter((_, index) => some.includes(rounds[index % 3] ?? 0)).sort()
    const unseenIn = (round: number) =>
      all(table.unseen(round))
        .map(({ id }) => id)
        .sort()
    expect(unseenIn(428)).toEqual(seenIn(300, 400, 427))
    expect(unseenIn(427)).toEqual(seenIn(300, 400))
    expect(unseenIn(400)).toEqual(seenIn(300))
    expect(unseenIn(300)).toEqual([])
  })
})

describe('The slices of a RevocationTable', () => {
  it('are small, and there are some where there is nothing to tell', () => {
    const table = create()
    for (let number = 0; number < 100_000; number++) table.apply(revocationOf(numberedId(number)), 1, now)
    const entries = [...table.entries()]
    expect(Math.max(...entries.map((slice) => slice.length))).toBeLessThan(8_000)
    expect([...table.unseen(1)]).toHaveLength(entries.length)
  })

  it('miss nothing, and tell nothing twice, while the table grows and is purged', () => {
    const table = create()
    const kept = (number: number) => (number % 10 === 0 ? `text ${number}` : numberedId(number))
    for (let number = 0; number < 40_000; number++) table.apply(revocationOf(kept(number)), 1, now)
    let next = 1_000_000
    for (let number = 0; number < 5_000; number++) {
      table.apply(revocationOf(numberedId(next++), { expiresAt: now - 9 * hour }), 1, now)
    }
    const told: string[] = []
    for (const slice of table.unseen(2)) {
      told.push(...slice.map(({ id }) => id))
      for (let number = 0; number < 6_000; number++) {
        const poolId = number % 10 === 0 ? 'later pool' : 'pool'
        table.apply(revocationOf(numberedId(next++), { poolId }), 2, now)
      }
      table.sweep(now)
    }
    const ofKept = new Set(Array.from({ length: 40_000 }, (_, number) => kept(number)))
    expect(told.filter((id) => ofKept.has(id))).toHaveLength(40_000)
    expect(new Set(told.filter((id) => ofKept.has(id))).size).toBe(40_000)
  })
})

describe('A RevocationTable and a plain Map', () => {
  const seconds = fc.oneof(
    fc.integer({ min: now - 3 * hour, max: now + 3 * hour }),
    fc.double({ min: 0, max: 1e11, maxExcluded: true, noNaN: true }),
    fc.constantFrom(0, now, now + 0.5, 2 ** 32 - 2, 2 ** 32 - 1, 2 ** 32, 99_999_999_999.5),
  )
  const near = (place: number, code: number) =>
    uuid.slice(0, place) + String.fromCharCode(code) + uuid.slice(place + 1)
  const id = fc.oneof(
    fc.nat(40).map(numberedId),
    fc
      .tuple(fc.nat(35), fc.constantFrom(0x30, 0x66, 0x46, 0x2d, 0xb0, 0x130, 0xff30))
      .map(([a, b]) => near(a, b)),
    fc.constantFrom(uuid, uuid.toUpperCase(), '', 'text', '__proto__'),
  )
  const record: fc.Arbitrary<Revocation> = fc
    .record(
      {
        poolId: fc.constantFrom('pool', 'other', uuid),
        scope: fc.constantFrom(...REVOCATION_SCOPES),
        id,
        expiresAt: seconds,
        cutoff: seconds,
      },
      { requiredKeys: ['poolId', 'scope', 'id', 'expiresAt'] },
    )
    .map((one) => (one.scope === 'pool' ? { ...one, id: one.poolId } : one))
  const identity: fc.Arbitrary<TokenIdentity> = fc.record({
    poolId: fc.constantFrom('pool', 'other', uuid, 'unknown'),
    jti: fc.option(id, { nil: undefined }),
    originJti: fc.option(id, { nil: undefined }),
    sub: id,
    clientId: id,
    authTime: fc.option(seconds, { nil: undefined }),
    iat: seconds,
  })
  const step = fc.oneof(
    { weight: 6, arbitrary: fc.record({ apply: record }) },
    { weight: 3, arbitrary: fc.record({ find: identity }) },
    { weight: 1, arbitrary: fc.record({ pass: fc.integer({ min: 0, max: 2 * hour }) }) },
    { weight: 1, arbitrary: fc.constant({ round: true }) },
    { weight: 1, arbitrary: fc.constant({ sweep: true }) },
    { weight: 1, arbitrary: fc.constant({ compare: true }) },
  )
  type Step = Partial<{
    apply: Revocation
    find: TokenIdentity
    pass: number
    round: true
    sweep: true
    compare: true
  }>

  const keyOf = ({ poolId, scope, id }: RevocationMatch) => JSON.stringify([poolId, scope, id])
  const byKey = (a: RevocationMatch, b: RevocationMatch) => (keyOf(a) < keyOf(b) ? -1 : 1)

  /** There will be no such round: what is there, is unseen in it. */
  const isThere = (table: RevocationTable, one: RevocationMatch) =>
    table.isUnseen(one, Number.POSITIVE_INFINITY)

  /** The model forgets what is over when the table has, which it may at any time. */
  class Model {
    readonly entries = new Map<string, { record: RevocationMatch; round: number }>()
    nowSeconds = now
    round = 0

    constructor(readonly maxEntries: number) {}

    forgetAs(table: RevocationTable): void {
      for (const [key, { record }] of this.entries) {
        if (isThere(table, record)) continue
        expect(this.nowSeconds).toBeGreaterThanOrEqual(purgeableAt(record))
        this.entries.delete(key)
      }
    }

    apply({ poolId, scope, id, cutoff, expiresAt }: Revocation): void {
      const given = cutoff === undefined ? { expiresAt } : { cutoff, expiresAt }
      const key = keyOf({ poolId, scope, id, expiresAt })
      const present = this.entries.get(key)?.record
      const extent = present === undefined ? given : mergeExtents(present, given)
      this.entries.set(key, { record: { poolId, scope, id, ...extent }, round: this.round })
    }

    find(token: TokenIdentity): RevocationMatch | undefined {
      return REVOCATION_SCOPES.map((scope) => {
        const id = idInScope(token, scope)
        if (id === undefined) return undefined
        const entry = this.entries.get(keyOf({ poolId: token.poolId, scope, id, expiresAt: 0 }))
        return entry !== undefined && isBeforeCutoff(token, entry.record.cutoff) ? entry.record : undefined
      }).find((match) => match !== undefined)
    }
  }

  function take(step: Step, table: RevocationTable, model: Model): void {
    if (step.pass !== undefined) model.nowSeconds += step.pass
    if (step.round) model.round += 100
    if (step.sweep) {
      sweepAll(table, model.nowSeconds)
      model.forgetAs(table)
      for (const { record } of model.entries.values()) {
        expect(model.nowSeconds).toBeLessThan(purgeableAt(record))
      }
    }
    if (step.apply !== undefined) {
      const wasThere = isThere(table, step.apply)
      const isIn = table.apply(step.apply, model.round, model.nowSeconds)
      if (!wasThere) model.entries.delete(keyOf(step.apply))
      model.forgetAs(table)
      if (isIn) model.apply(step.apply)
      else {
        expect(wasThere).toBe(false)
        expect(table.size).toBe(model.maxEntries)
        for (const { record } of model.entries.values()) {
          expect(model.nowSeconds).toBeLessThan(purgeableAt(record))
        }
      }
    }
    if (step.compare) compare(table, model)
    if (step.find !== undefined) expect(table.find(step.find)).toEqual(model.find(step.find))
  }

  function compare(table: RevocationTable, model: Model): void {
    const entries = [...model.entries.values()]
    expect(table.size).toBe(entries.length)
    expect(all(table.entries()).sort(byKey)).toEqual(entries.map(({ record }) => record).sort(byKey))
    const unseen = entries.filter(({ round }) => round < model.round)
    expect(all(table.unseen(model.round)).sort(byKey)).toEqual(unseen.map(({ record }) => record).sort(byKey))
  }

  it.each([10, 1_000])('of at most %i entries hold the same after whatever was done', (maxEntries) => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 150 }), (steps) => {
        const table = create(maxEntries)
        const model = new Model(maxEntries)
        for (const step of steps) {
          take(step, table, model)
        }
        compare(table, model)
      }),
      { numRuns: 200 },
    )
  })
})
