import { StoreProtocolError } from '../../errors.js'
import { isRecord } from '../revocation.js'
import { inSlices } from '../slices.js'
import type { ChangeBatch } from '../store.js'

/** Checks a batch of one store, and all that is in it: one that is none must not fail the feed of all. @throws StoreProtocolError */
export async function assertBatch(batch: ChangeBatch, replica: number): Promise<void> {
  const { revocations, cursor, ageMs, pools } = batch
  const isBatch =
    Array.isArray(revocations) &&
    typeof cursor === 'string' &&
    ageMs >= 0 &&
    (pools === undefined || (Array.isArray(pools) && pools.every((pool) => typeof pool === 'string')))
  if (!isBatch) throw new StoreProtocolError(`Store ${replica} gave a batch of changes that is none`)
  await inSlices(revocations, (record) => {
    if (!isRecord(record)) {
      throw new StoreProtocolError(`Store ${replica} gave a change that is no revocation`)
    }
  })
}

/** Whether two readings tell of the same user pools. */
export function haveSamePools(
  some: readonly string[] | undefined,
  others: readonly string[] | undefined,
): boolean {
  if (some === undefined || others === undefined) return some === others
  return some.length === others.length && some.every((pool, index) => pool === others[index])
}
