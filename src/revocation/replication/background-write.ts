import { withDeadline } from '../../deadline.js'
import type { Revocation } from '../revocation.js'
import type { RevocationStore } from '../store.js'

/** Nobody waits for it: a store that is slow is given so many times what it has to answer. */
const PATIENCE = 5

/** Adds to a store what it lacks, in the background. @throws what the store throws; Error where it takes too long */
export async function writeInBackground(
  store: RevocationStore,
  replica: number,
  timeoutMs: number,
  revocations: readonly Revocation[],
): Promise<void> {
  await withDeadline(`Store ${replica}`, PATIENCE * timeoutMs, store.add(revocations), false)
}
