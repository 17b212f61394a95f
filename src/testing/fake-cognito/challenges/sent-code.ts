import { randomInt } from 'node:crypto'
import { CognitoException } from '../exceptions.js'
import type { User } from '../users.js'
import type { Challenge, Next } from './challenge.js'

/** The challenges that ask for a code sent by SMS or e-mail. EMAIL_OTP is a first or a second factor. */
export type SentCodeName = 'SMS_MFA' | 'SMS_OTP' | 'EMAIL_OTP'

/** Sends a code, of six digits as a second factor and of eight as the first, and asks for it. */
export function sentCode(user: User, name: SentCodeName, digits: 6 | 8, next: Next): Challenge {
  const code = String(randomInt(10 ** digits)).padStart(digits, '0')
  user.lastCode = code
  return {
    name,
    parameters: deliveryOf(user, name),
    sentCode: true,
    answer: (responses) => {
      if (responses.required(`${name}_CODE`) !== code) throw codeMismatch()
      return next()
    },
  }
}

export function codeMismatch(): CognitoException {
  return new CognitoException('CodeMismatchException', 'Invalid code or auth state for the user.')
}

function deliveryOf(
  { email = '', phoneNumber = '' }: User,
  name: SentCodeName,
): Readonly<Record<string, string>> {
  const [local = '', domain = ''] = email.split('@')
  return name === 'EMAIL_OTP'
    ? {
        CODE_DELIVERY_DELIVERY_MEDIUM: 'EMAIL',
        CODE_DELIVERY_DESTINATION: `${local.slice(0, 1)}***@${domain.slice(0, 1)}***`,
      }
    : {
        CODE_DELIVERY_DELIVERY_MEDIUM: 'SMS',
        CODE_DELIVERY_DESTINATION: `+*******${phoneNumber.slice(-4)}`,
      }
}
