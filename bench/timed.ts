import type { TokenIdentity } from '../src/tokens/token-identity.js'

/** How look-ups are made, and what they must give. */
export interface LookUpsOptions {
  /** How many are under way at once. */
  readonly concurrency: number
  /** Whether all are revoked, or none. */
  readonly areThere: boolean
}

/** Microseconds that each look-up took. @throws Error where one gave something else than it must */
export async function timed(
  list: readonly TokenIdentity[],
  { concurrency, areThere }: LookUpsOptions,
  isFound: (token: TokenIdentity) => Promise<boolean>,
): Promise<number> {
  let next = 0
  let found = 0
  const worker = async () => {
    while (next < list.length) if (await isFound(list[next++] as TokenIdentity)) found += 1
  }
  const startedAt = process.hrtime.bigint()
  await Promise.all(Array.from({ length: concurrency }, worker))
  const time = Number(process.hrtime.bigint() - startedAt) / list.length / 1_000
  if (found !== (areThere ? list.length : 0)) throw new Error(`${found} were found`)
  return time
}
