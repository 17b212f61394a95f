/**
 * Settles as the promise does, or rejects when the time is over. What comes later is ignored.
 *
 * @param keepAlive false for work that the process need not wait for
 */
export async function withDeadline<T>(
  what: string,
  ms: number,
  promise: Promise<T>,
  keepAlive = true,
): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} did not answer within ${ms} ms`)), ms)
    if (!keepAlive) timer.unref()
  })
  try {
    return await Promise.race([promise, deadline])
  } finally {
    clearTimeout(timer)
  }
}

/**
 * A signal that is aborted when the time is over, with a TimeoutError, or as one of the others is. Release it when
 * that is over. For `AbortSignal.any` with `AbortSignal.timeout`, which garbage collection may take away together,
 * timer and all.
 */
export function createTimedSignal(
  ms: number,
  ...others: readonly (AbortSignal | undefined)[]
): { readonly signal: AbortSignal; readonly release: () => void } {
  const controller = new AbortController()
  const timer = setTimeout(
    () => controller.abort(new DOMException(`No answer within ${ms} ms`, 'TimeoutError')),
    ms,
  )
  const listening = others.flatMap((other) => {
    if (other === undefined) return []
    const abort = (): void => controller.abort(other.reason)
    if (other.aborted) abort()
    other.addEventListener('abort', abort, { once: true })
    return [() => other.removeEventListener('abort', abort)]
  })
  const release = (): void => {
    clearTimeout(timer)
    for (const stop of listening) stop()
  }
  return { signal: controller.signal, release }
}
