import { withDeadline } from '../deadline.js'
import { ClientSecretUnavailableError, SecretHashMismatchError, WrongClientError } from '../errors.js'
import { notify, type Observer } from '../observer.js'
import { assertString, optionError } from '../options.js'
import { untilAborted } from './abort.js'

/** One secret, or two while one replaces the other: the one to be tried first, then the other. */
type ClientSecret = string | readonly [string] | readonly [string, string]

/** As the option `clientSecret` has it: a function is asked at every call. */
export type ClientSecretOption = ClientSecret | (() => ClientSecret | Promise<ClientSecret>)

/** The secret that Cognito took last, for calls that belong together. */
export interface AcceptedSecret {
  secret?: string | undefined
}

export interface SecretOptions {
  /** Tried first, if it is still one of the two; replaced by what Cognito takes. */
  readonly accepted?: AcceptedSecret | undefined
  /** Ends the wait for a function that gives the secret; what follows heeds it by itself. */
  readonly signal?: AbortSignal | undefined
}

const EXPECTED = 'a non-empty string, two of them, or a function that gives them'

/** @throws TypeError naming the option */
export function assertClientSecret(owner: string, value: unknown): void {
  if (value === undefined || typeof value === 'function') return
  const secrets: readonly unknown[] = Array.isArray(value) ? value : [value]
  if (secrets.length !== 1 && secrets.length !== 2) throw optionError(owner, 'clientSecret', EXPECTED)
  for (const secret of secrets) assertString(owner, 'clientSecret', secret, EXPECTED)
}

/**
 * The secrets of an app client. Cognito takes either of two (AddUserPoolClientSecret), so that one can be
 * replaced without an outage.
 */
export class ClientSecrets {
  readonly #option: ClientSecretOption | undefined
  readonly #timeoutMs: number
  readonly #observer: Observer | undefined

  constructor(option: ClientSecretOption | undefined, timeoutMs: number, observer: Observer | undefined) {
    this.#option = option
    this.#timeoutMs = timeoutMs
    this.#observer = observer
  }

  /**
   * Does something with the first secret (undefined for a public app client); once more with the second where
   * Cognito does not take the first. Never after a wrong password: that would count twice against the user.
   *
   * @throws ClientSecretUnavailableError, or the signal's reason, where a function does not give them
   */
  async use<T>(
    act: (secret: string | undefined) => Promise<T>,
    { accepted = {}, signal }: SecretOptions = {},
  ): Promise<T> {
    const [one, other] = await this.#read(signal)
    const swapped = other !== undefined && other === accepted.secret
    const [first, second] = swapped ? [other, one] : [one, other]
    const tryWith = async (secret: string | undefined): Promise<T> => {
      const result = await act(secret)
      accepted.secret = secret
      return result
    }
    try {
      return await tryWith(first)
    } catch (error) {
      if (second === undefined || second === first || !isOfTheSecret(error)) throw error
      notify(this.#observer, { type: 'client_secret_refused', error: error as Error })
      return await tryWith(second)
    }
  }

  async #read(signal: AbortSignal | undefined): Promise<readonly (string | undefined)[]> {
    const option = this.#option
    if (typeof option !== 'function') return [option].flat()
    signal?.throwIfAborted()
    const given = await this.#ask(option, signal)
    if (typeof given === 'function') throw optionError('CognitoTokenClient', 'clientSecret', EXPECTED, given)
    assertClientSecret('CognitoTokenClient', given)
    return [given].flat()
  }

  async #ask(
    option: () => ClientSecret | Promise<ClientSecret>,
    signal: AbortSignal | undefined,
  ): Promise<ClientSecret> {
    try {
      const asked = (async () => option())()
      return await untilAborted(withDeadline('clientSecret', this.#timeoutMs, asked), signal)
    } catch (cause) {
      signal?.throwIfAborted()
      // What it says is the owner's: it may tell where the secret is, or the secret itself.
      throw new ClientSecretUnavailableError(
        'The clientSecret function failed or did not answer in time; Cognito was not asked',
        { cause },
      )
    }
  }
}

/** RevokeToken answers UnauthorizedException to a wrong secret, as it does to another app client's token. */
function isOfTheSecret(error: unknown): boolean {
  return error instanceof SecretHashMismatchError || error instanceof WrongClientError
}
