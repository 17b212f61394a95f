import { describe, expect, it } from 'vitest'
import { type Chart, drawChart } from '../bench/chart.js'

const chart: Chart = {
  title: 'Growth <of> "a" & b',
  description: 'Node 20 & more',
  panels: [
    {
      title: 'Time',
      xLabel: 'revocations',
      yLabel: 'ns',
      yScale: 'linear',
      series: [
        {
          name: 'mirror <1>',
          points: [
            [1e4, 0],
            [1e5, 312],
            [1e7, 803.5],
          ],
        },
        { name: 'Map', points: [[1e4, 1_000]] },
      ],
    },
    {
      title: 'Memory',
      xLabel: 'revocations',
      yLabel: 'MB',
      yScale: 'logarithmic',
      series: [
        {
          name: 'all',
          points: [
            [1, 0.04],
            [1_000, 12_345],
          ],
        },
      ],
    },
  ],
}

function withPoint(yScale: 'linear' | 'logarithmic', point: readonly [number, number]): Chart {
  const panel = { title: 'One', xLabel: 'x', yLabel: 'y', yScale, series: [{ name: 'one', points: [point] }] }
  return { title: 'One', description: 'One point', panels: [panel] }
}

/** What is wrong with it as XML, of the little that a chart uses of it. */
function faultsOf(xml: string): string[] {
  const faults: string[] = []
  const open: string[] = []
  let elements = 0
  const rest = xml.replaceAll(
    /<(\/?)([a-z]+)((?: [\w:-]+="[^"<]*")*) ?(\/?)>/gi,
    (_, end, name, __, empty) => {
      elements += 1
      if (end === '/') {
        if (open.pop() !== name) faults.push(`</${name}> ends another element`)
      } else if (empty === '') open.push(name)
      return ''
    },
  )
  if (elements === 0) faults.push('there are no elements')
  if (open.length > 0) faults.push(`${open.join(', ')} have no end`)
  if (/[<>]/.test(rest)) faults.push('there is a tag that is none')
  if (/&(?!(?:amp|lt|gt|quot);)/.test(xml)) faults.push('there is a bare &')
  return faults
}

function numbersOf(svg: string, pattern: RegExp): number[] {
  return [...svg.matchAll(pattern)].map(([, value]) => Number(value))
}

describe('drawChart', () => {
  it('gives well-formed XML, whatever the texts say', () => {
    expect(faultsOf(drawChart(chart))).toEqual([])
    expect(drawChart(chart)).toContain('Growth &lt;of&gt; &quot;a&quot; &amp; b')
  })

  it('leaves out of texts what XML cannot say', () => {
    expect(drawChart({ ...chart, title: 'a\u0000b\u001b' })).toContain('<title id="title">a b </title>')
  })

  it('has every point, and everything else, in its view box', () => {
    const svg = drawChart(chart)
    const [width = 0] = numbersOf(svg, /viewBox="0 0 (\d+) /g)
    const [height = 0] = numbersOf(svg, /viewBox="0 0 \d+ (\d+)"/g)
    const xs = numbersOf(svg, / (?:x|x1|x2|cx)="([^"]*)"/g)
    const ys = numbersOf(svg, / (?:y|y1|y2|cy)="([^"]*)"/g)
    expect(svg.match(/<circle /g)).toHaveLength(6)
    expect(xs.filter((x) => !(x >= 0 && x <= width))).toEqual([])
    expect(ys.filter((y) => !(y >= 0 && y <= height))).toEqual([])
  })

  it('has a line through the points of a series, where its dots are', () => {
    const svg = drawChart(chart)
    const dots = [...svg.matchAll(/<circle cx="([^"]*)" cy="([^"]*)"/g)].map(([, x, y]) => `${x},${y}`)
    const lines = [...svg.matchAll(/<polyline points="([^"]*)"/g)].map(([, points]) => points)
    expect(lines).toEqual([dots.slice(0, 3).join(' '), dots[3], dots.slice(4).join(' ')])
  })

  it('has larger values further right and further up, a power of ten each by as much', () => {
    const points = [1, 10, 100].map((value) => [value, value] as const)
    const panel = { ...chart.panels[1], series: [{ name: 'all', points }] } as Chart['panels'][number]
    const svg = drawChart({ ...chart, panels: [panel] })
    const [x1 = 0, x2 = 0, x3 = 0] = numbersOf(svg, / cx="([^"]*)"/g)
    const [y1 = 0, y2 = 0, y3 = 0] = numbersOf(svg, / cy="([^"]*)"/g)
    expect(x2).toBeGreaterThan(x1)
    expect(x3 - x2).toBeCloseTo(x2 - x1)
    expect(y2).toBeLessThan(y1)
    expect(y3 - y2).toBeCloseTo(y2 - y1)
  })

  it('names itself to those who cannot see it, and tells the figures of its points', () => {
    const svg = drawChart(chart)
    expect(svg).toContain('role="img" aria-labelledby="title description"')
    expect(svg).toContain('<desc id="description">Node 20 &amp; more</desc>')
    expect(svg).toContain('<title>mirror &lt;1&gt;: 803.5 (ns) at 10,000,000 (revocations)</title>')
  })

  it('brings neither a script nor anything from elsewhere', () => {
    expect(drawChart(chart)).not.toMatch(/<script|<style|href|url\(|\son\w+=/)
  })

  it.each([
    ['NaN', 'linear', [1, Number.NaN]],
    ['infinity', 'linear', [1, Number.POSITIVE_INFINITY]],
    ['what is below nothing', 'linear', [1, -1]],
    ['nothing on a logarithmic axis', 'logarithmic', [1, 0]],
    ['NaN across', 'linear', [Number.NaN, 1]],
    ['nothing across', 'linear', [0, 1]],
  ] as const)('refuses %s (%s)', (_, yScale, point) => {
    expect(() => drawChart(withPoint(yScale, point))).toThrow(RangeError)
  })

  it.each([0, 1, 1_000, 9_999, 1e-3])('draws a single point, %d high', (y) => {
    expect(faultsOf(drawChart(withPoint('linear', [7, y])))).toEqual([])
  })

  it('leaves out a series that has no points', () => {
    const [panel] = chart.panels as [Chart['panels'][number]]
    const series = [{ name: 'skipped', points: [] }, ...panel.series]
    const svg = drawChart({ ...chart, panels: [{ ...panel, series }] })
    expect(svg).not.toContain('skipped')
    expect(svg.match(/<polyline /g)).toHaveLength(2)
  })

  it('refuses to draw nothing', () => {
    expect(() => drawChart({ ...chart, panels: [] })).toThrow(RangeError)
    expect(() => drawChart({ ...chart, panels: [{ ...chart.panels[0], series: [] } as never] })).toThrow(
      RangeError,
    )
  })
})
