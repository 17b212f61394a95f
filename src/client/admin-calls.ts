import type { SignOutSummary } from '../errors.js'
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
import {
  type AdminGlobalSignOutManyOptions,
  adminGlobalSignOutMany,
  type UserToSignOut,
} from './sign-out-many.js'

/** Calls of a `CognitoTokenClient` that are for administrators, with this process's AWS credentials. */
export class AdminCalls {
  readonly #context: ClientContext

  /** @internal */
  constructor(context: ClientContext) {
    this.#context = context
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
