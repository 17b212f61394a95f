/** A promise that rejects with the signal's reason once it is aborted, for a race; release it when that is over. */
export function rejectionOf(signal: AbortSignal | undefined): {
  readonly promise: Promise<never>
  readonly release: () => void
} {
  let release = (): void => {}
  const promise = new Promise<never>((_, reject) => {
    if (signal === undefined) return
    const abort = (): void => reject(signal.reason)
    if (signal.aborted) abort()
    signal.addEventListener('abort', abort, { once: true })
    release = () => signal.removeEventListener('abort', abort)
  })
  // Nobody may be listening any more, or not yet.
  promise.catch(() => {})
  return { promise, release }
}

/** Settles as the promise does, or rejects with the signal's reason; what is under way goes on. */
export async function untilAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  const aborted = rejectionOf(signal)
  try {
    return await Promise.race([promise, aborted.promise])
  } finally {
    aborted.release()
  }
}
