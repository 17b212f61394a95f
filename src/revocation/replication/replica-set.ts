import { steadyClock } from '../../clock.js'
import { notify } from '../../observer.js'
import type { RevocationStore } from '../store.js'
import { Refill } from './refill.js'
import { Replica, type ReplicaOptions } from './replica.js'

/** The stores of a replicated store; refills those that have lost data. */
export class ReplicaSet {
  readonly replicas: readonly Replica[]
  /** How many answers, or fresh feeds, meet every acknowledged write. */
  readonly readQuorum: number
  readonly options: ReplicaOptions
  readonly #refills = new Map<Replica, Refill>()
  readonly #readers = new Set<() => void>()
  /** To tell what is over, and may have been forgotten rightly. */
  readonly #clock = steadyClock()

  constructor(stores: readonly RevocationStore[], writeQuorum: number, options: ReplicaOptions) {
    this.replicas = stores.map((store, index) => new Replica(store, index + 1, options))
    this.readQuorum = stores.length - writeQuorum + 1
    this.options = options
    options.closing.addEventListener('abort', () => {
      for (const refill of this.#refills.values()) refill.close()
    })
  }

  /**
   * Calls back when the feeds are to be read afresh, from everything: the stores together have lost data.
   *
   * @returns what the reader calls when he goes
   */
  onRestart(restart: () => void): () => void {
    this.#readers.add(restart)
    return () => {
      this.#readers.delete(restart)
      if (this.#readers.size > 0) return
      // Nobody is left who could see that the feed goes on where it was: only a refill can tell.
      for (const replica of this.replicas) {
        const knownAt = replica.doubts.leftKnownAt
        if (knownAt !== undefined) this.lost(replica, knownAt)
      }
    }
  }

  /**
   * A store may have lost data. Its "not revoked" counts again once it has been refilled.
   *
   * @param knownAt when it had everything for sure, by `performance.now()`, -Infinity for never: what was refilled
   *   from it later may lack the same
   */
  lost(target: Replica, knownAt: number): void {
    if (this.options.closing.aborted) return
    this.#refill(target)
    for (const other of this.replicas) {
      if (!other.isLost && other.refilledAt > knownAt) this.#refill(other)
    }
  }

  #refill(target: Replica): void {
    const { timeoutMs, writeBack, observer } = this.options
    if (!target.isLost) notify(observer, { type: 'replica_lost_data', replica: target.number })
    target.isLost = true
    // All that is asked of it from now on is younger.
    target.doubts.settle()
    this.#refills.get(target)?.close()
    const refill = new Refill({
      target,
      sources: this.replicas.filter((replica) => replica !== target),
      timeoutMs,
      writeBack,
      clock: this.#clock,
      observer,
      progressed: () => this.#progressed(target, refill),
    })
    this.#refills.set(target, refill)
    for (const [other, each] of [...this.#refills]) {
      each.distrust(target)
      this.#progressed(other, each)
    }
  }

  #progressed(target: Replica, refill: Refill): void {
    if (this.#refills.get(target) !== refill) return
    const { read } = refill
    // What was acknowledged before the loss is in as many of the others, all but the one, as make up a quorum.
    if (read.whole >= this.readQuorum) {
      this.#refilled(target, refill, true)
      return
    }
    const others = this.replicas.length - 1
    const whole = this.replicas.filter(({ isLost }) => !isLost).length
    // Nobody has all: it gets what there is, and what their readers know.
    if (whole < this.readQuorum && read.all >= Math.min(this.readQuorum, others)) {
      this.#refilled(target, refill, false)
    }
  }

  #refilled(target: Replica, refill: Refill, complete: boolean): void {
    refill.close()
    this.#refills.delete(target)
    target.isLost = false
    target.refilledAt = performance.now()
    const { entries } = refill
    notify(this.options.observer, {
      type: 'replica_refilled',
      replica: target.number,
      entries,
      complete,
    })
    for (const each of this.#refills.values()) each.readAgain(target)
    if (!complete) for (const restart of [...this.#readers]) restart()
  }
}
