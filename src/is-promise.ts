/** Whether there is something to wait for. By its `then`: where somebody has replaced Promise, there are two kinds. */
export function isPromise<T>(value: T | Promise<T>): value is Promise<T> {
  return typeof (value as { readonly then?: unknown } | null | undefined)?.then === 'function'
}
