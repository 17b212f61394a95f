import { randomBytes, randomUUID } from 'node:crypto'
import { createTotpSecret, type UsedTotp } from './challenges/totp.js'
import { withoutUndefined } from './defaults.js'

/** The statuses of a user that change how a sign-in ends. */
export type UserStatus = 'CONFIRMED' | 'UNCONFIRMED' | 'RESET_REQUIRED' | 'FORCE_CHANGE_PASSWORD'

/** A second factor: an authenticator's codes, or codes sent by SMS or e-mail. */
export type SecondFactor = 'SOFTWARE_TOKEN_MFA' | 'SMS_MFA' | 'EMAIL_OTP'

/** What {@link FakeCognito.updateUser} can change. */
export interface UserUpdate {
  readonly password?: string
  /** Counts as verified, and is an alias for signing in. */
  readonly email?: string
  /** Counts as verified, and is an alias for signing in. SMS_MFA and SMS_OTP are sent there. */
  readonly phoneNumber?: string
  /**
   * The second factors that are enabled, of which none is preferred: with one, a password leads to its
   * challenge; with several, to SELECT_MFA_TYPE. SetUserMFAPreference changes them. SMS_MFA needs a `phoneNumber`, EMAIL_OTP an `email`. Default none.
   */
  readonly mfa?: readonly SecondFactor[]
  /** Whether a passkey is registered, which USER_AUTH then offers as WEB_AUTHN. Default false. */
  readonly passkey?: boolean
  /** Become `cognito:groups`. */
  readonly groups?: readonly string[]
  /** Default CONFIRMED. */
  readonly status?: UserStatus
  /** Default true. */
  readonly enabled?: boolean
}

/** What {@link FakeCognito.createUser} takes. */
export interface UserSettings extends UserUpdate {
  readonly username: string
  readonly password: string
  /** Default: a random UUID. Pools where people sign in by email have the same as username. */
  readonly sub?: string
}

/** A user of the pool. */
export interface User {
  readonly username: string
  readonly sub: string
  readonly createdAtMs: number
  modifiedAtMs: number
  password: string
  email?: string
  phoneNumber?: string
  /** Further attributes, set with a new password. */
  attributes: Readonly<Record<string, string>>
  groups: readonly string[]
  mfa: readonly SecondFactor[]
  /** The one of `mfa` that SetUserMFAPreference prefers. */
  preferredMfa?: SecondFactor | undefined
  /** The secret of the authenticator, in base32. */
  softwareToken?: string
  /** The code of the authenticator that was taken last, which is not taken again. */
  usedTotp?: UsedTotp
  /** An authenticator that is being set up, by access token. */
  enrolment?: { secret?: string; verified: boolean }
  passkey: boolean
  /** The id of the credential that a passkey signs with. */
  readonly credentialId: string
  /** The code that was last sent by SMS or e-mail. */
  lastCode?: string
  status: UserStatus
  enabled: boolean
}

/** The users of a pool. Names are compared by byte, as in a case-sensitive pool. */
export class Users {
  readonly #users = new Map<string, User>()
  readonly #now: () => number

  constructor(now: () => number) {
    this.#now = now
  }

  create(settings: UserSettings): User {
    const { username, sub = randomUUID(), password, ...update } = settings
    if (this.find(username) !== undefined) throw new TypeError(`username ${username} is taken`)
    if (this.find(sub) !== undefined) throw new TypeError(`sub ${sub} is taken`)
    const user = createUser(username, sub, password, this.#now())
    this.#change(user, update)
    this.#users.set(username, user)
    return user
  }

  update(username: string, update: UserUpdate): void {
    this.#change(this.get(username), update)
  }

  /** The user whom a test names. */
  get(username: string): User {
    const user = this.#users.get(username)
    if (user === undefined) throw new TypeError(`there is no user ${username}`)
    return user
  }

  /** By username or alias: what can be typed in to sign in. */
  findByLogin(login: string): User | undefined {
    return (
      this.#users.get(login) ?? this.#findBy((user) => user.email === login || user.phoneNumber === login)
    )
  }

  findBySub(sub: string): User | undefined {
    return this.#findBy((user) => user.sub === sub)
  }

  /** By username, alias or sub: what administrators can name a user by. */
  find(name: string): User | undefined {
    return this.findByLogin(name) ?? this.findBySub(name)
  }

  #change(user: User, update: UserUpdate): void {
    for (const alias of ['email', 'phoneNumber'] as const) {
      const owner = update[alias] === undefined ? undefined : this.findByLogin(update[alias])
      if (owner !== undefined && owner !== user) throw new TypeError(`${alias} ${update[alias]} is taken`)
    }
    const { mfa = user.mfa, email = user.email, phoneNumber = user.phoneNumber } = update
    if (mfa.includes('SMS_MFA') && phoneNumber === undefined)
      throw new TypeError('SMS_MFA needs a phoneNumber')
    if (mfa.includes('EMAIL_OTP') && email === undefined) throw new TypeError('EMAIL_OTP needs an email')
    Object.assign(user, withoutUndefined(update), { modifiedAtMs: this.#now() })
    if (update.mfa !== undefined) user.preferredMfa = undefined
    if (mfa.includes('SOFTWARE_TOKEN_MFA')) user.softwareToken ??= createTotpSecret()
  }

  #findBy(matches: (user: User) => boolean): User | undefined {
    for (const user of this.#users.values()) if (matches(user)) return user
    return undefined
  }
}

/** A confirmed user, of this pool or made up. */
export function createUser(username: string, sub: string, password: string, now: number): User {
  return {
    username,
    sub,
    password,
    attributes: {},
    groups: [],
    mfa: [],
    passkey: false,
    credentialId: randomBytes(16).toString('base64url'),
    status: 'CONFIRMED',
    enabled: true,
    createdAtMs: now,
    modifiedAtMs: now,
  }
}

/** A user's attributes in the form that GetUser and AdminGetUser give them. */
export function attributesOf(user: User): { Name: string; Value: string }[] {
  const attributes = [{ Name: 'sub', Value: user.sub }]
  if (user.email !== undefined) {
    attributes.push({ Name: 'email', Value: user.email }, { Name: 'email_verified', Value: 'true' })
  }
  if (user.phoneNumber !== undefined) {
    attributes.push({ Name: 'phone_number', Value: user.phoneNumber })
    attributes.push({ Name: 'phone_number_verified', Value: 'true' })
  }
  return [...attributes, ...Object.entries(user.attributes).map(([Name, Value]) => ({ Name, Value }))]
}
