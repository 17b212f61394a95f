import type { SignOutSummary } from '../errors.js'
import {
  type DescribeTokenSettingsInput,
  describeTokenSettings,
  type EnableTokenRevocationInput,
  type EnableTokenRevocationResult,
  enableTokenRevocation,
} from './app-client.js'
import {
  type AddClientSecretInput,
  type AddedClientSecret,
  addClientSecret,
  type ClientSecretInfo,
  type DeleteClientSecretInput,
  deleteClientSecret,
  type ListClientSecretsInput,
  listClientSecrets,
} from './app-client-secrets.js'
import type { ClientContext } from './context.js'
import { type CreateAppClientInput, type CreatedAppClient, createAppClient } from './create-app-client.js'
import { type AdminGlobalSignOutInput, adminGlobalSignOut, type SignOutOutcome } from './sign-out.js'
import {
  type AdminGlobalSignOutManyOptions,
  adminGlobalSignOutMany,
  type UserToSignOut,
} from './sign-out-many.js'
import type { TokenSettings } from './token-settings.js'

/** Calls of a `CognitoTokenClient` that are for administrators, with this process's AWS credentials. */
export class AdminCalls {
  readonly #context: ClientContext

  /** @internal */
  constructor(context: ClientContext) {
    this.#context = context
  }

