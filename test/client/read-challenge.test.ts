import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readChallenge } from '../../src/client/read-challenge.js'
import { CognitoError } from '../../src/errors.js'

const NAMES = [
  ...['NEW_PASSWORD_REQUIRED', 'SOFTWARE_TOKEN_MFA', 'SMS_MFA', 'SMS_OTP', 'EMAIL_OTP', 'SELECT_CHALLENGE'],
  ...['SELECT_MFA_TYPE', 'CUSTOM_CHALLENGE', 'MFA_SETUP', 'PASSWORD', 'PASSWORD_SRP', 'WEB_AUTHN'],
  ...['DEVICE_SRP_AUTH', 'NEWER', '__proto__', 'constructor', 'toString', ''],
]
const PARAMETERS = [
  ...['requiredAttributes', 'userAttributes', 'MFAS_CAN_CHOOSE', 'MFAS_CAN_SETUP', 'FRIENDLY_DEVICE_NAME'],
  ...['CREDENTIAL_REQUEST_OPTIONS', 'CODE_DELIVERY_DESTINATION', 'USERNAME', 'USER_ID_FOR_SRP', '__proto__'],
]

describe('Whatever Cognito asks', () => {
  const user = { username: 'jane', admin: false }
  const texts = fc.oneof(
    fc.string(),
    fc.json(),
    fc.jsonValue().map((value) => JSON.stringify(value)),
  )

  it('becomes a challenge that JSON can keep, or an error that quotes nothing', () => {
    const asked = fc.record({
      name: fc.constantFrom(...NAMES),
      parameters: fc.dictionary(fc.constantFrom(...PARAMETERS), texts),
      session: fc.option(fc.string(), { nil: undefined }),
    })
    fc.assert(
      fc.property(asked, ({ name, parameters, session }) => {
        const output = {
          operation: 'InitiateAuth',
          ChallengeName: name,
          ChallengeParameters: parameters,
          Session: session,
        }
        try {
          const challenge = readChallenge(output as never, user)
          expect(challenge).toMatchObject({ status: 'challenge', challengeName: name, username: 'jane' })
          const kept = JSON.stringify(challenge)
          expect(JSON.stringify(JSON.parse(kept))).toBe(kept)
          expect(challenge.session).toBe(session)
        } catch (error) {
          expect(error).toBeInstanceOf(CognitoError)
          const { message, cause } = error as Error
          expect(cause).toBeUndefined()
          expect(message).toMatch(
            /^InitiateAuth: the parameter \w+ of Cognito's challenge \w+ is not what it must be$/,
          )
        }
      }),
    )
  })
})
