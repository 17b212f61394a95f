import { setImmediate as nextTurn } from 'node:timers/promises'

/** For how long work on a list may hold up the event loop, in milliseconds. */
const SLICE_MS = 5

/** Does something with each, and lets others have their turn in between. */
export async function inSlices<T>(list: readonly T[], each: (element: T) => void): Promise<void> {
  let turnedAt = performance.now()
  for (const element of list) {
    each(element)
    if (performance.now() - turnedAt < SLICE_MS) continue
    await nextTurn()
    turnedAt = performance.now()
  }
}
