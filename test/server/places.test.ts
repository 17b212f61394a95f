import { describe, expect, it } from 'vitest'
import { Places } from '../../src/server/places.js'
import { Turns } from '../../src/server/turns.js'

describe('Places', () => {
  it('are given while there are any, and to one only so many', () => {
    const places = new Places({ max: 4, maxOfOne: 2 })
    expect(places.take('a', 2)).toBeDefined()
    expect(places.take('a')).toBeUndefined()
    expect(places.take('b', 3)).toBeUndefined()
    expect(places.take('b', 2)).toBeDefined()
    expect(places.take('c')).toBeUndefined()
  })

  it('are free again once, however often they are given back', () => {
    const places = new Places({ max: 2, maxOfOne: 2 })
    const free = places.take('a')
    places.take('a')
    free?.()
    free?.()
    expect(places.take('b')).toBeDefined()
    expect(places.take('b')).toBeUndefined()
  })
})

describe('Turns', () => {
  const hasBegun = (turn: ReturnType<Turns['ask']>) => turn.begins(0)

  it('begin in the order in which they were asked for, so many at once', async () => {
    const turns = new Turns({ max: 2, maxOfOne: 2 })
    const asked = ['a', 'b', 'c', 'd'].map((who) => turns.ask(who))
    const begun = () => Promise.all(asked.map(hasBegun))
    expect(await begun()).toEqual([true, true, false, false])
    asked[1]?.end()
    expect(await begun()).toEqual([true, true, true, false])
    asked[0]?.end()
    expect(await begun()).toEqual([true, true, true, true])
  })

  it('pass over who has as many as one may have', async () => {
    const turns = new Turns({ max: 4, maxOfOne: 2 })
    const asked = ['a', 'a', 'a', 'b'].map((who) => turns.ask(who))
    expect(await Promise.all(asked.map(hasBegun))).toEqual([true, true, false, true])
    asked[0]?.end()
    expect(await hasBegun(asked[2] as never)).toBe(true)
  })

  it("that are given up while they wait are nobody's, and take no place", async () => {
    const turns = new Turns({ max: 1, maxOfOne: 1 })
    const [first, second, third] = ['a', 'b', 'c'].map((who) => turns.ask(who))
    const waiting = second?.begins(60_000)
    second?.end()
    expect(await waiting).toBe(true)
    first?.end()
    expect(await hasBegun(third as never)).toBe(true)
  })
})
