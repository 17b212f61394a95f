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
