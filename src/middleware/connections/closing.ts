type Listener = () => void

/** What tells of its closing: an EventEmitter of Node, or an EventTarget. */
export interface Emitter {
  on?(event: 'close' | 'error', listener: Listener): unknown
  off?(event: 'close', listener: Listener): unknown
  addEventListener?(event: 'close', listener: Listener): void
  removeEventListener?(event: 'close', listener: Listener): void
}

/**
 * Calls the listener at each `close`. Gives what ends that.
 *
 * @throws TypeError unless it can be listened to
 */
export function whenClosed(owner: string, emitter: Emitter, listener: Listener): () => void {
  if (emitter.on !== undefined && emitter.off !== undefined) {
    emitter.on('close', listener)
    return () => void emitter.off?.('close', listener)
  }
  if (emitter.addEventListener !== undefined && emitter.removeEventListener !== undefined) {
    emitter.addEventListener('close', listener)
    return () => emitter.removeEventListener?.('close', listener)
  }
  throw new TypeError(`${owner}: the connection must have on() and off(), or addEventListener()`)
}

/** Acts when the time is over, unless it has closed by then. Does not keep the process alive. */
export function closeTimer(emitter: Emitter, ms: number, act: () => void): void {
  const done = (): void => {
    clearTimeout(timer)
    stop()
  }
  const timer = setTimeout(() => {
    stop()
    act()
  }, ms).unref()
  const stop = whenClosed('closeTimer', emitter, done)
}

/** What throws must not leave a connection open that nobody watches. */
export function orClose<T>(close: () => void, act: () => T): T {
  try {
    return act()
  } catch (error) {
    close()
    throw error
  }
}
