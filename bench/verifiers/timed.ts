import { setImmediate as nextTurn } from 'node:timers/promises'
import { collectYoung } from '../measure.js'
import type { Verify, VerifySync } from './candidates.js'
import type { Tokens } from './tokens.js'

/** Fresh strings, out of the young generation: its collection is not measured. */
export function freshStrings(tokens: Tokens, count = tokens.length): string[] {
  const strings = tokens.fresh(count)
  collectTwice()
  return strings
}

/** Makes what is young old, and what others have left behind no matter of those who come next. */
export function collectTwice(): void {
  collectYoung()
  collectYoung()
}

/** Microseconds each, one after the other. @throws Error where one is not accepted */
export function timedSync(list: readonly string[], verify: VerifySync): number {
  let accepted = 0
  const startedAt = process.hrtime.bigint()
  for (const token of list) if (isAccepted(verify(token))) accepted += 1
  return each(startedAt, list, accepted)
}

/** Microseconds each, so many under way at once. @throws Error where one is not accepted */
export async function timedAsync(
  list: readonly string[],
  concurrency: number,
  verify: Verify,
): Promise<number> {
  let next = 0
  let accepted = 0
  const worker = async () => {
    while (next < list.length) if (isAccepted(await verify(list[next++] as string))) accepted += 1
  }
  const startedAt = process.hrtime.bigint()
  await Promise.all(Array.from({ length: concurrency }, worker))
  return each(startedAt, list, accepted)
}

/** Microseconds each, one after the other, with what they leave to be done later. @throws Error where one passes */
export async function timedRefusals(
  list: readonly string[],
  verify: VerifySync,
  reason: RegExp,
): Promise<number> {
  const errors: unknown[] = []
  const startedAt = process.hrtime.bigint()
  for (const token of list) {
    try {
      verify(token)
    } catch (error) {
      errors.push(error)
    }
  }
  await nextTurn()
  return eachRefused(startedAt, list, errors, reason)
}

/** Microseconds each, so many under way at once. @throws Error where one passes, or is refused for another reason */
export async function timedRefusalsAsync(
  list: readonly string[],
  concurrency: number,
  verify: Verify,
  reason: RegExp,
): Promise<number> {
  const errors: unknown[] = []
  let next = 0
  const worker = async () => {
    while (next < list.length) {
      try {
        await verify(list[next++] as string)
      } catch (error) {
        errors.push(error)
      }
    }
  }
  const startedAt = process.hrtime.bigint()
  await Promise.all(Array.from({ length: concurrency }, worker))
  return eachRefused(startedAt, list, errors, reason)
}

/** @throws Error where it passes, or is refused for another reason: by the error's code, or its name and message */
export async function assertRefused(verify: () => Promise<unknown>, reason: RegExp): Promise<void> {
  const error = await verify().then(
    () => undefined,
    (refused: unknown) => refused,
  )
  assertReason(error, reason)
}

function assertReason(error: unknown, reason: RegExp): void {
  const said = reasonOf(error)
  if (!reason.test(said)) throw new Error(`It should be refused for ${reason}, but was for "${said}"`)
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'nothing'
  if ('code' in error && typeof error.code === 'string') return error.code
  // Not every library names its errors: the class does.
  return `${error.constructor.name}: ${error.message}`
}

function eachRefused(
  startedAt: bigint,
  list: readonly string[],
  errors: readonly unknown[],
  reason: RegExp,
): number {
  const time = each(startedAt, list, errors.length, 'refused')
  for (const error of errors) assertReason(error, reason)
  return time
}

/** Whether a verifier, or the bare signature, lets it pass. */
export function isAccepted(result: unknown): boolean {
  return result !== undefined && result !== false
}

function each(startedAt: bigint, list: readonly string[], right: number, what = 'accepted'): number {
  const time = Number(process.hrtime.bigint() - startedAt) / list.length / 1_000
  if (right !== list.length) throw new Error(`${right} of ${list.length} were ${what}`)
  return time
}
