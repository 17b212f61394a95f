// Imported first of all, so that nobody has got hold of the real ones.
import { createHook } from 'node:async_hooks'
import { getEventListeners } from 'node:events'

/** Kept by the process itself, or gone in a moment. */
const OF_NO_INTEREST = /^(PROMISE|TickObject|Microtask|Immediate|PIPE.*|Pipe.*|.*Hook|.*REQ.*|.*WRAP_?REQ)$/i

const resources = new Map<number, string>()
createHook({
  init: (id, type) => {
    if (!OF_NO_INTEREST.test(type)) resources.set(id, type)
  },
  destroy: (id) => resources.delete(id),
}).enable()

let signals: WeakRef<AbortSignal>[] = []
const RealAbortController = globalThis.AbortController
globalThis.AbortController = class extends RealAbortController {
  constructor() {
    super()
    signals.push(new WeakRef(this.signal))
  }
}
const { any } = AbortSignal
AbortSignal.any = (sources) => {
  const signal = any.call(AbortSignal, sources)
  signals.push(new WeakRef(signal))
  return signal
}

export interface LiveResources {
  /** Sockets, timers and all else that is asynchronous, also what does not keep the process alive. By type. */
  readonly resources: Readonly<Record<string, number>>
  readonly signals: number
  readonly signalListeners: number
  readonly heapBytes: number
}

/** What has not been given back, after the garbage is collected. Needs `--expose-gc`. */
export async function liveResources(): Promise<LiveResources> {
  for (let round = 0; round < 5; round++) {
    globalThis.gc?.()
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  signals = signals.filter((reference) => reference.deref() !== undefined)
  const live = signals.flatMap((reference) => reference.deref() ?? [])
  const counts: Record<string, number> = {}
  for (const type of resources.values()) counts[type] = (counts[type] ?? 0) + 1
  const listeners = live.map((signal) => getEventListeners(signal, 'abort').length)
  return {
    resources: counts,
    signals: live.length,
    signalListeners: listeners.reduce((sum, count) => sum + count, 0),
    heapBytes: process.memoryUsage().heapUsed,
  }
}
