import { randomUUID } from 'node:crypto'
import type { AppClient } from './app-client.js'
import type { Device } from './devices.js'
import type { User } from './users.js'

/** What begins with a sign-in and goes on over every refresh: one device, so to speak. */
export interface Session {
  /** The `origin_jti` of all its tokens, as far as they have one. */
  readonly originJti: string
  readonly eventId: string
  readonly user: User
  readonly clientId: string
  /** The device that signed in, where the pool tracks devices. */
  device?: Device
  /** Epoch seconds; the `auth_time` of all its tokens. */
  readonly authTime: number
  /** When its refresh tokens end: rotation passes on what is left of the first one's life. */
  readonly refreshExpiresAtMs: number
  /** Of its access tokens, separated by spaces. Default: what a sign-in by the API gives. */
  readonly scope?: string
  revoked: boolean
}

/** What a sign-in at the hosted endpoints settles. */
export interface HostedSignIn {
  readonly scope: string
  /** Epoch seconds: when the user entered the password, maybe for another session. */
  readonly authTime: number
}

/** The sessions of a pool. */
export class Sessions {
  readonly #sessions = new Map<string, Session>()
  readonly #now: () => number

  constructor(now: () => number) {
    this.#now = now
  }

  start(user: User, client: AppClient, hosted?: HostedSignIn): Session {
    const now = this.#now()
    const session: Session = {
      originJti: randomUUID(),
      eventId: randomUUID(),
      user,
      clientId: client.clientId,
      authTime: Math.floor(now / 1000),
      refreshExpiresAtMs: now + client.refreshTokenValiditySeconds * 1000,
      revoked: false,
      ...hosted,
    }
    this.#sessions.set(session.originJti, session)
    return session
  }

  find(originJti: string): Session | undefined {
    return this.#sessions.get(originJti)
  }

  /** Ends every session of a user, and with them the tokens that carry no mark of their session. */
  revokeAllOf(user: User): void {
    for (const session of this.#sessions.values()) if (session.user === user) session.revoked = true
    user.signedOutAtMs = this.#now()
  }
}
