import { randomBytes } from 'node:crypto'
import { notAuthorized } from '../exceptions.js'
import type { User } from '../users.js'
import type { Challenge, Next } from './challenge.js'

/**
 * WEB_AUTHN: asks for a passkey's assertion. Only its form is looked at, its credential and the challenge
 * that it names: no signature is verified, no origin, no counter.
 */
export function webAuthn(user: User, next: Next): Challenge {
  const challenge = randomBytes(32).toString('base64url')
  const options = {
    challenge,
    timeout: 180_000,
    rpId: 'localhost',
    allowCredentials: [{ type: 'public-key', id: user.credentialId, transports: ['internal'] }],
    userVerification: 'preferred',
  }
  return {
    name: 'WEB_AUTHN',
    parameters: { CREDENTIAL_REQUEST_OPTIONS: JSON.stringify(options) },
    answer: (responses) => {
      if (!answers(responses.required('CREDENTIAL'), challenge, user)) {
        throw notAuthorized('Incorrect username or password.')
      }
      return next()
    },
  }
}

/** An AuthenticationResponseJSON (WebAuthn Level 3, section 5.2.1.1) that {@link webAuthn} takes. */
export function createCredential({ credentialId }: User, options: unknown): string {
  const read = typeof options === 'string' ? parse(options) : options
  const challenge = field(read, 'challenge')
  if (typeof challenge !== 'string') throw new TypeError('credentialRequestOptions must name a challenge')
  const clientData = { type: 'webauthn.get', challenge, origin: 'http://localhost', crossOrigin: false }
  return JSON.stringify({
    id: credentialId,
    rawId: credentialId,
    type: 'public-key',
    authenticatorAttachment: 'platform',
    clientExtensionResults: {},
    response: {
      clientDataJSON: Buffer.from(JSON.stringify(clientData)).toString('base64url'),
      authenticatorData: randomBytes(37).toString('base64url'),
      signature: randomBytes(70).toString('base64url'),
    },
  })
}

function answers(credential: string, challenge: string, user: User): boolean {
  const read = parse(credential)
  const encoded = field(field(read, 'response'), 'clientDataJSON')
  const clientData =
    typeof encoded === 'string' ? parse(Buffer.from(encoded, 'base64url').toString()) : undefined
  return (
    field(read, 'id') === user.credentialId &&
    field(read, 'type') === 'public-key' &&
    field(clientData, 'type') === 'webauthn.get' &&
    field(clientData, 'challenge') === challenge
  )
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function field(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined
  return Object.entries(value).find(([key]) => key === name)?.[1]
}
