import type { RevocationStore } from '../../revocation/store.js'
import { FEED } from './feed.js'
import { createFixture } from './fixture.js'
import { LOOK_UPS } from './look-ups.js'
import { MERGES, REFUSALS } from './writes.js'

/** A store to be tested. */
export interface StoreUnderTest {
  readonly store: RevocationStore
  /** Called after each test, also after a failed one. Default: closes the store. */
  readonly close?: () => Promise<void>
}

/** What a store is to have. */
export interface StoreConformanceOptions {
  /** Whether it has a change feed (`changes`), which a mirror needs. Default true. */
  readonly feed?: boolean
  /** How long its feed may take to deliver what was added, in milliseconds. Default 10,000. */
  readonly feedDeadlineMs?: number
}

/** One test, for whichever runner: it passes when `run` resolves. */
export interface ConformanceTest {
  readonly name: string
  readonly run: () => Promise<void>
}

/**
 * What every {@link RevocationStore} must do, as tests for any runner. Each test asks for a store of its own
 * (it may share an engine with others: every test has pools of its own).
 *
 * @example
 * import { storeConformanceTests } from 'cognito-revocation/testing'
 * describe('MyStore', () => {
 *   for (const { name, run } of storeConformanceTests(async () => ({ store: new MyStore() }))) it(name, run)
 * })
 */
export function storeConformanceTests(
  create: () => Promise<StoreUnderTest>,
  { feed = true, feedDeadlineMs = 10_000 }: StoreConformanceOptions = {},
): readonly ConformanceTest[] {
  return Object.entries({ ...LOOK_UPS, ...MERGES, ...REFUSALS, ...(feed ? FEED : {}) }).map(
    ([name, test]) => ({
      name,
      run: async () => {
        const { store, close = () => store.close?.() } = await create()
        try {
          await test(store, createFixture(feedDeadlineMs))
        } finally {
          await close()
        }
      },
    }),
  )
}
