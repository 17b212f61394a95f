import { randomUUID } from 'node:crypto'
import { expect } from 'vitest'
import type { Revocation } from '../../src/revocation/revocation.js'
import type { TokenIdentity } from '../../src/tokens/token-identity.js'
import type { Violation } from './checker.js'
import { bundleOf } from './child.js'
import { FleetLog, MAX_STALENESS_MS } from './fleet-log.js'
import { acknowledgedAt, sharedClock } from './history.js'
import { Member } from './member.js'
import type { Engine, WorkerSettings } from './protocol.js'
import { mintTokens, otherRevocations, revocationOf, type TokenSet, VALID_TOKENS } from './tokens.js'
import { until } from './until.js'

/** How often to verify: what each call costs, while no mirror is fresh, these machines must bear. */
const TICK_MS: Record<Engine, number> = {
  ioredis: 20,
  'node-redis': 20,
  http: 120,
  dynamodb: 250,
  'redis and dynamodb': 250,
}

export type MemberSettings = Partial<WorkerSettings> & { readonly wallClockOffsetMs?: number }

export interface FleetOptions {
  /** Where the store is. */
  readonly server: { readonly port: number }
  /** What the store is. Default Redis, by ioredis. */
  readonly client?: Engine
  /** Of the store's keys. Default one that is new. */
  readonly namespace?: string
  /** Revokers beside the four verifiers. Default 1. */
  readonly revokers?: number
  /** What is different for a member. */
  readonly settings?: (name: string) => MemberSettings
}

/** Verifiers and revokers, each a process, that share a Redis; and a record of all that they do. */
export class Fleet {
  readonly namespace: string
  readonly log = new FleetLog()
  readonly members: Member[] = []
  readonly #options: FleetOptions
  readonly #annotate: (note: string) => Promise<unknown>
  readonly #tokens: TokenSet
  readonly #recorded = new Set<string>()
  #nextToken = VALID_TOKENS

  private constructor(options: FleetOptions, tokens: TokenSet, annotate: (note: string) => Promise<unknown>) {
    this.#annotate = annotate
    this.#options = options
    this.namespace = options.namespace ?? `faults-${randomUUID()}`
    this.#tokens = tokens
  }

  static async create(options: FleetOptions, annotate: (note: string) => Promise<unknown>): Promise<Fleet> {
    return new Fleet(options, await mintTokens(), annotate)
  }

  /** Starts all, and revokes two tokens. */
  async start(): Promise<void> {
    const { revokers = 1 } = this.#options
    const revokerNames = Array.from({ length: revokers }, (_, index) => `revoker-${index + 1}`)
    await Promise.all([...this.verifierNames, ...revokerNames].map((name) => this.startMember(name)))
    await this.revoke(2)
    await this.settled()
    await this.phase('before')
  }

  readonly verifierNames: readonly string[] = [1, 2, 3, 4].map((number) => `verifier-${number}`)

  get active(): Member[] {
    return this.members.filter(({ isActive }) => isActive)
  }

  member(name: string): Member {
    const found = this.members.find((member) => member.name === name)
    if (found === undefined) throw new Error(`there is no ${name}`)
    return found
  }

