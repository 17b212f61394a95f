/**
 * HTTP Basic as Cognito reads it: the plain base64 of id and secret. RFC 6749 (section 2.3.1) would have both
 * percent-encoded first, which would garble a secret with a `+` (Cognito developer guide, "The token revocation
 * endpoint").
 */
export function basicAuthorization(clientId: string, clientSecret: string): string {
  return `Basic ${Buffer.from(`${clientId}:${clientSecret}`, 'utf8').toString('base64')}`
}
