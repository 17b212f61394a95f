import type { SignIn, Step } from '../challenges/challenge.js'
import type { Pool } from '../pool.js'

/** A step of a sign-in as InitiateAuth and RespondToAuthChallenge answer it: a challenge, or the tokens. */
export function answerOf(pool: Pool, signIn: SignIn, step: Step): object {
  if ('authenticationResult' in step) {
    return { ChallengeParameters: {}, AuthenticationResult: step.authenticationResult }
  }
  return {
    ChallengeName: step.name,
    Session: pool.signIns.sessions.issue(signIn, step),
    ChallengeParameters: step.parameters,
    ...(step.availableChallenges === undefined ? {} : { AvailableChallenges: step.availableChallenges }),
  }
}
