/** What a framework takes for an error, whatever was thrown: some go on where it is undefined, or a word that they know. */
export function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error('verifyToken failed', { cause: thrown })
}
