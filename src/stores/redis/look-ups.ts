import { StoreProtocolError } from '../../errors.js'
import { TurnBatches, type WaitingCalls } from '../turn-batches.js'
import type { ShardKeys } from './layout.js'
import type { RedisConnection } from './redis-client.js'
import { FIND } from './scripts.js'

/** Members in one call of the script: those of some 32 tokens, for about 0.1 ms. */
const BATCH_SIZE = 160

/** What Redis keeps of a member that is there. */
export interface Found {
  readonly member: string
  readonly expires: unknown
  readonly cutoff: unknown
}

/** Looks for members. */
export class LookUps {
  readonly #connection: RedisConnection
  readonly #batches: TurnBatches<ShardKeys, readonly string[], readonly Found[]>

  constructor(connection: RedisConnection, waiting: WaitingCalls) {
    this.#connection = connection
    this.#batches = new TurnBatches({
      waiting,
      maxWeight: BATCH_SIZE,
      weigh: (members) => members.length,
      send: (keys, lists) => this.#send(keys, lists),
    })
  }

  /** Those of the members that are there, in their order. */
  find(keys: ShardKeys, members: readonly string[]): Promise<readonly Found[]> {
    return this.#batches.run(keys, members)
  }

  async #send(
    { expires, cutoffs, meta }: ShardKeys,
    lists: readonly (readonly string[])[],
  ): Promise<(readonly Found[])[]> {
    const members = lists.flat()
    const reply = await FIND.run(this.#connection, [expires, cutoffs, meta], members)
    const found = reply === null ? [] : readFound(reply, members)
    let start = 0
    return lists.map(({ length }) => {
      const own = found.slice(start, start + length).filter((one) => one !== undefined)
      start += length
      return own
    })
  }
}

/** For each member what there is. @throws StoreProtocolError */
function readFound(reply: unknown, members: readonly string[]): (Found | undefined)[] {
  const found: (Found | undefined)[] = members.map(() => undefined)
  if (!Array.isArray(reply) || reply.length === 0 || reply.length % 3 !== 0) throw unexpected()
  for (let at = 0; at < reply.length; at += 3) {
    const index = Number(reply[at]) - 1
    const member = members[index]
    if (member === undefined) throw unexpected()
    found[index] = { member, expires: reply[at + 1], cutoff: reply[at + 2] }
  }
  return found
}

function unexpected(): StoreProtocolError {
  return new StoreProtocolError('Redis did not answer the look-up as it should')
}
