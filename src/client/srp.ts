import { createDiffieHellmanGroup } from 'node:crypto'
import { CognitoConfigurationError, CognitoError } from '../errors.js'
import type { Device } from './device.js'

/** What the helper keeps of an exchange: A and the private value in hexadecimal, and the time it signs. */
export interface SrpSession {
  readonly username: string
  readonly password: string
  /** Whether `password` is a hash already. */
  readonly isHashed: boolean
  readonly poolId: string
  /** The pool's name: the part of its id after the underscore. */
  readonly poolIdAbbr: string
  readonly timestamp: string
  readonly smallA: string
  readonly largeA: string
}

interface SignedSession extends SrpSession {
  readonly passwordSignature: string
}

type Challenge = { readonly ChallengeParameters: Readonly<Record<string, string>> }

/** The functions of cognito-srp-helper that are used here; its own types do not resolve. */
export interface SrpHelper {
  createSrpSession(username: string, password: string, poolId: string, isHashed: boolean): SrpSession
  signSrpSession(session: SrpSession, challenge: Challenge): SignedSession
  signSrpSessionWithDevice(
    session: SrpSession,
    challenge: Challenge,
    deviceGroupKey: string,
    devicePassword: string,
  ): SignedSession
  createDeviceVerifier(deviceKey: string, deviceGroupKey: string): DeviceVerifier
}

/** A new password of a device, and what Cognito needs to check it without knowing it. */
export interface DeviceVerifier {
  readonly DeviceRandomPassword: string
  readonly DeviceSecretVerifierConfig: { readonly PasswordVerifier: string; readonly Salt: string }
}

/** Longer than anything that Cognito sends: its numbers have 3,072 bits, its secret blocks some 1,400 bytes. */
const MAX_HEX_DIGITS = 1_024
const MAX_SECRET_BLOCK_CHARACTERS = 16_384
/** N of SRP: the 3,072-bit group of RFC 3526 and RFC 5054. */
const GROUP = 'modp15'

/**
 * Loads cognito-srp-helper, an optional peer dependency.
 *
 * @throws CognitoConfigurationError where it is not installed
 */
export async function loadSrpHelper(): Promise<SrpHelper> {
  let found: unknown
  let cause: unknown
  try {
    // Bundlers must not look for what is optional.
    found = await import(/* webpackIgnore: true */ /* @vite-ignore */ 'cognito-srp-helper')
  } catch (error) {
    cause = error
  }
  if (isSrpHelper(found)) return found
  throw new CognitoConfigurationError(
    'SRP needs cognito-srp-helper 2.3 or later: npm install cognito-srp-helper, and leave it out of a bundle',
    { cause },
  )
}

function isSrpHelper(found: unknown): found is SrpHelper {
  const names = ['createSrpSession', 'signSrpSession', 'signSrpSessionWithDevice', 'createDeviceVerifier']
  return names.every(
    (name) => typeof (found as Record<string, unknown> | null | undefined)?.[name] === 'function',
  )
}

/**
 * One exchange by SRP (RFC 5054), as Cognito has it: A goes out, the proof that the password is known follows.
 * To be used once.
 */
export class SrpExchange {
  readonly #helper: SrpHelper
  readonly #session: SrpSession
  readonly #nowSeconds: () => number

  /** @param nowSeconds what the proof is stamped with: Cognito takes what is off by minutes for a wrong password */
  constructor(helper: SrpHelper, session: SrpSession, nowSeconds: () => number) {
    this.#helper = helper
    this.#session = session
    this.#nowSeconds = nowSeconds
  }

  static async begin(userPoolId: string, nowSeconds: () => number): Promise<SrpExchange> {
    const helper = await loadSrpHelper()
    // The user's name and password are needed for the proof only, by then as Cognito knows the user.
    return new SrpExchange(
      helper,
      guarded(() => helper.createSrpSession('', '', userPoolId, false)),
      nowSeconds,
    )
  }

