import { setImmediate as nextTurn } from 'node:timers/promises'

const TURNS_BEFORE = 20

/**
 * For how long at most the event loop did not come round while something ran, in milliseconds. It comes round as often
 * as it can, so that this is finer than a timer; but it takes all of a core, so that times are to be taken without it.
 */
export async function longestBlockMs(run: () => Promise<unknown>): Promise<number> {
  let longestMs = 0
  let at = performance.now()
  let isOver = false
  const look = () => {
    const now = performance.now()
    longestMs = Math.max(longestMs, now - at)
    at = now
    if (!isOver) setImmediate(look)
  }
  setImmediate(look)
  for (let turn = 0; turn < TURNS_BEFORE; turn++) await nextTurn()
  longestMs = 0
  try {
    await run()
    // What it has held up last is seen in the next turn.
    await nextTurn()
    await nextTurn()
  } finally {
    isOver = true
  }
  return longestMs
}
