const LOOK_EVERY_MS = 2

/** The longest times in which the event loop did not come round, in milliseconds. */
export interface Stalls {
  readonly longestMs: number
  /** The longest in which this process itself was computing; the rest of a stall is the machine's doing. */
  readonly longestBusyMs: number
}

/** Watches the event loop while something runs, every few milliseconds. */
export async function watchStalls(run: () => Promise<void>): Promise<Stalls> {
  let longestMs = 0
  let longestBusyMs = 0
  let at = performance.now()
  let cpu = process.cpuUsage()
  const look = () => {
    const now = performance.now()
    const { user, system } = process.cpuUsage(cpu)
    longestMs = Math.max(longestMs, now - at)
    // Other threads of this process compute as well.
    longestBusyMs = Math.max(longestBusyMs, Math.min(now - at, (user + system) / 1_000))
    at = now
    cpu = process.cpuUsage()
    timer.refresh()
  }
  const timer = setTimeout(look, LOOK_EVERY_MS)
  try {
    await run()
    look()
  } finally {
    clearTimeout(timer)
  }
  return { longestMs, longestBusyMs }
}
