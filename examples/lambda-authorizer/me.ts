import { readAuthorizerContext } from 'cognito-revocation/lambda'

/** GET /me: behind the authorizer, which hands on what it knows of the caller. */
export async function handler(event: unknown) {
  const { sub, scopes, groups } = readAuthorizerContext(event)
  return {
    statusCode: 200,
    headers: { 'content-type': 'application/json', 'cache-control': 'no-store' },
    body: JSON.stringify({ sub, scopes, groups }),
  }
}
