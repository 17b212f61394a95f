import { regionOf } from '../token-minter.js'
import { AskedChallenges } from './challenges/asked-challenges.js'
import { ChallengeSessions } from './challenges/challenge-sessions.js'
import { Devices } from './devices.js'

/** What CUSTOM_AUTH asks, as a pool's Lambda functions would have it. */
export interface CustomChallenge {
  /** The challenge's public parameters. */
  readonly parameters: Readonly<Record<string, string>>
  /** The ANSWER that is right. */
  readonly answer: string
}

/** What a pool has of its users' sign-ins: its settings for them, and what is under way. */
export interface SignIns {
  readonly mfa: 'OFF' | 'OPTIONAL' | 'ON'
  readonly deviceTracking: boolean
  readonly requiredAttributes: readonly string[]
  readonly sessions: ChallengeSessions
  readonly asked: AskedChallenges
  readonly devices: Devices
  customChallenges: readonly CustomChallenge[]
}

/** The settings of a pool for its users' sign-ins. */
export interface SignInOptions {
  /**
   * Second factors: OFF asks nobody for one, OPTIONAL (default) those users who have one, ON everybody: who has
   * none is told to set up an authenticator, by MFA_SETUP.
   */
  readonly mfa?: 'OFF' | 'OPTIONAL' | 'ON'
  /**
   * Whether each sign-in without DEVICE_KEY is told of a new device, and one with the key of a confirmed device
   * is asked for its password, by DEVICE_SRP_AUTH; a second factor is asked for nevertheless. The session of a new
   * device cannot be refreshed before ConfirmDevice was called. Default false.
   */
  readonly deviceTracking?: boolean
  /** The attributes that NEW_PASSWORD_REQUIRED asks for where a user lacks them, such as `name`. Default none. */
  readonly requiredAttributes?: readonly string[]
}

const mfaModes = ['OFF', 'OPTIONAL', 'ON']

/** @throws TypeError naming the option */
export function createSignIns(userPoolId: string, now: () => number, options: SignInOptions): SignIns {
  const { mfa = 'OPTIONAL', deviceTracking = false, requiredAttributes = [] } = options
  if (!mfaModes.includes(mfa)) throw new TypeError(`mfa must be one of ${mfaModes.join(', ')}`)
  if (typeof deviceTracking !== 'boolean') throw new TypeError('deviceTracking must be true or false')
  return {
    mfa,
    deviceTracking,
    requiredAttributes: [...requiredAttributes],
    sessions: new ChallengeSessions(now),
    asked: new AskedChallenges(),
    devices: new Devices(regionOf(userPoolId)),
    customChallenges: [],
  }
}
