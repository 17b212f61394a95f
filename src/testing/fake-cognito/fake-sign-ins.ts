import { totp } from './challenges/totp.js'
import { createCredential } from './challenges/web-authn.js'
import { FakeEndpoint } from './fake-endpoint.js'
import type { Pool } from './pool.js'
import type { CustomChallenge } from './sign-ins.js'

/**
 * What a test says and reads of sign-ins: the part of {@link FakeCognito} that plays its users' telephones.
 *
 * @example
 * ```ts
 * import { FakeCognito } from 'cognito-revocation/testing'
 *
 * const cognito = await FakeCognito.start({ mfa: 'OPTIONAL' })
 * cognito.createUser({ username: 'jane', password: 'correct horse', mfa: ['SOFTWARE_TOKEN_MFA'] })
 * // … the password leads to SOFTWARE_TOKEN_MFA, which is answered with:
 * const code = cognito.totpFor('jane')
 * ```
 */
export abstract class FakeSignIns extends FakeEndpoint {
  readonly #pool: Pool

  /** @internal */
  constructor(pool: Pool, region: string) {
    super(pool, region)
    this.#pool = pool
  }

  /** The code that a user was last sent by SMS or e-mail. */
  codeFor(username: string): string {
    const { lastCode } = this.#pool.users.get(username)
    if (lastCode === undefined) throw new TypeError(`no code was sent to ${username}`)
    return lastCode
  }

  /**
   * The code that the user's authenticator shows at this moment, by {@link FakeCognito.clock}. It is good for one
   * sign-in: for another, advance the clock by 30 s.
   */
  totpFor(username: string): string {
    const { softwareToken } = this.#pool.users.get(username)
    if (softwareToken === undefined) throw new TypeError(`${username} has no authenticator`)
    return totp(softwareToken, this.#pool.clock.now())
  }

  /** Sets what CUSTOM_AUTH asks from now on, in this order; nothing, and the pool refuses that flow. */
  customChallenges(challenges: readonly CustomChallenge[]): void {
    this.#pool.signIns.customChallenges = challenges.map((challenge) => ({ ...challenge }))
  }

  /**
   * Puts a challenge in the way of the user's next sign-in, when he has proved who he is and before device and
   * tokens: one that nobody knows, or a known one with strange parameters. Any answer to it is right. Called
   * again, it adds another.
   */
  challengeNext(username: string, name: string, parameters: Readonly<Record<string, string>> = {}): void {
    this.#pool.signIns.asked.add(this.#pool.users.get(username), name, parameters)
  }

  /**
   * A CREDENTIAL, as JSON, that answers WEB_AUTHN. It is of the form that a browser gives, and signed by nothing.
   *
   * @param credentialRequestOptions CREDENTIAL_REQUEST_OPTIONS, as it was sent or parsed
   */
  credentialFor(username: string, credentialRequestOptions: string | object): string {
    return createCredential(this.#pool.users.get(username), credentialRequestOptions)
  }
}
