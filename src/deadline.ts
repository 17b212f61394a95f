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
