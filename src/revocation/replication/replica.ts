import { notify, type Observer } from '../../observer.js'
import type { ChangeBatch, ChangesOptions, RevocationStore } from '../store.js'
import { Doubts } from './doubts.js'
import { LateWrites } from './late-writes.js'

/** What all replicas of a store share. */
export interface ReplicaOptions {
  readonly timeoutMs: number
  /** Whether to give back to a store what it has lost, or to wait until others have. */
  readonly writeBack: boolean
  readonly observer: Observer | undefined
  readonly closing: AbortSignal
}

/** One of the stores of a replicated store, and what is known of its state. */
export class Replica {
  readonly store: RevocationStore
  /** Which of the stores it is, counted from 1. */
  readonly number: number
  readonly lateWrites: LateWrites
  readonly doubts = new Doubts()
  /** Whether it may have lost data, and has not been refilled yet. */
  isLost = false
  /** When it was refilled last, by `performance.now()`. */
  refilledAt = Number.NEGATIVE_INFINITY
  readonly #observer: Observer | undefined
  #isAvailable = true

  constructor(store: RevocationStore, number: number, options: ReplicaOptions) {
    this.store = store
    this.number = number
    this.#observer = options.observer
    this.lateWrites = new LateWrites({ store, replica: number, ...options })
  }

  /** Its feed. @throws TypeError where it has none */
  changes(options: ChangesOptions): AsyncIterable<ChangeBatch> {
    const { changes } = this.store
    if (changes === undefined) throw new TypeError(`Store ${this.number} has no change feed`)
    return changes.call(this.store, options)
  }

  /** @throws Error where it may have lost data, so that "not revoked" says nothing */
  assertBelievable(): void {
    if (this.isLost) throw new Error(`Store ${this.number} may have lost data, and is being refilled`)
    if (this.doubts.exist) {
      throw new Error(`Store ${this.number} may have lost data: its change feed has failed`)
    }
  }

  /**
   * @param askedAt when it was asked, by `performance.now()`
   * @throws Error where its "not revoked" says nothing: as {@link assertBelievable}, or where it was asked before it
   *   was refilled
   */
  assertBelievableSince(askedAt: number): void {
    this.assertBelievable()
    if (askedAt < this.refilledAt) throw new Error(`Store ${this.number} was asked before it was refilled`)
  }

  /** Takes down that a look-up was answered, or why it was not. */
  answered(error?: Error): void {
    const wasAvailable = this.#isAvailable
    this.#isAvailable = error === undefined
    if (error !== undefined && wasAvailable) {
      notify(this.#observer, { type: 'replica_unavailable', replica: this.number, error })
    }
  }
}
