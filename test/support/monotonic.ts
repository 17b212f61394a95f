import { vi } from 'vitest'

/**
 * Stops the monotonic clock; gives a function that moves it by so many milliseconds. Undone by
 * `vi.restoreAllMocks`.
 */
export function takeMonotonicClock(): (ms: number) => void {
  // A whole number: sums of others are a hair less than they should be, now and then.
  let now = Math.ceil(performance.now())
  vi.spyOn(performance, 'now').mockImplementation(() => now)
  return (ms) => {
    now += ms
  }
}
