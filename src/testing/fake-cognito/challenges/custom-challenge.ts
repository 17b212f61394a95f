import { equalSecrets } from '../client-secrets.js'
import { notAuthorized } from '../exceptions.js'
import type { CustomChallenge } from '../sign-ins.js'
import type { Next, SignIn, Step } from './challenge.js'

/** CUSTOM_CHALLENGE, one after the other; a wrong ANSWER ends the sign-in. */
export function customChallenge(
  signIn: SignIn,
  [first, ...others]: readonly CustomChallenge[],
  next: Next,
): Step | Promise<Step> {
  if (first === undefined) return next()
  return {
    name: 'CUSTOM_CHALLENGE',
    parameters: { USERNAME: signIn.user.username, ...first.parameters },
    answer: (responses) => {
      if (!equalSecrets(responses.required('ANSWER'), first.answer)) {
        throw notAuthorized('Incorrect username or password.')
      }
      return customChallenge(signIn, others, next)
    },
  }
}
