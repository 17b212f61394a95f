/** The two forms of a pool's issuer, as `IssuerConfiguration.Type` has them. */
export type IssuerType = 'ORIGINAL' | 'UPDATED'

/** A pool's `iss` in each form. Cognito publishes the same keys under both. */
export type Issuers = Record<IssuerType, string>

/** As Cognito has them. */
export function cognitoIssuers(region: string, userPoolId: string): Issuers {
  return {
    ORIGINAL: `https://cognito-idp.${region}.amazonaws.com/${userPoolId}`,
    UPDATED: `https://issuer-cognito-idp.${region}.amazonaws.com/${userPoolId}`,
  }
}

/** On one host they differ by their paths. */
export function loopbackIssuers(url: string, userPoolId: string): Issuers {
  return { ORIGINAL: `${url}/${userPoolId}`, UPDATED: `${url}/issuer-cognito-idp/${userPoolId}` }
}
