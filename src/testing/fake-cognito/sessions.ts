import { randomUUID } from 'node:crypto'
import type { AppClient } from './app-client.js'
import type { Device } from './devices.js'
import type { User } from './users.js'

/** What begins with a sign-in and goes on over every refresh: one device, so to speak. */
export interface Session {
  /** The `origin_jti` of its tokens, as far as they have one. */
  originJti: string
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
}

/** What a sign-in at the hosted endpoints settles. */
export interface HostedSignIn {
  readonly scope: string
  /** Epoch seconds: when the user entered the password, maybe for another session. */
  readonly authTime: number
}

/** The end of sessions: where it was brought about, and how late it is seen elsewhere for that. */
interface Ending {
  readonly region: string
  readonly atMs: number
  readonly lagMs: number
}

interface SharedState {
  readonly sessions: Map<string, Session>
  /** By session, or by user who was signed out everywhere. */
  readonly endings: Map<Session | User, Ending[]>
}

/** The sessions of a pool, as they are seen in one Region. */
export class Sessions {
  readonly #shared: SharedState
  readonly #region: string
  readonly #lagMs: number
  readonly #now: () => number

  constructor(
    now: () => number,
    region: string,
    lagMs = 0,
    shared: SharedState = { sessions: new Map(), endings: new Map() },
  ) {
    this.#now = now
    this.#region = region
    this.#lagMs = lagMs
    this.#shared = shared
  }

  /** The same sessions as another Region sees them: begun at once, ended only after a while. */
  seenFrom(region: string, lagMs: number): Sessions {
    return new Sessions(this.#now, region, lagMs, this.#shared)
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
      ...hosted,
    }
    this.#shared.sessions.set(session.originJti, session)
    return session
  }

  /** Gives a session another `origin_jti` for its next tokens; by the former ones it is found as well. */
  renew(session: Session): void {
    session.originJti = randomUUID()
    this.#shared.sessions.set(session.originJti, session)
  }

  find(originJti: string): Session | undefined {
    return this.#shared.sessions.get(originJti)
  }

  /** Ends a session. */
  revoke(session: Session): void {
    this.#end(session)
  }

  isRevoked(session: Session): boolean {
    return this.#endedAtMs(session) !== undefined
  }

  /** Ends every session of a user, and with them the tokens that carry no mark of their session. */
  revokeAllOf(user: User): void {
    for (const session of this.#shared.sessions.values()) if (session.user === user) this.#end(session)
    this.#end(user)
  }

  /** When the user was last signed out everywhere, as far as that is seen here. */
  signedOutAtMs(user: User): number | undefined {
    return this.#endedAtMs(user)
  }

  #end(what: Session | User): void {
    const endings = this.#shared.endings.get(what) ?? []
    endings.push({ region: this.#region, atMs: this.#now(), lagMs: this.#lagMs })
    this.#shared.endings.set(what, endings)
  }

  #endedAtMs(what: Session | User): number | undefined {
    const now = this.#now()
    const seen = (this.#shared.endings.get(what) ?? []).filter(
      ({ region, atMs, lagMs }) => region === this.#region || now >= atMs + lagMs + this.#lagMs,
    )
    return seen.at(-1)?.atMs
  }
}
