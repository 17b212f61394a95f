import { randomBytes } from 'node:crypto'
import {
  CodeMismatchError,
  type CognitoTokenClient,
  InvalidPasswordError,
  PasswordHistoryError,
  type SignInChallenge,
  type SignInResult,
} from 'cognito-revocation/client'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { LRUCache } from 'lru-cache'
import { HttpError } from './answers.js'
import { onlyCookie } from './only-cookie.js'

const NAME = '__Secure-sign_in'
/** As Cognito's: an app client's AuthSessionValidity. */
const LIFE_SECONDS = 180
const ATTRIBUTES = { path: '/auth', httpOnly: true, secure: true, sameSite: 'strict' } as const

/** What a page may answer to a challenge. */
export interface ChallengeAnswer {
  readonly newPassword?: string
  readonly code?: string
}

/**
 * Sign-ins that wait for an answer of the user's. A challenge is a secret, so it stays here, and the browser gets a
 * random name for it. With more than one process, keep them where all find them, such as Redis.
 */
export class PendingSignIns {
  readonly #client: CognitoTokenClient
  readonly #challenges = new LRUCache<string, SignInChallenge>({ max: 10_000, ttl: LIFE_SECONDS * 1000 })

  constructor(client: CognitoTokenClient) {
    this.#client = client
  }

  /** Keeps the challenge, and gives what the page needs to ask the user. */
  ask(challenge: SignInChallenge, reply: FastifyReply): { challenge: string } {
    const name = randomBytes(32).toString('base64url')
    this.#challenges.set(name, challenge)
    reply.setCookie(NAME, name, { ...ATTRIBUTES, maxAge: LIFE_SECONDS }).code(409)
    return { challenge: challenge.challengeName }
  }

  /** Gives Cognito the user's answer, once: unless he may try again, the sign-in is over if it is wrong. */
  async answer(request: FastifyRequest, reply: FastifyReply, answer: ChallengeAnswer): Promise<SignInResult> {
    // A sibling subdomain could plant a sign-in of its owner's: beside one that was begun here it is refused, and where
    // none was begun the page asks for nothing.
    const name = onlyCookie(request, NAME) ?? ''
    const challenge = this.#challenges.get(name)
    if (challenge === undefined) throw new HttpError(401)
    const send = this.#prepare(challenge, answer)
    this.#challenges.delete(name)
    try {
      const result = await send()
      reply.clearCookie(NAME, ATTRIBUTES)
      return result
    } catch (error) {
      const mayTryAgain = [CodeMismatchError, InvalidPasswordError, PasswordHistoryError]
      if (mayTryAgain.some((Class) => error instanceof Class)) this.#challenges.set(name, challenge)
      throw error
    }
  }

  /** More kinds of challenges: docs/client.md#challenges-and-their-answers. */
  #prepare(challenge: SignInChallenge, { newPassword, code }: ChallengeAnswer): () => Promise<SignInResult> {
    const client = this.#client
    switch (challenge.challengeName) {
      case 'NEW_PASSWORD_REQUIRED':
        if (newPassword === undefined) throw new HttpError(400)
        return () => client.respondToChallenge(challenge, { newPassword })
      case 'SOFTWARE_TOKEN_MFA':
      case 'SMS_MFA':
      case 'EMAIL_OTP':
        if (code === undefined) throw new HttpError(400)
        return () => client.respondToChallenge(challenge, { code })
      default:
        throw new HttpError(400)
    }
  }
}
