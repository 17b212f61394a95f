import { randomBytes } from 'node:crypto'
import { equalSecrets } from '../client-secrets.js'
import { invalidParameter, notAuthorized } from '../exceptions.js'
import type { AuthParameters } from '../parameters.js'
import { fromBytes, N } from './group.js'
import { publicValue, type SrpIdentity, scramble, sessionKey, sharedSecret, signClaim } from './srp.js'
import { readTimestamp } from './timestamp.js'

/** How far a client's clock may be from Cognito's. Cognito does not tell its own measure. */
const maxClockErrorMs = 5 * 60 * 1000

/** What a password is checked against. */
export interface SrpSecret {
  readonly identity: SrpIdentity
  readonly salt: bigint
  readonly verifier: bigint
}

/** One run of SRP, from the client's public value to the signature that proves the password. */
export class SrpExchange {
  /** SALT, SRP_B and SECRET_BLOCK of the challenge. */
  readonly parameters: { readonly SALT: string; readonly SRP_B: string; readonly SECRET_BLOCK: string }
  readonly #secret: SrpSecret
  readonly #key: Buffer

  /** @param srpA the client's public value A, in hexadecimal */
  constructor(secret: SrpSecret, srpA: string) {
    const A = readPublicValue(srpA)
    const b = fromBytes(randomBytes(32)) ?? 0n
    const B = publicValue(secret.verifier, b)
    const u = scramble(A, B)
    this.#secret = secret
    this.#key = sessionKey(sharedSecret(A, secret.verifier, u, b), u)
    this.parameters = {
      SALT: secret.salt.toString(16),
      SRP_B: B.toString(16),
      SECRET_BLOCK: randomBytes(1024).toString('base64'),
    }
  }

  /** Refuses an answer to PASSWORD_VERIFIER or DEVICE_PASSWORD_VERIFIER that does not prove the password. */
  assertProof(responses: AuthParameters, now: number): void {
    const secretBlock = responses.required('PASSWORD_CLAIM_SECRET_BLOCK')
    const signature = responses.required('PASSWORD_CLAIM_SIGNATURE')
    const timestamp = responses.required('TIMESTAMP')
    const time = readTimestamp(timestamp)
    if (time === undefined) {
      throw invalidParameter('TIMESTAMP format should be EEE MMM d HH:mm:ss z yyyy in english.')
    }
    const expected = signClaim(this.#key, this.#secret.identity, this.parameters.SECRET_BLOCK, timestamp)
    const proved = equalSecrets(signature, expected) && secretBlock === this.parameters.SECRET_BLOCK
    if (!proved || Math.abs(time - now) > maxClockErrorMs)
      throw notAuthorized('Incorrect username or password.')
  }
}

/** An A of zero (mod N) would make the shared secret zero, whatever the password. */
function readPublicValue(srpA: string): bigint {
  const A = /^[0-9a-f]{1,1024}$/i.test(srpA) ? BigInt(`0x${srpA}`) : 0n
  if (A % N === 0n) throw invalidParameter('SRP_A is not valid.')
  return A
}
