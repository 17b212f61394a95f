import type { RevocationStore } from '../../revocation/store.js'
import { CONCURRENCY } from './concurrency.js'
import { FEED } from './feed.js'
import { AGE } from './feed-age.js'
import { CONTENTS } from './feed-contents.js'
import { CURSORS } from './feed-cursors.js'
import { READERS } from './feed-readers.js'
import { createFixture, type StoreTest } from './fixture.js'
import { LOOK_UPS } from './look-ups.js'
import { MERGES, REFUSALS } from './writes.js'

/** A store to be tested. */
export interface StoreUnderTest {
  readonly store: RevocationStore
  /**
   * Makes another store object on the same engine, as another process has it, for tests of what two processes
   * do at once. The suite closes it. Default: the same object twice, which is right for a store that lives in
   * one process, or that answers out of its own memory (a mirror, a cache).
   */
  readonly another?: () => Promise<RevocationStore>
  /** Called after each test, also after a failed one. Default: closes the store. */
  readonly close?: () => Promise<void>
}

/** What a store is to have. */
export interface StoreConformanceOptions {
  /** Whether it has a change feed (`changes`), which a mirror needs. Default true. */
  readonly feed?: boolean
  /** How long its feed may take to deliver what a test waits for, in milliseconds. Default 10,000. */
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
  const feedTests = { ...FEED, ...AGE, ...CURSORS, ...CONTENTS, ...READERS }
  const tests = { ...LOOK_UPS, ...MERGES, ...REFUSALS, ...CONCURRENCY, ...(feed ? feedTests : {}) }
  return Object.entries(tests).map(([name, test]) => ({
    name,
    run: () => runTest(test, create, feedDeadlineMs),
  }))
}

async function runTest(
  test: StoreTest,
  create: () => Promise<StoreUnderTest>,
  feedDeadlineMs: number,
): Promise<void> {
  const { store, another: createAnother, close = async () => store.close?.() } = await create()
  const others: RevocationStore[] = []
  const another = async () => {
    if (createAnother === undefined) return store
    const other = await createAnother()
    others.push(other)
    return other
  }
  try {
    await test(store, createFixture({ feedDeadlineMs, another }))
  } finally {
    for (const other of others) await other.close?.()
    await close()
  }
}
