import type { CognitoApi } from './cognito-api.js'
import { SignInCall } from './sign-in-call.js'
import {
  type ChoiceSignInInput,
  type CustomSignInInput,
  checkSignInInput,
  isAdmin,
  type SignInInput,
} from './sign-in-input.js'
import type { SignInResult } from './sign-in-result.js'

/** InitiateAuth or AdminInitiateAuth, and what can be answered at once. */
export async function signIn(api: CognitoApi, input: SignInInput): Promise<SignInResult> {
  checkSignInInput(input)
  const { username, password, flow = 'USER_PASSWORD_AUTH' } = input
  const admin = isAdmin(input)
  const maySendPassword = input.flow === 'USER_AUTH' && input.preferredChallenge !== 'PASSWORD_SRP'
  const call = new SignInCall(api, { username, admin, password, maySendPassword, input })
  switch (input.flow) {
    case 'USER_SRP_AUTH':
      return call.initiate(input.flow, { SRP_A: await call.srpA() })
    case 'CUSTOM_AUTH':
      return call.initiate(input.flow, await customParameters(call, input))
    case 'USER_AUTH':
      return call.initiate(input.flow, await choiceParameters(call, input), input.session)
    default:
      return call.initiate(flow === 'ADMIN_NO_SRP_AUTH' ? 'ADMIN_USER_PASSWORD_AUTH' : flow, {
        PASSWORD: input.password,
      })
  }
}

async function customParameters(call: SignInCall, { password }: CustomSignInInput) {
  return password === undefined ? {} : { CHALLENGE_NAME: 'SRP_A', SRP_A: await call.srpA() }
}

async function choiceParameters(call: SignInCall, input: ChoiceSignInInput): Promise<Record<string, string>> {
  const { preferredChallenge, password, accessToken, targetAcrValues, maxAgeSeconds } = input
  return {
    ...(preferredChallenge === undefined ? {} : { PREFERRED_CHALLENGE: preferredChallenge }),
    ...(preferredChallenge === 'PASSWORD' && password !== undefined ? { PASSWORD: password } : {}),
    ...(preferredChallenge === 'PASSWORD_SRP' && password !== undefined ? { SRP_A: await call.srpA() } : {}),
    ...(accessToken === undefined ? {} : { ACCESS_TOKEN: accessToken }),
    ...(targetAcrValues === undefined ? {} : { TARGET_ACR_VALUES: targetAcrValues.join(' ') }),
    ...(maxAgeSeconds === undefined ? {} : { MAX_AGE: String(maxAgeSeconds) }),
  }
}
