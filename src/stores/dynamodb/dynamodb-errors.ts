import { CognitoRevocationError, StoreProtocolError, StoreUnavailableError } from '../../errors.js'

/** Thrown in a call that DynamoDB has answered in part. It is tried again, for the rest. */
export class UnprocessedError extends Error {
  constructor() {
    super('DynamoDB left a part of the request unprocessed')
  }
}

/** By name: throttled, or failed inside. */
const TRANSIENT = new Set([
  ...['ProvisionedThroughputExceededException', 'ThrottlingException', 'Throttling', 'ThrottledException'],
  ...['RequestLimitExceeded', 'TooManyRequestsException', 'LimitExceededException', 'SlowDown'],
  ...['InternalServerError', 'InternalServerException', 'InternalFailure', 'ServiceUnavailable'],
  ...['ServiceUnavailableException', 'TransactionConflictException', 'TransactionInProgressException'],
  ...['ReplicatedWriteConflictException', 'TimeoutError', 'RequestTimeout', 'RequestTimeoutException'],
])

/** Of a network that failed before an answer was there. */
const NETWORK = new Set(['ECONNRESET', 'ECONNREFUSED', 'EPIPE', 'ETIMEDOUT', 'EAI_AGAIN', 'EHOSTUNREACH'])

/** Whether the same request may fare better soon. */
export function isTransient(error: unknown): boolean {
  if (error instanceof UnprocessedError) return true
  if (!(error instanceof Error)) return false
  const { code, $metadata } = error as { code?: unknown; $metadata?: { httpStatusCode?: unknown } }
  const status = $metadata?.httpStatusCode
  const isServers = typeof status === 'number' && (status >= 500 || status === 429)
  return isServers || TRANSIENT.has(error.name) || NETWORK.has(String(code))
}

export function isNamed(error: unknown, name: string): boolean {
  return error instanceof Error && error.name === name
}

/**
 * What the client threw, without the response that it hangs on its errors, and no more than the first line: where
 * a signature does not match, DynamoDB quotes the signed headers, and in them the session token.
 */
function plainError(error: unknown): Error {
  if (!(error instanceof Error)) return new Error('something that is no error')
  const plain = new Error((error.message.split('\n', 1)[0] ?? '').slice(0, 500))
  plain.name = error.name
  return plain
}

/** An error of this library for whatever a client of DynamoDB threw. */
export function storeError(error: unknown): CognitoRevocationError {
  if (error instanceof CognitoRevocationError) return error
  const cause = plainError(error)
  switch (cause.name) {
    case 'ResourceNotFoundException':
      return new StoreUnavailableError('There is no such DynamoDB table here: see createTable', { cause })
    case 'AccessDeniedException':
      return new StoreUnavailableError(
        'DynamoDB does not permit that: see the IAM policies in docs/dynamodb.md',
        {
          cause,
        },
      )
    case 'ValidationException':
      return new StoreProtocolError('DynamoDB took the request for invalid: is it a table of createTable?', {
        cause,
      })
    default:
      return new StoreUnavailableError(`DynamoDB could not be asked: ${cause.name}: ${cause.message}`, {
        cause,
      })
  }
}

/** For whatever is not in the protocol of this store. */
export function unexpected(): StoreProtocolError {
  return new StoreProtocolError('DynamoDB answered something that this store did not write')
}
