import {
  ClientSecretUnavailableError,
  CognitoRevocationError,
  CognitoUnavailableError,
  type PartialOutcome,
  ThrottledError,
} from '../errors.js'

/** How something that may fail went. */
export type Attempt<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: unknown }

/** Does something and says how it went, for steps after which others must follow whatever happens. */
export async function attempt<T>(action: () => Promise<T>): Promise<Attempt<T>> {
  try {
    return { ok: true, value: await action() }
  } catch (error) {
    return { ok: false, error }
  }
}

/** What is known of a call to Cognito that failed, or that its caller ended by this signal. */
export function cognitoOutcomeOf(error: unknown, signal: AbortSignal | undefined): 'failed' | 'unknown' {
  return error instanceof CognitoUnavailableError || isAbort(error, signal) ? 'unknown' : 'failed'
}

/** Whether the caller himself has ended it. */
function isAbort(error: unknown, signal: AbortSignal | undefined): boolean {
  return signal?.aborted === true && error === signal.reason
}

/** Whether calling again may succeed without anything having been mended. */
export function isPassing(error: unknown): boolean {
  return (
    error instanceof CognitoUnavailableError ||
    error instanceof ThrottledError ||
    error instanceof ClientSecretUnavailableError
  )
}

/** What is done and what is not, and why not, in a few sentences. */
export function describe({ store, cognito }: PartialOutcome, cause: unknown): string {
  const why = cause instanceof CognitoRevocationError ? ` (${cause.code})` : ''
  const stored = {
    recorded: 'The store has it: no verifier accepts these tokens.',
    failed: 'The store could not be made to record it for good: verifiers may still accept these tokens.',
    skipped: 'There is no store: verifiers still accept these tokens.',
  }[store]
  const atCognito = {
    revoked: 'Cognito has revoked.',
    failed: isRefusal(cause)
      ? `Cognito refused to revoke${why}: see cause.`
      : `Cognito could not be asked to revoke${why}: see cause.`,
    unknown: 'Cognito gave no answer, or one that proves nothing, so it may or may not have revoked.',
    skipped: 'Cognito was not asked.',
  }[cognito]
  return `${stored} ${atCognito}`
}

/** Whether Cognito was asked at all: else the owner's own code failed. */
function isRefusal(cause: unknown): boolean {
  return cause instanceof CognitoRevocationError && !(cause instanceof ClientSecretUnavailableError)
}
