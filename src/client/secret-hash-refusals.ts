import { SecretHashMismatchError } from '../errors.js'

/** What Cognito says of a SECRET_HASH, and what to do about it. */
export const SECRET_HASH_REFUSALS = [
  [
    /secret_hash was not received/i,
    SecretHashMismatchError,
    'The app client has a secret: give it as clientSecret',
  ],
  [
    /unable to verify secret hash|secrethash does not match/i,
    SecretHashMismatchError,
    'The client secret is wrong; or, on REFRESH_TOKEN_AUTH, the username is not the real one: hand over the ' +
      'username that signIn gave, never an alias',
  ],
] as const
