import { type KeyObject, verify } from 'node:crypto'
import type { CompactJws } from './compact-jws.js'

/** How many signatures of one turn of the event loop are verified at once, before the thread pool is used. */
const SYNCHRONOUS_PER_TURN = 4

let verifiedInThisTurn = 0

/** RS256 (RFC 7518, section 3.3), on the calling thread: about 40 µs for RSA-2048. */
export function verifySignatureSync(key: KeyObject, jws: CompactJws): boolean {
  return verify('RSA-SHA256', jws.signingInput, key, jws.signature)
}

/**
 * RS256, with the first few of a turn on the calling thread, which is quicker than a trip to the thread
 * pool, and the rest of a burst on the pool, so that the event loop goes on.
 */
export function verifySignature(key: KeyObject, jws: CompactJws): boolean | Promise<boolean> {
  if (verifiedInThisTurn < SYNCHRONOUS_PER_TURN) {
    if (verifiedInThisTurn++ === 0) {
      setImmediate(() => {
        verifiedInThisTurn = 0
      })
    }
    return verifySignatureSync(key, jws)
  }
  return new Promise((resolve, reject) => {
    verify('RSA-SHA256', jws.signingInput, key, jws.signature, (error, valid) => {
      if (error) reject(error)
      else resolve(valid)
    })
  })
}
