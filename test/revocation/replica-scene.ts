import { setMaxListeners } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, vi } from 'vitest'
import type { ObserverEvent } from '../../src/observer.js'
import { MemoryRevocationStore } from '../../src/revocation/memory-store.js'
import type { ReplicatedRevocationStoreOptions } from '../../src/revocation/replicated-options.js'
import { ReplicatedRevocationStore } from '../../src/revocation/replicated-store.js'
import type { Revocation, RevocationMatch } from '../../src/revocation/revocation.js'
import type { ChangeBatch, ChangesOptions, RevocationStore } from '../../src/revocation/store.js'
import type { TokenIdentity } from '../../src/tokens/token-identity.js'

/** `hanging` answers nothing while it lasts, `late` after some milliseconds. */
export type State = 'up' | 'down' | 'hanging' | 'late'

const LATE_MS = 5

/** A store in memory that fails, hangs, is late, and loses its data, as the test has it. */
export class ScriptedStore implements RevocationStore {
  memory = new MemoryRevocationStore({ heartbeatMs: 10 })
  adds = 0
  finds = 0
  openings = 0
  /** Feeds that are being read. */
  open = 0
  /** In place of `find`'s own answer. */
  answer: ((token: TokenIdentity) => unknown) | undefined
  /** Before each `add`. */
  beforeAdd: (revocations: readonly Revocation[]) => unknown = () => {}
  #state: State = 'up'
  #changed = new AbortController()

  async add(revocations: readonly Revocation[]): Promise<void> {
    this.adds += 1
    await this.#admit()
    await this.beforeAdd(revocations)
    await this.memory.add(revocations)
    // It may have been recorded though no answer comes.
    await this.#admit()
  }

  async find(token: TokenIdentity): Promise<RevocationMatch | undefined> {
    this.finds += 1
    await this.#admit()
    if (this.answer !== undefined) return this.answer(token) as RevocationMatch | undefined
    return this.memory.find(token)
  }

  async *changes({ after, signal }: ChangesOptions): AsyncGenerator<ChangeBatch> {
    this.openings += 1
    this.open += 1
    try {
      yield* this.#read(after, signal)
    } finally {
      this.open -= 1
    }
  }

  async *#read(after: string | undefined, signal: AbortSignal): AsyncGenerator<ChangeBatch> {
    await this.#admit()
    const { memory } = this
    const ended = AbortSignal.any([signal, this.#changed.signal])
    for await (const batch of memory.changes(
      after === undefined ? { signal: ended } : { after, signal: ended },
    )) {
      yield batch
    }
    if (signal.aborted) return
    await this.#admit()
    throw new Error('the connection was cut')
  }

  /** What hangs goes on now, in whatever state that is; feeds are cut. */
  become(state: State): void {
    this.#state = state
    this.#changed.abort()
    this.#changed = new AbortController()
  }

  /** Comes back empty, or so it seems to those who read its feed. */
  loseData(): void {
    this.memory = new MemoryRevocationStore({ heartbeatMs: 10 })
    this.become(this.#state)
  }

  holds(id: string): boolean {
    return this.memory.findSync(tokenOf(id)) !== undefined
  }

  #change(): Promise<unknown> {
    const { signal } = this.#changed
    // Many may hang at once.
    setMaxListeners(0, signal)
    return new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
  }

  async #admit(): Promise<void> {
    while (this.#state === 'hanging') await this.#change()
    if (this.#state === 'late') await sleep(LATE_MS)
    if (this.#state === 'down') throw new Error('the store is down')
  }
}

/** Goes down, and comes back without its data. */
export async function comeBackEmpty(member: ScriptedStore): Promise<void> {
  member.become('down')
  await sleep(10)
  member.loseData()
  member.become('up')
}

const cleanUps: (() => unknown)[] = []

/** To be done after the test, in the opposite order. */
export function afterTest(cleanUp: () => unknown): void {
  cleanUps.push(cleanUp)
}

afterEach(async () => {
  vi.restoreAllMocks()
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp()
})

/** So many scripted stores as one. */
export function replicate(count: number, options: ReplicatedRevocationStoreOptions = {}) {
  const members = Array.from({ length: count }, () => new ScriptedStore())
  const events: ObserverEvent[] = []
  const store = new ReplicatedRevocationStore(members, {
    observer: (event) => events.push(event),
    // A refill takes at least as long.
    timeoutMs: 1_000,
    ...options,
  })
  afterTest(() => store.close())
  const eventsOf = (type: ObserverEvent['type']) => events.filter((event) => event.type === type)
  return { store, members: members as ScriptedStore[] & [ScriptedStore, ScriptedStore], events, eventsOf }
}

/** Asks again and again until it does not throw. */
export function eventually<T>(check: () => T | Promise<T>): Promise<T> {
  return vi.waitFor(check, { timeout: 10_000, interval: 5 })
}

const expiresAt = Math.floor(Date.now() / 1000) + 3_600

export function sessionOf(id: string, more: Partial<Revocation> = {}): Revocation {
  return { poolId: 'pool', scope: 'session', id, expiresAt, ...more }
}

export function tokenOf(originJti: string): TokenIdentity {
  return { poolId: 'pool', originJti, sub: 'sub', clientId: 'client', iat: expiresAt - 3_600 }
}

/** What a look-up says: revoked, good, or the code of the error. */
export async function verdictOn(store: Pick<RevocationStore, 'find'>, id: string): Promise<string> {
  try {
    return (await store.find(tokenOf(id))) === undefined ? 'good' : 'revoked'
  } catch (error) {
    return (error as { code: string }).code
  }
}

/** Reads a feed, as somebody does who is always there. */
export class FeedLog {
  readonly batches: (ChangeBatch & { readonly readAt: number })[] = []
  readonly ids = new Set<string>()
  readonly ended: Promise<void>
  readonly #abort = new AbortController()

  constructor(store: ReplicatedRevocationStore, after?: string) {
    const { signal } = this.#abort
    this.ended = this.#read(store, after === undefined ? { signal } : { signal, after })
    afterTest(() => this.end())
  }

  get last(): ChangeBatch | undefined {
    return this.batches.at(-1)
  }

  /** How often it began with everything. */
  get restarts(): number {
    return this.batches.filter(({ restarted }) => restarted).length
  }

  /** Reads on until all is known that was acknowledged before this call. */
  async upToDate(): Promise<void> {
    const since = performance.now()
    await eventually(() => {
      const last = this.last
      if (last === undefined || !last.caughtUp || performance.now() - last.ageMs < since)
        throw new Error('old')
    })
  }

  /** Reads on until every single store has been read to its end. */
  async whole(): Promise<void> {
    await eventually(() => {
      if (!this.last?.cursor) throw new Error('not whole yet')
    })
  }

  async end(): Promise<void> {
    this.#abort.abort()
    await this.ended
  }

  async #read(store: ReplicatedRevocationStore, options: ChangesOptions): Promise<void> {
    if (store.changes === undefined) throw new TypeError('no feed')
    for await (const batch of store.changes(options)) {
      this.batches.push(Object.assign(batch, { readAt: performance.now() }))
      for (const { id } of batch.revocations) this.ids.add(id)
    }
  }
}
