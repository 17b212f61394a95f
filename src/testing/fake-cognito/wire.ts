import { randomUUID } from 'node:crypto'
import { CognitoException } from './exceptions.js'

const contentType = 'application/x-amz-json-1.1'

/** The operation that a request asks for, or undefined if it isn't in Cognito's protocol. */
export function operationOf(request: Request): string | undefined {
  if (request.method !== 'POST' || !request.headers.get('content-type')?.startsWith(contentType))
    return undefined
  return /^AWSCognitoIdentityProviderService\.(\w+)$/.exec(request.headers.get('x-amz-target') ?? '')?.[1]
}

/** The parameters that a request carries, or undefined if its body is no JSON object. */
export async function parametersOf(request: Request): Promise<Readonly<Record<string, unknown>> | undefined> {
  try {
    const value: unknown = JSON.parse(await request.text())
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
    return isObject ? (value as Readonly<Record<string, unknown>>) : undefined
  } catch {
    return undefined
  }
}

/** An operation's answer. */
export function createAnswer(body: object, now: number): Response {
  return createResponse(200, body, now, { 'content-type': contentType })
}

/** A plain JSON document, as the pool's public addresses give it. */
export function createDocument(body: object, now: number): Response {
  return createResponse(200, body, now, { 'content-type': 'application/json' })
}

/** A refusal: the exception's name stands in the header and in the body, by which SDKs differ. */
export function createRefusal(exception: CognitoException, now: number): Response {
  const { name, message, status } = exception
  return createResponse(status, { __type: name, message }, now, {
    'content-type': contentType,
    'x-amzn-errortype': `${name}:`,
    // A header can't carry everything that a message can.
    'x-amzn-errormessage': message.replace(/[^\x20-\x7e]/g, '?'),
  })
}

/** Whatever was thrown, as a refusal. */
export function toException(error: unknown): CognitoException {
  if (error instanceof CognitoException) return error
  return new CognitoException('InternalErrorException', `FakeCognito itself failed: ${String(error)}`)
}

function createResponse(
  status: number,
  body: object,
  now: number,
  headers: Readonly<Record<string, string>>,
): Response {
  return new Response(JSON.stringify(body), {
    status,
    headers: { ...headers, date: new Date(now).toUTCString(), 'x-amzn-requestid': randomUUID() },
  })
}
