import { CognitoUnavailableError, type PartialOutcome } from '../errors.js'

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

/** What is known of a call to Cognito that failed. */
export function cognitoOutcomeOf(error: unknown): 'failed' | 'unknown' {
  return error instanceof CognitoUnavailableError ? 'unknown' : 'failed'
}

/** Two sentences on what is done and what is not. */
export function describe({ store, cognito }: PartialOutcome): string {
  const stored = {
    recorded: 'The store has it: no verifier accepts these tokens.',
    failed: 'The store could not be made to record it for good: verifiers may still accept these tokens.',
    skipped: 'There is no store: verifiers still accept these tokens.',
  }[store]
  const atCognito = {
    revoked: 'Cognito has revoked.',
    failed: 'Cognito refused to revoke (see cause).',
    unknown: 'Cognito gave no answer, so it may or may not have revoked.',
    skipped: 'Cognito was not asked.',
  }[cognito]
  return `${stored} ${atCognito}`
}