  /** The public value A. */
  get srpA(): string {
    return this.#session.largeA
  }

  /** Answers PASSWORD_VERIFIER: hashes with USER_ID_FOR_SRP, not with the alias that may have been typed in. */
  proveUser(parameters: Readonly<Record<string, string>>, password: string): Record<string, string> {
    const checked = check(parameters, 'USER_ID_FOR_SRP')
    return this.#prove(checked, (session) =>
      this.#helper.signSrpSession({ ...session, password }, { ChallengeParameters: checked }),
    )
  }

  /** Answers DEVICE_PASSWORD_VERIFIER. */
  proveDevice(parameters: Readonly<Record<string, string>>, device: Device): Record<string, string> {
    const checked = check({ ...parameters, DEVICE_KEY: device.deviceKey }, 'DEVICE_KEY')
    return this.#prove(checked, (session) =>
      this.#helper.signSrpSessionWithDevice(
        session,
        { ChallengeParameters: checked },
        device.deviceGroupKey,
        device.devicePassword,
      ),
    )
  }

  #prove(
    parameters: Readonly<Record<'SECRET_BLOCK', string>>,
    sign: (session: SrpSession) => SignedSession,
  ): Record<string, string> {
    const timestamp = timestampOf(this.#nowSeconds())
    const { passwordSignature } = guarded(() => sign({ ...this.#session, timestamp }))
    return {
      PASSWORD_CLAIM_SIGNATURE: passwordSignature,
      PASSWORD_CLAIM_SECRET_BLOCK: parameters.SECRET_BLOCK,
      TIMESTAMP: timestamp,
    }
  }
}

/** Makes a password for a device, and its verifier. */
export async function createDeviceVerifier(
  deviceKey: string,
  deviceGroupKey: string,
): Promise<DeviceVerifier> {
  const helper = await loadSrpHelper()
  return guarded(() => helper.createDeviceVerifier(deviceKey, deviceGroupKey))
}

/**
 * Cognito's part, with what must be there and is what it should be: the helper reads anything as a number.
 * B must not be a multiple of N, or anybody could prove to know the password (RFC 5054, section 2.5.3).
 */
function check<Id extends string>(parameters: Readonly<Record<string, string>>, id: Id) {
  const { SALT = '', SECRET_BLOCK = '', SRP_B = '', [id]: identity = '' } = parameters
  const isSound =
    [SALT, SRP_B].every((value) => value.length <= MAX_HEX_DIGITS && /^[0-9a-f]+$/i.test(value)) &&
    SECRET_BLOCK.length <= MAX_SECRET_BLOCK_CHARACTERS &&
    /^[\w+/-]+=*$/.test(SECRET_BLOCK) &&
    identity !== '' &&
    BigInt(`0x${SRP_B}`) % prime() !== 0n
  if (!isSound) throw new CognitoError("SRP: Cognito's part of the exchange is not what it must be")
  return { SALT, SECRET_BLOCK, SRP_B, [id]: identity } as Record<
    'SALT' | 'SECRET_BLOCK' | 'SRP_B' | Id,
    string
  >
}

/** In the one form that Cognito takes: `Sun Nov 8 09:07:05 UTC 2026`, the day without a leading zero. */
function timestampOf(seconds: number): string {
  const [weekday, day, month, year, time] = new Date(seconds * 1000).toUTCString().split(/,? /)
  return `${weekday} ${month} ${Number(day)} ${time} UTC ${year}`
}

function prime(): bigint {
  return BigInt(`0x${createDiffieHellmanGroup(GROUP).getPrime('hex')}`)
}

/** What the helper throws has the exchange's values at hand, so nothing of it is passed on. */
function guarded<T>(act: () => T): T {
  try {
    return act()
  } catch {
    throw new CognitoError('SRP: the exchange is refused, since one of its values is none that is safe')
  }
}
