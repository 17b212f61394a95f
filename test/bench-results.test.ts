import { describe, expect, it } from 'vitest'
import { describeEnvironment, mergeResults, toMarkdown } from '../scripts/bench-results.mjs'

type Entry = Parameters<typeof mergeResults>[2]

const machine = { cpu: 'Some CPU', cores: 2, memoryGiB: 8, system: 'Linux 6.1.0' }
const environment = { node: '20.19.0', machine, libraries: { jose: '6.2.0', 'fast-jwt': '6.3.0' } }

const ratio: Entry['figures'][number] = {
  ...{ heading: 'A look-up', name: 'there', value: 123.456_78, reference: 246.913_56, ratio: 0.5 },
  ...{ unit: 'ns', atMost: 0.6, reached: true },
}
const speed: Entry['figures'][number] = {
  ...{ heading: 'Another', name: 'of a|b', value: 2, reference: 3, speed: 1.5, unit: 'ms', atLeast: 2 },
  reached: false,
}
const bare: Entry['figures'][number] = { heading: 'Another', name: 'alone', value: 7, unit: 'MiB' }

function entryOf(...figures: Entry['figures']): Entry {
  return { date: '2026-01-02', servers: {}, environment, figures }
}

describe('the results that benchmarks are kept in', () => {
  it('replace those of the same benchmark, and leave others as they are', () => {
    const saved = mergeResults(mergeResults({}, 'redis-find', entryOf(ratio)), 'hot-verify', entryOf(speed))
    const later = { ...entryOf(bare), date: '2026-03-04' }
    const merged = mergeResults(saved, 'hot-verify', later)
    expect(merged['hot-verify']).toEqual(later)
    expect(merged['redis-find']).toEqual(saved['redis-find'])
  })

  it('are in the order of the names, whatever was saved first', () => {
    const merged = mergeResults(mergeResults({}, 'redis-find', entryOf(ratio)), 'hot-verify', entryOf(speed))
    expect(Object.keys(merged)).toEqual(['hot-verify', 'redis-find'])
  })

  it('are no more exact than four digits', () => {
    const [figure] = mergeResults({}, 'mirror-lookup', entryOf(ratio))['mirror-lookup']?.figures ?? []
    expect(figure).toMatchObject({ value: 123.5, reference: 246.9, ratio: 0.5, reached: true })
  })

  it('say what kind of machine it was, not which, nor where the project is on it', () => {
    const { machine: described, ...rest } = describeEnvironment()
    expect(Object.keys(described)).toEqual(['cpu', 'cores', 'memoryGiB', 'system'])
    expect(Object.keys(rest)).toEqual(['node', 'libraries'])
    expect(JSON.stringify(rest)).not.toContain(process.cwd())
  })
})

describe('the results as Markdown', () => {
  const results = {
    'hot-verify': { ...entryOf(ratio, speed, bare), servers: { 'redis-server': '7.2.0' } },
    'mirror-lookup': { ...entryOf(bare), date: '2026-03-04' },
  }
  const lines = toMarkdown(results).split('\n')

  it('tell where they were measured, once for all benchmarks of one place', () => {
    expect(lines.filter((line) => line === '## Node.js 20.19.0 on Some CPU')).toHaveLength(1)
    expect(lines).toContain('2 cores, 8 GiB of memory, Linux 6.1.0.')
    expect(lines).toContain('With jose 6.2.0, fast-jwt 6.3.0.')
  })

  it('set those of another place apart', () => {
    const other = { ...entryOf(bare), environment: { ...environment, node: '20.20.0' } }
    const markdown = toMarkdown({ ...results, 'redis-find': other })
    expect(markdown.match(/^## .*/gm)).toEqual([
      '## Node.js 20.19.0 on Some CPU',
      '## Node.js 20.20.0 on Some CPU',
    ])
  })

  it('have a table for each benchmark, with its date, its servers, and a line for each figure', () => {
    const start = lines.indexOf('### hot-verify')
    expect(lines.slice(start, lines.indexOf('### mirror-lookup'))).toEqual([
      '### hot-verify',
      '',
      '2026-01-02, redis-server 7.2.0',
      '',
      '| what | measured | compared with | | to be | |',
      '| --- | ---: | ---: | --- | --- | --- |',
      '| **A look-up** | | | | | |',
      '| there | 123.45678 ns | 246.91356 ns | ratio 0.5 | at most 0.6 | reached |',
      '| **Another** | | | | | |',
      '| of a\\|b | 2 ms | 3 ms | speed 1.5 | at least 2 | **not reached** |',
      '| alone | 7 MiB |  |  |  |  |',
      '',
    ])
  })

  it('tell what was skipped', () => {
    const skipped = { ...entryOf(bare), skipped: 'skipped: there is no redis-server here' }
    expect(toMarkdown({ 'cold-verify': skipped })).toContain(
      '\n2026-01-02, skipped: there is no redis-server here\n',
    )
  })

  it('say how many bounds are kept', () => {
    expect(lines).toContain('Of 2 figures with a bound, 1 are reached.')
  })
})
