import { setImmediate as nextTurn } from 'node:timers/promises'

/** For how long work on a list may hold up the event loop, in milliseconds. */
const SLICE_MS = 5
/** After how many elements it looks at the clock, which can take as long as an element does. */
const LOOK_EVERY = 8

/** Does something with each, and lets others have their turn in between. */
export async function inSlices<T>(list: readonly T[], each: (element: T) => void): Promise<void> {
  let turnedAt = performance.now()
  let count = 0
  for (const element of list) {
    each(element)
    count += 1
    if (count % LOOK_EVERY !== 0 || performance.now() - turnedAt < SLICE_MS) continue
    await nextTurn()
    turnedAt = performance.now()
  }
}