  /** Starts a process under a name that none has had. Until its mirror has caught up, it may be unavailable. */
  async startMember(name: string, { mayWait = false } = {}): Promise<Member> {
    const { server, client = 'ioredis', settings } = this.#options
    const { wallClockOffsetMs = 0, ...own } = settings?.(name) ?? {}
    const { userPoolId, clientId, jwks } = this.#tokens.minter
    const from = sharedClock()
    this.log.history.calls.set(name, [])
    const member = new Member(
      await bundleOf('worker'),
      {
        ...{ name, port: server.port, namespace: this.namespace, maxStalenessMs: MAX_STALENESS_MS },
        ...{
          client,
          heartbeatMs: 200,
          commandTimeoutMs: 500,
          tickMs: TICK_MS[client],
          lookUp: 'mirror',
          store: 'as it is',
        },
        ...{ userPoolId, clientId, jwks, tokens: this.#tokens.tokens },
        ...own,
      },
      wallClockOffsetMs,
      (news) => this.log.take(name, news),
    )
    this.members.push(member)
    await member.started()
    if (mayWait) return member
    await until(
      async () => (await member.status()).stalenessMs !== null,
      () => `${name} has caught up; ${this.#failures()}`,
    )
    const now = sharedClock()
    this.log.history.outages.push({ members: [name], from, healing: now, until: now, recoveryMs: 0 })
    return member
  }

  /** All tokens of which anybody has begun to revoke. */
  get revoked(): TokenIdentity[] {
    return [...this.log.history.revocations.keys()].flatMap((token) => this.#tokens.identities[token] ?? [])
  }

  /** The next tokens that nobody has revoked. */
  next(count: number): number[] {
    const tokens = Array.from({ length: count }, () => this.#nextToken++)
    if (this.#nextToken > this.#tokens.tokens.length) throw new Error('no token is left to be revoked')
    return tokens
  }

  /**
   * Revokes the next tokens, or these; resolves when each of the revokers has acknowledged. Where the outcome
   * is unknown they add again, as they are told to.
   */
  async revoke(count: number | readonly number[], by: readonly string[] = ['revoker-1']): Promise<void> {
    const tokens = typeof count === 'number' ? this.next(count) : count
    const records = this.#recordsOf(tokens)
    await Promise.all(by.map((name) => this.#add(name, records)))
  }

  /** Revokes these, or fails to; what is not acknowledged is not promised. */
  async tryToRevoke(tokens: readonly number[], by: string): Promise<void> {
    const records = this.#recordsOf(tokens)
    await this.member(by)
      .ask({ type: 'add', records, thenDie: false })
      .catch(() => {})
  }

  /** The next are revoked; the revoker dies as soon as it has the store's acknowledgement. */
  async revokeAndDie(count: number, by: string): Promise<void> {
    const records = this.#recordsOf(this.next(count))
    await this.member(by).askLast({ type: 'add', records, thenDie: true })
    expect(records.map(([token]) => acknowledgedAt(this.log.history, token))).not.toContain(Infinity)
  }

  /** Announces what is revoked already, by other records. */
  async announceAgain(recordOf: (tokens: TokenSet, token: number) => Revocation, by: string): Promise<void> {
    const tokens = [...this.log.history.revocations.keys()]
    await this.#add(
      by,
      tokens.map((token) => [token, recordOf(this.#tokens, token)]),
    )
  }

  /** Records revocations of tokens that nobody has, to fill the feed. */
  async revokeOthers(count: number): Promise<void> {
    const records = otherRevocations(this.#tokens, count)
    for (const { scope, id } of records) this.#recorded.add(`${scope} ${id}`)
    await this.#add(
      'revoker-1',
      records.map((record) => [-1, record]),
    )
  }

  /** Waits until every active member has made its calls of each kind. */
  async phase(name: string): Promise<void> {
    const from = sharedClock()
    const members = this.active.map((member) => member.name)
    const idle = () => members.filter((member) => !this.log.hasCalled(member, from))
    await until(
      () => this.#failures() === '' && idle().length === 0,
      () => `calls of ${idle()} in phase "${name}"; ${this.#failures()}`,
    )
    this.log.history.phases.push({ name, members, from, to: sharedClock() })
  }

  /** Waits until every mirror is fresh and knows all, and every member says of every token what is right. */
  async settled(): Promise<void> {
    const startedAt = sharedClock()
    let found = ''
    const fresh = async () => {
      const statuses = await Promise.all(
        this.active.map(async (member) => ({ name: member.name, ...(await member.status()) })),
      )
      found = JSON.stringify(statuses)
      return statuses.every(
        ({ size, stalenessMs }) =>
          size === this.#recorded.size && stalenessMs !== null && stalenessMs < MAX_STALENESS_MS,
      )
    }
    await until(fresh, () => `fresh mirrors of ${this.#recorded.size}, but ${found}; ${this.#failures()}`)
    const freshAt = sharedClock()
    await until(
      () => this.active.every(({ name }) => this.log.isRight(name, startedAt, this.#tokens.tokens.length)),
      () => `right answers of all; ${this.#failures()}`,
    )
    this.log.notes.push(`all mirrors were fresh and whole after ${Math.round(freshAt - startedAt)} ms`)
  }

  /** What promises were broken up to now. */
  violations(): Violation[] {
    return this.log.violations()
  }

  /** Ends the load. @throws where a promise was broken in all that happened */
  async check(): Promise<void> {
    await Promise.all(this.active.map((member) => member.ask({ type: 'stop load' })))
    this.log.noteRecoveries()
    for (const note of this.log.notes) await this.#annotate(note)
    expect(this.#failures()).toBe('')
    expect(this.violations()).toEqual([])
  }

  /** Kills every process. */
  async end(): Promise<void> {
    this.log.close()
    await Promise.all(this.members.map((member) => member.kill()))
  }

  #recordsOf(tokens: readonly number[]): [number, Revocation][] {
    const startedAt = sharedClock()
    return tokens.map((token) => {
      const record = revocationOf(this.#tokens, token)
      this.#recorded.add(`${record.scope} ${record.id}`)
      if (!this.log.history.revocations.has(token)) {
        this.log.history.revocations.set(token, { startedAt, acknowledgements: [] })
      }
      return [token, record]
    })
  }

  async #add(by: string, records: readonly (readonly [number, Revocation])[]): Promise<void> {
    let failure: unknown
    await until(
      () =>
        this.member(by)
          .ask({ type: 'add', records, thenDie: false })
          .then(
            () => true,
            (error) => {
              failure = error
              return false
            },
          ),
      () => `an acknowledgement; ${failure}`,
    )
  }

  #failures(): string {
    return this.members.flatMap(({ failure }) => failure ?? []).join('\n')
  }
}
