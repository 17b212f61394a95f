import {
  CognitoRevocationError,
  StoreFullError,
  StoreProtocolError,
  StoreUnavailableError,
} from '../../errors.js'

/**
 * What a client of Redis threw, without what it hangs on its errors: the command, and in that of a refused
 * AUTH the password.
 */
export function plainError(error: unknown): Error {
  if (!(error instanceof Error)) return new Error(String(error))
  const { lastNodeError } = error as { lastNodeError?: unknown }
  const last = lastNodeError instanceof Error ? `: ${lastNodeError.message}` : ''
  const plain = new Error(`${error.message}${last}`)
  plain.name = error.name
  return plain
}

/** What Redis 7.0, and later ones, say where a script may be run, but not a command in it. */
const DENIED_IN_SCRIPT = /^ERR (?:The user executing the script can't|ACL failure in script)/

/** An error of this library for whatever a client of Redis threw. */
export function storeError(error: unknown): CognitoRevocationError {
  if (error instanceof CognitoRevocationError) return error
  const cause = plainError(error)
  // Redis begins an error with a code; one out of a script it may put ERR before.
  const code = DENIED_IN_SCRIPT.test(cause.message) ? 'NOPERM' : /^(?:ERR )?([A-Z]+)/.exec(cause.message)?.[1]
  switch (code) {
    case 'LAYOUT':
      return new StoreProtocolError(
        'This Redis holds the namespace in another layout: give all stores the same number of shards, or a ' +
          'namespace of their own',
        { cause },
      )
    case 'LOST':
      return lostError(cause)
    case 'OOM':
      return new StoreFullError('Redis has no memory left: raise maxmemory, and call again', { cause })
    case 'READONLY':
      return new StoreUnavailableError('This Redis is a replica: connect to the primary', { cause })
    case 'NOPERM':
      return new StoreUnavailableError('Redis does not permit this user to do that: see its ACL', { cause })
    default:
      return new StoreUnavailableError(`Redis could not be asked: ${cause.message}`, { cause })
  }
}

/** For data of which a part is gone. */
export function lostError(cause?: Error): StoreProtocolError {
  return new StoreProtocolError(
    'Redis has lost revocations, by eviction or by hand: set maxmemory-policy to noeviction. Mirrors that ' +
      'know them write them back; else revoke again what was revoked',
    cause && { cause },
  )
}

/** For whatever is not in the protocol of this store. */
export function unexpected(): StoreProtocolError {
  return new StoreProtocolError('Redis answered something that this store did not write')
}
