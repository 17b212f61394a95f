import type { APIGatewayProxyEvent, APIGatewayProxyEventV2 } from 'aws-lambda'
import { CognitoRevocationError } from 'cognito-revocation'
import { CognitoTokenClient } from 'cognito-revocation/client'
import { pool, store } from './settings.js'

const client = new CognitoTokenClient({ ...pool, store })

/**
 * POST /logout with the refresh token in a JSON body: ends its session at Cognito and in the store. Behind no
 * authorizer: the refresh token is what proves it, and who tries again has no good access token any more.
 */
export async function handler(event: APIGatewayProxyEvent | APIGatewayProxyEventV2) {
  const refreshToken = refreshTokenOf(event)
  if (refreshToken === undefined) return { statusCode: 400 }
  try {
    // From a request body: that it belongs to a session is learned from Cognito, not believed.
    await client.revokeRefreshToken({ refreshToken, confirmPairing: true })
    return { statusCode: 204 }
  } catch (error) {
    const isOurs = error instanceof CognitoRevocationError
    console.error(isOurs ? error.message : 'logout failed') // other messages may quote a token
    // 503: not wholly done, so nobody is logged out yet; calling again is safe.
    return { statusCode: isOurs ? (error.status ?? 503) : 500 }
  }
}

function refreshTokenOf({ body, isBase64Encoded }: APIGatewayProxyEvent | APIGatewayProxyEventV2) {
  try {
    // An HTTP API encodes the body where its content type is no text.
    const text = Buffer.from(body ?? '', isBase64Encoded ? 'base64' : 'utf8').toString()
    const { refreshToken }: { refreshToken?: unknown } = JSON.parse(text)
    return typeof refreshToken === 'string' && refreshToken !== '' ? refreshToken : undefined
  } catch {
    return undefined
  }
}
