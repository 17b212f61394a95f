import { createRequire } from 'node:module'
import type { AuthenticationResultType } from '@aws-sdk/client-cognito-identity-provider'
import { expect } from 'vitest'
import type { AppClientKeys, Harness } from './harness.js'
import { computeHash } from './harness.js'

/** The part of cognito-srp-helper that tests use; the types that it ships name no module. */
interface SrpHelper {
  createSrpSession(username: string, password: string, poolId: string, isHashed: boolean): SrpSession
  signSrpSession(session: SrpSession, answer: Answer): SignedSession
  signSrpSessionWithDevice(
    session: SrpSession,
    answer: Answer,
    deviceGroupKey: string,
    devicePassword: string,
  ): SignedSession
  createDeviceVerifier(
    deviceKey: string,
    deviceGroupKey: string,
  ): {
    DeviceRandomPassword: string
    DeviceSecretVerifierConfig: { PasswordVerifier: string; Salt: string }
  }
}

interface SrpSession {
  readonly largeA: string
  timestamp: string
}

interface SignedSession extends SrpSession {
  readonly secret: string
  readonly passwordSignature: string
}

/** What an operation answered: a challenge or tokens. */
export interface Answer {
  readonly ChallengeName?: string | undefined
  readonly Session?: string | undefined
  readonly ChallengeParameters?: Record<string, string> | undefined
  readonly AuthenticationResult?: AuthenticationResultType | undefined
}

export const srpHelper: SrpHelper = createRequire(import.meta.url)('cognito-srp-helper')

/** The responses that prove a password. */
export function claimOf({ secret, passwordSignature, timestamp }: SignedSession): Record<string, string> {
  return {
    PASSWORD_CLAIM_SECRET_BLOCK: secret,
    PASSWORD_CLAIM_SIGNATURE: passwordSignature,
    TIMESTAMP: timestamp,
  }
}

/** A client's USER_SRP_AUTH up to PASSWORD_VERIFIER, and the responses that answer that. */
export async function beginSrp(
  { cognito, initiateAuth }: Pick<Harness, 'cognito' | 'initiateAuth'>,
  client: AppClientKeys,
  login: string,
  password: string,
  more: Record<string, string> = {},
) {
  const session = srpHelper.createSrpSession(login, password, cognito.userPoolId, false)
  const names = { USERNAME: login, ...hashOf(client, login), ...more }
  const challenge = await initiateAuth('USER_SRP_AUTH', client.clientId, { ...names, SRP_A: session.largeA })
  expect(challenge.ChallengeName).toBe('PASSWORD_VERIFIER')
  const claim = claimOf(srpHelper.signSrpSession(session, challenge))
  return { session, challenge, responses: { ...names, ...claim } }
}

function hashOf(client: AppClientKeys, username: string): Record<string, string> {
  return client.clientSecret === undefined ? {} : { SECRET_HASH: computeHash(client, username) }
}
