import { optionError } from '../options.js'

const WITH_REGION = /^([a-z]{2}(?:-[a-z]+)+-\d)_[A-Za-z0-9]+$/
const ANY = /^[\w-]+_[0-9a-zA-Z]+$/

/** Checks the form of a user pool id (at most 55 characters, as the API has it). */
export function assertUserPoolId(owner: string, value: unknown): asserts value is string {
  if (typeof value !== 'string' || value.length > 55 || !ANY.test(value)) {
    throw optionError(owner, 'userPoolId', 'a user pool id such as "us-east-1_AbCdEfGhI"', value)
  }
}

/** The Region in a user pool id, or undefined (emulators, China, where there are no Cognito issuers known). */
export function regionOf(userPoolId: string): string | undefined {
  const region = WITH_REGION.exec(userPoolId)?.[1]
  return region?.startsWith('cn-') ? undefined : region
}

/**
 * Both forms of `iss` that Cognito writes for a user pool: the original one, and the one of pools whose
 * IssuerConfiguration is UPDATED (multi-Region). Custom domains never change it.
 *
 * @throws TypeError where the id names no Region: then the option `issuer` must say it
 */
export function cognitoIssuers(owner: string, userPoolId: string): readonly string[] {
  const region = regionOf(userPoolId)
  if (region === undefined) {
    throw optionError(owner, 'issuer', 'given, since the user pool id does not tell an AWS Region')
  }
  return [
    `https://cognito-idp.${region}.amazonaws.com/${userPoolId}`,
    `https://issuer-cognito-idp.${region}.amazonaws.com/${userPoolId}`,
  ]
}
