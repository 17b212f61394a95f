import type { AuthFlowType } from '@aws-sdk/client-cognito-identity-provider'
import { CognitoError, NotAuthorizedError } from '../errors.js'
import { type AuthOutput, type AuthStep, initiateAuth, respondToAuthChallenge } from './auth-calls.js'
import type { AcceptedSecret } from './client-secrets.js'
import type { CognitoApi } from './cognito-api.js'
import { readChallenge, usernameIn } from './read-challenge.js'
import type { SignInOptions } from './sign-in-input.js'
import { readSignedIn, type SignInResult } from './sign-in-result.js'
import { SrpExchange } from './srp.js'

/** Who signs in, and with what. */
export interface Applicant {
  readonly username: string
  readonly admin: boolean
  readonly password?: string | undefined
  /** Whether the password may go to Cognito as it is: never after SRP was asked for, whatever Cognito asks. */
  readonly maySendPassword: boolean
  readonly input: SignInOptions
}

/**
 * One call of `signIn` or `respondToChallenge`: a request, and what Cognito asks then as far as the call can
 * answer it by itself. Each challenge is so answered once at most, which bounds the rounds.
 */
export class SignInCall {
  readonly #api: CognitoApi
  readonly #applicant: Applicant
  readonly #answered = new Set<string>()
  /** As Cognito has named the user last. */
  #username: string
  #exchange: SrpExchange | undefined
  /** Of two client secrets, the one that Cognito took: not every step begins with the other. */
  readonly #acceptedSecret: AcceptedSecret = {}

  constructor(api: CognitoApi, applicant: Applicant) {
    this.#api = api
    this.#applicant = applicant
    this.#username = applicant.username
  }

  /** Begins an exchange by SRP. */
  async srpA(): Promise<string> {
    this.#exchange = await SrpExchange.begin(this.#api.userPoolId, () => this.#now())
    return this.#exchange.srpA
  }

  /** By Cognito's clock, which checks it; by this machine's before Cognito has told its own. */
  #now(): number {
    const { clock } = this.#api
    return clock.nowSeconds() ?? clock.ownSeconds()
  }

  /** Begins a sign-in. */
  async initiate(
    flow: AuthFlowType,
    parameters: Readonly<Record<string, string>>,
    session?: string,
  ): Promise<SignInResult> {
    return this.#goOn(await initiateAuth(this.#api, flow, this.#step(parameters, session)))
  }

  /** Answers a challenge. */
  async respond(
    challengeName: string,
    session: string | undefined,
    responses: Readonly<Record<string, string>>,
  ): Promise<SignInResult> {
    return this.#goOn(await this.#respond(challengeName, session, responses))
  }

  async #goOn(first: AuthOutput): Promise<SignInResult> {
    let output = first
    while (output.ChallengeName !== undefined) {
      const { ChallengeName: name, ChallengeParameters: parameters = {}, Session: session } = output
      this.#username = usernameIn(parameters) ?? this.#username
      const responses = await this.#ownResponses(output.operation, name, parameters)
      if (responses === undefined) {
        return readChallenge(output, { username: this.#username, admin: this.#applicant.admin })
      }
      output = await this.#respond(name, session, responses)
    }
    return readSignedIn(this.#api, output)
  }

  async #respond(
    name: string,
    session: string | undefined,
    responses: Readonly<Record<string, string>>,
  ): Promise<AuthOutput> {
    this.#answered.add(name)
    try {
      return await respondToAuthChallenge(this.#api, name, this.#step(responses, session))
    } catch (error) {
      if (!(error instanceof NotAuthorizedError) || !isVerifier(name)) throw error
      const { message, cause } = error
      throw new NotAuthorizedError(`${message} By SRP also where this machine's clock is minutes off.`, {
        cause,
      })
    }
  }

  /** What this call can answer by itself; undefined for what the caller must. */
  async #ownResponses(
    operation: string,
    name: string,
    parameters: Readonly<Record<string, string>>,
  ): Promise<Record<string, string> | undefined> {
    const { password, maySendPassword, input } = this.#applicant
    if (isVerifier(name)) return this.#proof(operation, name, parameters)
    if (this.#answered.has(name)) return undefined
    if (name === 'PASSWORD' && password !== undefined && maySendPassword) return { PASSWORD: password }
    if (name === 'PASSWORD_SRP' && password !== undefined) return { SRP_A: await this.srpA() }
    if (name === 'DEVICE_SRP_AUTH' && input.device !== undefined) return { SRP_A: await this.srpA() }
    return undefined
  }

  /** The second half of SRP. An exchange is good for one. */
  #proof(
    operation: string,
    name: 'PASSWORD_VERIFIER' | 'DEVICE_PASSWORD_VERIFIER',
    parameters: Readonly<Record<string, string>>,
  ): Record<string, string> {
    const { password, input } = this.#applicant
    const exchange = this.#exchange
    this.#exchange = undefined
    if (exchange !== undefined && name === 'PASSWORD_VERIFIER' && password !== undefined) {
      return exchange.proveUser(parameters, password)
    }
    if (exchange !== undefined && name === 'DEVICE_PASSWORD_VERIFIER' && input.device !== undefined) {
      return exchange.proveDevice(parameters, input.device)
    }
    throw new CognitoError(`${operation}: Cognito asks ${name}, although this call has not begun that`)
  }

  #step(parameters: Readonly<Record<string, string>>, session: string | undefined): AuthStep {
    const { admin, input } = this.#applicant
    const device = input.device === undefined ? {} : { DEVICE_KEY: input.device.deviceKey }
    const acceptedSecret = this.#acceptedSecret
    const shared = { admin, username: this.#username, session, input, acceptedSecret }
    return { ...shared, parameters: { ...device, ...parameters } }
  }
}

function isVerifier(name: string): name is 'PASSWORD_VERIFIER' | 'DEVICE_PASSWORD_VERIFIER' {
  return name === 'PASSWORD_VERIFIER' || name === 'DEVICE_PASSWORD_VERIFIER'
}
