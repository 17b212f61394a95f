import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { StoreProtocolError } from '../../src/errors.js'
import { REVOCATION_SCOPES } from '../../src/revocation/revocation.js'
import {
  decodeMember,
  encodeMember,
  layoutOf,
  mayHaveCutoff,
  shardKeys,
  shardOf,
} from '../../src/stores/redis/layout.js'

/** Whatever may key a record, often with what the encoding itself is made of. */
const identifier = fc
  .oneof(
    fc.string({ unit: fc.constantFrom(...':%25 3Aab{}*\0é𝄞'), minLength: 1, maxLength: 12 }),
    fc.string({ unit: fc.constantFrom('%', ':', '%3A', '%25', '%253A', 'a'), minLength: 1, maxLength: 5 }),
    fc.string({ unit: 'binary', minLength: 1, maxLength: 256 }),
    fc.uuid(),
  )
  .filter((text) => text.length <= 256 && text.isWellFormed())
const scope = fc.constantFrom(...REVOCATION_SCOPES)
const record = fc.record({ poolId: identifier, scope, id: identifier })
type Record = typeof record extends fc.Arbitrary<infer T> ? T : never

const encode = ({ poolId, scope, id }: Record) => encodeMember(poolId, scope, id)
const runs = { numRuns: 2_000 }

describe('A member of the sorted sets', () => {
  it('gives back the record that it was made of, whatever the pool and the id', () => {
    fc.assert(
      fc.property(record, (one) => {
        expect(decodeMember(encode(one))).toEqual(one)
      }),
      runs,
    )
  })

  it('is that of no other record', () => {
    const distinct = fc.tuple(record, record).filter(([a, b]) => JSON.stringify(a) !== JSON.stringify(b))
    fc.assert(
      fc.property(distinct, ([a, b]) => {
        expect(encode(a)).not.toBe(encode(b))
      }),
      runs,
    )
  })

  it('is not that of a neighbour whose pool and id only meet elsewhere', () => {
    const parts = fc.array(fc.constantFrom('a', ':', '%', '%3A', '%25', '%253A'), {
      minLength: 2,
      maxLength: 6,
    })
    fc.assert(
      fc.property(parts, scope, (text, scope) => {
        const splits = text
          .slice(1)
          .map((_, at) => [text.slice(0, at + 1).join(''), text.slice(at + 1).join('')] as const)
        const pairs = new Set(splits.map((pair) => JSON.stringify(pair)))
        const members = new Set(splits.map(([poolId, id]) => encodeMember(poolId, scope, id)))
        expect(members.size).toBe(pairs.size)
      }),
      runs,
    )
  })

  it('is never taken for the mark of a generation', () => {
    fc.assert(
      fc.property(record, (one) => {
        expect(encode(one)).not.toMatch(/^g:/)
      }),
    )
  })

  it('tells by its letter whether there may be a cutoff', () => {
    fc.assert(
      fc.property(record, (one) => {
        expect(mayHaveCutoff(encode(one))).toBe(!['token', 'session'].includes(one.scope))
      }),
    )
  })

  it('is one of a known pool and user as it always was, since it is kept', () => {
    expect(encodeMember('us-east-1_AbC', 'token', '1')).toBe('t:us-east-1_AbC:1')
    expect(encodeMember('us-east-1_AbC', 'session', 'a:b')).toBe('s:us-east-1_AbC:a:b')
    expect(encodeMember('us-east-1_AbC', 'user', '%')).toBe('u:us-east-1_AbC:%')
    expect(encodeMember('a:b%', 'client', 'c')).toBe('c:a%3Ab%25:c')
    expect(encodeMember('p', 'pool', 'p')).toBe('p:p:p')
  })

  it.each(['', 's', 's:', 's::', 's:pool', 's:pool:', 's::id', 'x:pool:id', 'spool:id', 'S:p:i', ' s:p:i'])(
    'is not %o',
    (member) => {
      expect(() => decodeMember(member)).toThrow(StoreProtocolError)
    },
  )

  it('is not anything that decodes without an error to what another is', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'stucpg:%235Aa') }), (text) => {
        let decoded: Record
        try {
          decoded = decodeMember(text)
        } catch (error) {
          expect(error).toBeInstanceOf(StoreProtocolError)
          return
        }
        // A pool id as it is written by hand may say the same in other words, but then is not found either.
        expect(decodeMember(encode(decoded))).toEqual(decoded)
      }),
      runs,
    )
  })
})

describe('The keys of a namespace', () => {
  it('share a hash tag within a shard, and with no other', () => {
    const shards = shardKeys('name:space', 3)
    const tags = shards.map(
      (keys) => new Set(Object.values(keys).map((key) => /^\{([^{}]+)\}:/.exec(key)?.[1])),
    )
    expect(tags).toEqual([new Set(['name:space:0']), new Set(['name:space:1']), new Set(['name:space:2'])])
    expect(new Set(shards.flatMap((keys) => Object.values(keys))).size).toBe(12)
  })

  it('are what they always were, since they are kept', () => {
    expect(shardKeys('cognito-revocation', 1)).toEqual([
      {
        expires: '{cognito-revocation:0}:expires',
        cutoffs: '{cognito-revocation:0}:cutoffs',
        meta: '{cognito-revocation:0}:meta',
        feed: '{cognito-revocation:0}:feed',
      },
    ])
    expect(layoutOf(4)).toBe('v1, shards: 4')
  })
})

describe('The shard of a pool', () => {
  it('is one of them, and always the same', () => {
    fc.assert(
      fc.property(identifier, fc.integer({ min: 1, max: 1_024 }), (poolId, shards) => {
        const shard = shardOf(poolId, shards)
        expect(Number.isInteger(shard) && shard >= 0 && shard < shards).toBe(true)
        expect(shardOf(poolId, shards)).toBe(shard)
      }),
    )
  })

  it('is what it always was, since the pool is looked for there', () => {
    // FNV-1a, 32 bits: its published test vectors.
    expect(shardOf('a', 1_024)).toBe(0xe40c292c % 1_024)
    expect(shardOf('foobar', 1_000)).toBe(0xbf9cf968 % 1_000)
    expect(shardOf('us-east-1_AbCdEfGhI', 1)).toBe(0)
  })

  it('is none more often than others by far', () => {
    const counts = new Array(8).fill(0)
    for (let index = 0; index < 8_000; index++) counts[shardOf(`us-east-1_${index.toString(36)}`, 8)] += 1
    expect(Math.min(...counts)).toBeGreaterThan(700)
    expect(Math.max(...counts)).toBeLessThan(1_300)
  })
})
