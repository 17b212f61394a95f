import type { AppClient } from '../app-client.js'
import type { AuthParameters } from '../parameters.js'
import type { User } from '../users.js'

/** Who signs in and answers: a user by the plain operations, an administrator by those with `Admin`. */
export type Caller = 'user' | 'admin'

/** A sign-in that is under way, from InitiateAuth to tokens. */
export interface SignIn {
  readonly client: AppClient
  readonly caller: Caller
  /** As it was typed in: a username or an alias. */
  readonly login: string
  /** Where there is no such user and the client hides it: one who is made up and has no password that works. */
  readonly user: User
  /** The last DEVICE_KEY that was sent along. */
  deviceKey: string | undefined
}

/** A question that a sign-in stops at. */
export interface Challenge {
  readonly name: string
  readonly parameters: Readonly<Record<string, string>>
  readonly availableChallenges?: readonly string[]
  /** Says what comes next, or throws a refusal. */
  readonly answer: (responses: AuthParameters) => Step | Promise<Step>
  /** Whether it asks for a code that was sent, which expires. */
  readonly sentCode?: boolean
  /** What AssociateSoftwareToken and VerifySoftwareToken do their part on. */
  readonly enrolment?: Enrolment
}

/** The setting up of a software token in the middle of a sign-in. */
export interface Enrolment {
  secret?: string
  verified: boolean
}

/** What an answer leads to: another challenge, or the end. */
export type Step = Challenge | { readonly authenticationResult: object }

/** Goes on where a challenge has been passed. */
export type Next = () => Step | Promise<Step>