  /**
   * Ends every session of a user (AdminUserGlobalSignOut), with this process's AWS credentials: it needs
   * cognito-idp:AdminUserGlobalSignOut and cognito-idp:AdminGetUser. With `sub`, the latter is asked once, for
   * Cognito's clock, and need not be allowed. Wait a second before signing in again.
   *
   * @throws UserNotFoundError, AccessDeniedError, … before anything is written, unless `sub` is given
   * @throws RevocationIncompleteError if the store or Cognito failed: calling again is safe
   */
  adminGlobalSignOut(input: AdminGlobalSignOutInput): Promise<SignOutOutcome> {
    return adminGlobalSignOut(this.#context, input)
  }

  /**
   * Ends every session of many users, one `adminGlobalSignOut` each, at a pace that Cognito allows: 20 users a
   * second by default. What fails for one does not stop the others; who is throttled is tried again, slower.
   *
   * @param users read one by one, as they are needed
   * @returns the counts, and who failed. It resolves whether or not any did: look at `failed`
   * @throws TypeError naming the option; the signal's reason if it is aborted already
   * @throws SignOutInterruptedError where the signal or an error of `users` ended it: `summary` says what was done
   * @example
   * const { done, failures } = await client.adminGlobalSignOutMany(users, { reason: 'breach', onProgress })
   */
  adminGlobalSignOutMany(
    users: Iterable<UserToSignOut> | AsyncIterable<UserToSignOut>,
    options?: AdminGlobalSignOutManyOptions,
  ): Promise<SignOutSummary> {
    return adminGlobalSignOutMany(this.#context, users, options)
  }

  /**
   * What the app client's settings say of its tokens (DescribeUserPoolClient). Needs
   * cognito-idp:DescribeUserPoolClient.
   *
   * Its `accessTokenValiditySeconds` and `refreshTokenValiditySeconds` are the options of these names of
   * `Revoker` and `CognitoTokenClient`. They hold for tokens that are issued from now on: where a validity was
   * lowered lately, keep the former one until the older tokens have expired.
   *
   * @throws AccessDeniedError, ResourceNotFoundError, NotAuthorizedError, ThrottledError, …
   * @throws CognitoError if a validity or its unit is none that Cognito has
   * @example
   * import { Revoker } from 'cognito-revocation'
   * const { accessTokenValiditySeconds, refreshTokenValiditySeconds } = await client.describeTokenSettings()
   * const revoker = new Revoker({ store, poolId, accessTokenValiditySeconds, refreshTokenValiditySeconds })
   */
  describeTokenSettings(input?: DescribeTokenSettingsInput): Promise<TokenSettings> {
    return describeTokenSettings(this.#context.api, input)
  }

  /**
   * Turns on token revocation for the app client, and nothing else: UpdateUserPoolClient resets every setting
   * that is left out, so all are read first and sent along. Where Cognito tells a setting that this version
   * does not know, it refuses rather than lose it. Tokens that were issued before stay without `origin_jti`.
   *
   * Needs cognito-idp:DescribeUserPoolClient and, unless it is a dry run, cognito-idp:UpdateUserPoolClient.
   * Cognito has no conditional update: what somebody else changes between the two may be lost.
   *
   * @returns what was changed, or on a dry run would be. Calling again is safe
   * @throws CognitoConfigurationError naming the settings that could not be carried over (nothing was changed),
   *   or that are not as they were after the update
   * @throws ConcurrentModificationError if others keep changing the app client, five times in a row
   * @throws AccessDeniedError, ResourceNotFoundError, NotAuthorizedError, InvalidParameterError, ThrottledError, …
   * @throws CognitoUnavailableError: whether it took effect is unknown
   * @example
   * import { CognitoTokenClient } from 'cognito-revocation/client'
   * const client = new CognitoTokenClient({ userPoolId: 'us-east-1_AbCdEfGhI', clientId, store: false })
   * console.log(await client.enableTokenRevocation({ dryRun: true }))
   */
  enableTokenRevocation(input?: EnableTokenRevocationInput): Promise<EnableTokenRevocationResult> {
    return enableTokenRevocation(this.#context.api, input)
  }

  /**
   * Makes another app client in the user pool, with token revocation on. Needs
   * cognito-idp:CreateUserPoolClient. This client goes on being of its own app client.
   *
   * @returns its id, and its secret if it has one: it is told nowhere else, so keep it safe
   * @throws InvalidParameterError, AccessDeniedError, NotAuthorizedError, CognitoConfigurationError,
   *   ThrottledError, …
   * @throws CognitoUnavailableError: an app client may have been made all the same, and by a retry even two;
   *   look for its name
   * @example
   * const { clientId, clientSecret } = await client.createAppClient({ clientName: 'web', generateSecret: true })
   */
  createAppClient(input: CreateAppClientInput): Promise<CreatedAppClient> {
    return createAppClient(this.#context.api, input)
  }

  /**
   * Gives the app client a second secret (AddUserPoolClientSecret), to replace the first without an outage: both
   * are good until one is deleted. Needs cognito-idp:AddUserPoolClientSecret. This client goes on with those
   * that it was given.
   *
   * @returns its id, and its value where Cognito made it up: it is told nowhere else, so keep it safe
   * @throws ThrottledError if the app client has two already, or the quota is used up: see the message
   * @throws InvalidParameterError if the app client is a public one
   * @throws AccessDeniedError, NotAuthorizedError, ResourceNotFoundError, …
   * @throws CognitoUnavailableError: a secret may have been added that nobody knows; find it by
   *   listClientSecrets, and delete it
   * @example
   * const { clientSecretId, clientSecret } = await client.addClientSecret()
   */
  addClientSecret(input?: AddClientSecretInput): Promise<AddedClientSecret> {
    return addClientSecret(this.#context.api, input)
  }

  /**
   * The secrets of the app client, without their values (ListUserPoolClientSecrets). Needs
   * cognito-idp:ListUserPoolClientSecrets.
   *
   * @throws AccessDeniedError, NotAuthorizedError, ResourceNotFoundError, ThrottledError, …
   */
  listClientSecrets(input?: ListClientSecretsInput): Promise<readonly ClientSecretInfo[]> {
    return listClientSecrets(this.#context.api, input)
  }

  /**
   * Takes one of two secrets from the app client (DeleteUserPoolClientSecret): whoever still uses it is refused
   * from then on. Needs cognito-idp:DeleteUserPoolClientSecret.
   *
   * @throws InvalidParameterError if it is the last one, which Cognito does not delete
   * @throws ResourceNotFoundError if there is no such secret: maybe it was deleted already
   * @throws AccessDeniedError, NotAuthorizedError, ThrottledError, …
   */
  deleteClientSecret(input: DeleteClientSecretInput): Promise<void> {
    return deleteClientSecret(this.#context.api, input)
  }
}
