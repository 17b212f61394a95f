import { createVerify, type KeyObject, verify } from 'node:crypto'
import { setImmediate } from 'node:timers'
import type { CompactJws } from './compact-jws.js'

/** How many signatures of one turn of the event loop are checked on its thread. */
const HERE_PER_TURN = 4
/** How many are with the thread pool at once: enough to keep its threads at work until the event loop comes round. */
const MAX_ON_POOL = 32
/** How many of those that wait are begun in one turn: of most bad tokens, nothing gets as far as a signature. */
const BEGUN_PER_TURN = 64
/** As it was when this was loaded: what waits must not be stranded by fake timers. */
const atNextTurn = setImmediate

/** Where a signature is checked: on the calling thread, or on libuv's thread pool. */
export type Place = 'here' | 'pool'

/** What is still to be begun, in the order in which it came. */
const waiting = new Set<(place: Place) => void>()
let begun = 0
let doneHere = 0
let onPool = 0
let isTurnWatched = false

/**
 * RS256 (RFC 7518, section 3.3), on the calling thread: about 25 µs for RSA-2048. A `Verify` takes the text as it is,
 * and a little less time than `crypto.verify`.
 */
export function verifySignatureSync(key: KeyObject, { signingInput, signature }: CompactJws): boolean {
  return createVerify('RSA-SHA256').update(signingInput, 'latin1').verify(key, signature)
}

/**
 * RS256, at the place that {@link inTurn} gave.
 *
 * @returns a promise only where there is something to wait for
 */
export function verifySignature(key: KeyObject, jws: CompactJws, place: Place): boolean | Promise<boolean> {
  if (place === 'here') {
    doneHere += 1
    watchTurn()
    return verifySignatureSync(key, jws)
  }
  return new Promise((resolve, reject) => {
    const input = Buffer.from(jws.signingInput, 'latin1')
    verify('RSA-SHA256', input, key, jws.signature, (error, valid) => {
      onPool -= 1
      if (error) reject(error)
      else resolve(valid)
      fillPool(0)
    })
    onPool += 1
  })
}

/**
 * Begins a verification, which ends in {@link verifySignature} at the place that it is given. The first few of a turn of
 * the event loop begin at once, here: that is quicker than a trip to the thread pool. Others begin in the next turn: if
 * they are but a few, here again, else most of them on the pool, as it has room. So a burst keeps both at work, and the
 * event loop goes on.
 *
 * @returns what it returns; a promise if it has to wait
 */
export function inTurn<T>(begin: (place: Place) => T | Promise<T>): T | Promise<T> {
  if (waiting.size === 0 && doneHere < HERE_PER_TURN) return begin('here')
  return new Promise((resolve, reject) => {
    waiting.add((place) => {
      try {
        resolve(begin(place))
      } catch (error) {
        reject(error)
      }
    })
    watchTurn()
  })
}

function beginTurn(): void {
  isTurnWatched = false
  begun = 0
  doneHere = 0
  // First the pool, which is at work while this thread is.
  fillPool(HERE_PER_TURN)
  for (const begin of waiting) {
    if (doneHere >= HERE_PER_TURN || begun >= BEGUN_PER_TURN) break
    waiting.delete(begin)
    begun += 1
    begin('here')
  }
  if (waiting.size > 0) watchTurn()
}

/** @param leave how many to leave for this thread */
function fillPool(leave: number): void {
  for (const begin of waiting) {
    if (waiting.size <= leave || onPool >= MAX_ON_POOL || begun >= BEGUN_PER_TURN) return
    waiting.delete(begin)
    begun += 1
    begin('pool')
  }
}

function watchTurn(): void {
  if (isTurnWatched) return
  atNextTurn(beginTurn)
  isTurnWatched = true
}
