import { CutoffInFutureError } from '../../errors.js'

/** Whether a store will never take what it was given. */
export function isRefusal(error: unknown): boolean {
  return error instanceof TypeError || error instanceof CutoffInFutureError
}
