/** Sentences of Cognito's that quote nothing, whatever was sent. */
const USUAL = new RegExp(
  `^(${[
    'Incorrect username or password',
    'Password attempts exceeded',
    'Password reset required for the user',
    'User does not exist',
    'User is disabled',
    'User is not confirmed',
    'Rate exceeded',
    'Invalid session for the user(, session (is expired|can only be used once))?',
    'Invalid code (received for user|or auth state for the user)',
    'Invalid code provided, please request a code again',
    'Your software token has already been used once',
    '(Refresh|Access) Token has (been revoked|expired)',
    'Invalid (Refresh|Access) Token',
    'Client [\\w+]+ is configured with secret but SECRET_HASH was not received',
    'Unable to verify secret hash for client [\\w+]+',
    'SecretHash does not match for the client: [\\w+]+',
  ].join('|')})\\.?$`,
)

/**
 * Whether a message quotes a token, password or secret: as it is, or as JSON or a URL has it. Cognito's usual
 * sentences don't, whatever was sent: a password that is a word of theirs must not be told by what becomes of them.
 */
export function quotes(message: string, sensitive: readonly (string | undefined)[]): boolean {
  if (USUAL.test(message)) return false
  return /eyJ[\w.=-]{16,}/.test(message) || sensitive.some((secret) => secret && isIn(message, secret))
}

function isIn(message: string, secret: string): boolean {
  // What is no Unicode has no form in a URL.
  const inUrl = secret.isWellFormed() ? encodeURIComponent(secret) : secret
  return [secret, inUrl, JSON.stringify(secret).slice(1, -1)].some((form) => message.includes(form))
}
