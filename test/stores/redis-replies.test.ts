import { describe, expect, it } from 'vitest'
import { layoutOf } from '../../src/stores/redis/layout.js'
import { nowSeconds, Reading, storeOver, tokenOf } from './redis-harness.js'

describe('A RedisRevocationStore whose Redis answers oddly', () => {
  /** What a script would have answered is put in its place; how it was asked, tells which it is. */
  function fakeClient(answer: (keys: number, command: readonly string[]) => unknown) {
    const client = {
      status: 'wait',
      call: async (...command: string[]) => answer(Number(command[2]), command),
      pipeline: () => ({ exec: async () => [] }),
      duplicate: () => client,
      connect: async () => {},
      disconnect: () => {},
      on: () => {},
    }
    return client
  }
  const LAYOUT = layoutOf(1)

  it.each([
    ['undefined', undefined],
    ['true', true],
    ['OK', 'OK'],
    ['a number', 1],
    ['an object', {}],
    ['an empty list', []],
    ['a list of one', [1]],
    ['nothing at a place', [null, '5', null]],
    ['a place that nobody asked for', [4, '5', null]],
    ['place 0', [0, '5', null]],
    ['no number for a time', [1, 'soon', null]],
    ['nothing for a time', [1, null, null]],
    ['an empty time', [1, '', null]],
    ['no number for a cutoff', [1, '5', 'x']],
    ['lists in a list', [['5'], [null]]],
  ])('does not take %s for an answer to a look-up', async (_, reply) => {
    const client = fakeClient((keys) => (keys === 3 ? reply : LAYOUT))
    const store = storeOver(client)
    const token = { poolId: 'p', sub: 's', clientId: 'c', iat: nowSeconds() }
    await expect(store.find(token)).rejects.toMatchObject({ code: 'store_protocol' })
  })

  it.each([
    ['undefined', undefined],
    ['true', true],
    ['a number', 1],
    ['an empty list', []],
    ['bytes', Buffer.from(LAYOUT)],
    ['an object', {}],
  ])('does not take %s for the layout', async (_, reply) => {
    const store = storeOver(fakeClient((keys) => (keys === 3 ? null : reply)))
    await expect(store.find(tokenOf('a'))).rejects.toMatchObject({ code: 'store_protocol' })
  })

  const tail = [LAYOUT, '1', '', '0-0', [], '']
  it.each([
    ['nothing', null, ['0', [], []]],
    ['OK', 'OK', ['0', [], []]],
    ['an empty list', [], ['0', [], []]],
    ['too short a list', tail.slice(0, 5), ['0', [], []]],
    ['no entries', [...tail.slice(0, 4), 'none', ''], ['0', [], []]],
    ['an entry without fields', [...tail.slice(0, 4), [['1-1']], ''], ['0', [], []]],
    ['another layout', ['v9', ...tail.slice(1)], ['0', [], []]],
    ['no page of what there is', tail, null],
    ['an empty page of it', tail, []],
    ['half a page of it', tail, ['0', ['s:p:i', '5']]],
    ['a page of strange members', tail, ['0', ['x', '5'], []]],
  ])('does not take %s for its feed', async (_, tailReply, page) => {
    const store = storeOver(fakeClient((keys) => (keys === 4 ? tailReply : keys === 2 ? page : null)))
    await expect(new Reading(store).end()).rejects.toMatchObject({ code: 'store_protocol' })
  })

  it.each([
    ['OK', 'OK'],
    ['a number', 5],
    ['an empty list', []],
    ['a list of nothing', [null]],
    ['a stream without entries', [['feed']]],
  ])('does not take %s for news', async (_, news) => {
    const client = fakeClient((keys, command) => {
      if (command[0] === 'xread') return news
      return keys === 4 ? tail : ['0', [], []]
    })
    await expect(new Reading(storeOver(client)).end()).rejects.toMatchObject({ code: 'store_protocol' })
  })
})
