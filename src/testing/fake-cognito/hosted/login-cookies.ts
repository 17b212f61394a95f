import { randomBytes } from 'node:crypto'
import type { User } from '../users.js'

/** Who signed in with a password in this browser, and when. */
export interface Login {
  readonly user: User
  /** Epoch seconds. */
  readonly authTime: number
}

const name = 'cognito'
const lifeSeconds = 3_600

/** The managed-login cookies of a pool. For an hour each signs its browser in without a password; no sign-out by the API ends them. */
export class LoginCookies {
  readonly #logins = new Map<string, Login & { expiresAtMs: number }>()
  readonly #now: () => number

  constructor(now: () => number) {
    this.#now = now
  }

  /** @returns a Set-Cookie header */
  issue(login: Login): string {
    const value = randomBytes(32).toString('base64url')
    this.#logins.set(value, { ...login, expiresAtMs: this.#now() + lifeSeconds * 1000 })
    return attributesOf(value, lifeSeconds)
  }

  find(headers: Headers): Login | undefined {
    const found = this.#logins.get(valueIn(headers))
    return found !== undefined && this.#now() < found.expiresAtMs ? found : undefined
  }

  /** @returns a Set-Cookie header */
  clear(headers: Headers): string {
    this.#logins.delete(valueIn(headers))
    return attributesOf('', 0)
  }
}

function attributesOf(value: string, maxAge: number): string {
  return `${name}=${value}; Path=/; Max-Age=${maxAge}; Secure; HttpOnly; SameSite=Lax`
}

function valueIn(headers: Headers): string {
  return new RegExp(`(?:^|;\\s*)${name}=([\\w-]+)`).exec(headers.get('cookie') ?? '')?.[1] ?? ''
}
