/** Epoch milliseconds. Looked up at each call, so that fake timers set later are seen. */
export function systemClock(): number {
  return Date.now()
}

/** A wall clock that a jump forwards cannot hurry: it goes no faster than the monotonic one. */
export function steadyClock(): () => number {
  const wallStart = Date.now()
  const monotonicStart = performance.now()
  return () => Math.min(Date.now(), wallStart + performance.now() - monotonicStart)
}

/** A moment by both clocks. */
export interface Moment {
  readonly wall: number
  readonly monotonic: number
}

/** Now. */
export function takeMoment(clock: () => number = systemClock): Moment {
  return { wall: clock(), monotonic: performance.now() }
}

/** Milliseconds since then, the larger of two answers: a wall clock can be set back, a monotonic one sleeps with the machine. */
export function elapsedMs(since: Moment, clock: () => number = systemClock): number {
  return mostMsBetween(since, takeMoment(clock))
}

/** Milliseconds from one moment to another, the larger of two answers: for what must not be taken for younger than it is. */
export function mostMsBetween(from: Moment, to: Moment): number {
  return Math.max(to.wall - from.wall, to.monotonic - from.monotonic)
}

/** Milliseconds from one moment to another, the smaller of two answers: for what must not be taken for later than it was. */
export function leastMsBetween(from: Moment, to: Moment): number {
  return Math.min(to.wall - from.wall, to.monotonic - from.monotonic)
}

/** More than NTP slews by in ten minutes, in milliseconds. */
const MAX_SLEW_MS = 500

/** Whether the wall clock was set since then, or the monotonic one slept: ages counted from there are too large now. */
export function clocksDisagree(since: Moment): boolean {
  return clockGapMs(since) > MAX_SLEW_MS
}

/** By how many milliseconds the two clocks differ about how long ago that was. */
export function clockGapMs(since: Moment, clock: () => number = systemClock): number {
  const now = takeMoment(clock)
  return Math.abs(now.wall - since.wall - (now.monotonic - since.monotonic))
}
