import { randomUUID } from 'node:crypto'
import { withoutUndefined } from './defaults.js'

/** The statuses of a user that change how a sign-in ends. */
export type UserStatus = 'CONFIRMED' | 'UNCONFIRMED' | 'RESET_REQUIRED' | 'FORCE_CHANGE_PASSWORD'

/** What {@link FakeCognito.updateUser} can change. */
export interface UserUpdate {
  readonly password?: string
  /** Counts as verified, and is an alias for signing in. */
  readonly email?: string
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
  groups: readonly string[]
  status: UserStatus
  enabled: boolean
  /** When the user was last signed out everywhere. */
  signedOutAtMs?: number
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
    const now = this.#now()
    const user: User = {
      username,
      sub,
      password,
      groups: [],
      status: 'CONFIRMED',
      enabled: true,
      createdAtMs: now,
      modifiedAtMs: now,
    }
    this.#change(user, update)
    this.#users.set(username, user)
    return user
  }

  update(username: string, update: UserUpdate): void {
    const user = this.#users.get(username)
    if (user === undefined) throw new TypeError(`there is no user ${username}`)
    this.#change(user, update)
  }

  /** By username or alias: what can be typed in to sign in. */
  findByLogin(login: string): User | undefined {
    return this.#users.get(login) ?? this.#findBy((user) => user.email === login)
  }

  findBySub(sub: string): User | undefined {
    return this.#findBy((user) => user.sub === sub)
  }

  /** By username, alias or sub: what administrators can name a user by. */
  find(name: string): User | undefined {
    return this.findByLogin(name) ?? this.findBySub(name)
  }

  #change(user: User, update: UserUpdate): void {
    if (update.email !== undefined) {
      const owner = this.findByLogin(update.email)
      if (owner !== undefined && owner !== user) throw new TypeError(`email ${update.email} is taken`)
    }
    Object.assign(user, withoutUndefined(update), { modifiedAtMs: this.#now() })
  }

  #findBy(matches: (user: User) => boolean): User | undefined {
    for (const user of this.#users.values()) if (matches(user)) return user
    return undefined
  }
}

/** A user's attributes in the form that GetUser and AdminGetUser give them. */
export function attributesOf(user: User): { Name: string; Value: string }[] {
  const attributes = [{ Name: 'sub', Value: user.sub }]
  if (user.email !== undefined) {
    attributes.push({ Name: 'email', Value: user.email }, { Name: 'email_verified', Value: 'true' })
  }
  return attributes
}
