import { randomBytes } from 'node:crypto'
import { CognitoException, invalidParameter, notAuthorized } from '../exceptions.js'
import type { Challenge, SignIn } from './challenge.js'

/** What a Session string stands for. */
export interface ChallengeSession {
  readonly id: string
  readonly signIn: SignIn
  readonly challenge: Challenge
  readonly expiresAtMs: number
  wrongCodes: number
}

const maxWrongCodes = 3
const wrongCode = new Set(['CodeMismatchException', 'EnableSoftwareTokenMFAException'])

/** The Session strings of a pool: opaque, each good for one answer that is taken. */
export class ChallengeSessions {
  readonly #sessions = new Map<string, ChallengeSession>()
  readonly #now: () => number

  constructor(now: () => number) {
    this.#now = now
  }

  /** Gives a challenge its Session string, which lives for the client's AuthSessionValidity. */
  issue(signIn: SignIn, challenge: Challenge): string {
    const id = randomBytes(300).toString('base64url')
    const { AuthSessionValidity: minutes } = signIn.client.wire
    const expiresAtMs = this.#now() + (typeof minutes === 'number' ? minutes : 3) * 60_000
    this.#sessions.set(id, { id, signIn, challenge, expiresAtMs, wrongCodes: 0 })
    return id
  }

  /** Takes a session out, so that no second request finds it; {@link keep} puts it back. */
  take(id: string): ChallengeSession {
    assertSessionForm(id)
    const session = this.#sessions.get(id)
    if (session === undefined) throw invalidSession()
    if (this.#now() >= session.expiresAtMs) throw expired(session.challenge)
    this.#sessions.delete(id)
    return session
  }

  /** Leaves a session to be answered anew, unless it was the third wrong code for it. */
  keep(session: ChallengeSession, refusal?: unknown): void {
    if (refusal instanceof CognitoException && wrongCode.has(refusal.name)) session.wrongCodes += 1
    if (session.wrongCodes < maxWrongCodes) this.#sessions.set(session.id, session)
  }

  /** The session of PASSWORD_VERIFIER, which some clients answer without its Session string. */
  idOfSecretBlock(secretBlock: string | undefined): string | undefined {
    if (secretBlock === undefined) return undefined
    for (const { id, challenge } of this.#sessions.values()) {
      if (challenge.name === 'PASSWORD_VERIFIER' && challenge.parameters.SECRET_BLOCK === secretBlock)
        return id
    }
    return undefined
  }
}

/** Refuses what can be no Session string, of whatever operation. */
export function assertSessionForm(id: string): void {
  if (id.length >= 20 && id.length <= 2048) return
  throw invalidParameter("1 validation error detected: Value at 'session' failed to satisfy constraint")
}

export function invalidSession(): CognitoException {
  return notAuthorized('Invalid session for the user.')
}

function expired({ sentCode }: Challenge): CognitoException {
  return sentCode === true
    ? new CognitoException('ExpiredCodeException', 'Invalid code provided, please request a code again.')
    : notAuthorized('Invalid session for the user, session is expired.')
}
