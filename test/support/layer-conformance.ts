import {
  type ConformanceTest,
  type StoreConformanceOptions,
  type StoreUnderTest,
  storeConformanceTests,
} from '../../src/testing/index.js'

/** Of the tests of a feed, the one that compares what comes by it with what is found. */
const COMPARISON = 'delivers what, merged in any order, is what it finds'

/**
 * The conformance tests for a mirror, or a cache, over a store that is tested by itself: its feed is the store's own
 * one, passed through. What it finds is made of what that feed delivers.
 */
export function layerConformanceTests(
  create: () => Promise<StoreUnderTest>,
  options?: StoreConformanceOptions,
): readonly ConformanceTest[] {
  const lookUps = storeConformanceTests(create, { ...options, feed: false })
  const comparison = storeConformanceTests(create, options).find(({ name }) => name === COMPARISON)
  if (comparison === undefined) throw new Error(`there is no test named ${COMPARISON}`)
  return [...lookUps, comparison]
}
