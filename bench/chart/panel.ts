import { type Axis, createAxis, formatTick, type Scale } from './axis.js'
import { escapeXml, line, round, text } from './svg.js'

export interface Series {
  readonly name: string
  /** In the order of x. One without any is left out. */
  readonly points: readonly (readonly [x: number, y: number])[]
}

export interface Panel {
  readonly title: string
  /** With its unit. The axis is logarithmic. */
  readonly xLabel: string
  /** With its unit. */
  readonly yLabel: string
  readonly yScale: Scale
  readonly series: readonly Series[]
}

const PLOT = { width: 360, height: 210, left: 62, right: 18, below: 52 }
const LINE_HEIGHT = 17

export const PANEL_WIDTH = PLOT.left + PLOT.width + PLOT.right
/** Of one whose legend has so many lines. */
export function panelHeight(legendLines: number): number {
  return LINE_HEIGHT * (legendLines + 1) + PLOT.height + PLOT.below
}

const QUIET = '#59636e'
const FAINT = '#e1e4e8'
/** Colours that colour-blind people tell apart; and dashes, for paper. */
const STYLES = [
  { colour: '#0072b2', dashes: 'none' },
  { colour: '#d55e00', dashes: '7 3' },
  { colour: '#007a5a', dashes: '2 3' },
  { colour: '#a8407f', dashes: '9 3 2 3' },
  { colour: '#5a5a5a', dashes: '4 4' },
  { colour: '#8a6d00', dashes: '12 4' },
] as const

/** Where values are in the picture. */
interface Plot {
  readonly left: number
  readonly top: number
  readonly xAxis: Axis
  readonly yAxis: Axis
}

/** @throws RangeError where there is nothing to draw, or a value that has no place */
export function drawPanel(panel: Panel, left: number, top: number, legendLines: number): string {
  const { title, yScale } = panel
  const series = panel.series.filter((each) => each.points.length > 0)
  if (series.length > STYLES.length) throw new RangeError(`A panel has room for ${STYLES.length} series`)
  const points = series.flatMap((each) => each.points)
  const xs = points.map(([x]) => x)
  const ys = points.map(([, y]) => y)
  const plot: Plot = {
    left: left + PLOT.left,
    top: top + LINE_HEIGHT * (legendLines + 1),
    xAxis: createAxis(xs, 'logarithmic'),
    yAxis: createAxis(ys, yScale),
  }
  return [
    '<g>',
    text(plot.left, top + 10, title, 'font-size="14" font-weight="600"'),
    ...drawGrid(plot),
    ...drawLabels(plot, panel, left),
    ...series.flatMap((each, index) => [
      drawLegend(each, index, plot.left, top + LINE_HEIGHT * (index + 1) + 10),
      drawSeries(each, index, plot, panel),
    ]),
    '</g>',
  ].join('\n')
}

function at({ left, top, xAxis, yAxis }: Plot, [x, y]: readonly [number, number]): [number, number] {
  return [left + xAxis.place(x) * PLOT.width, top + (1 - yAxis.place(y)) * PLOT.height]
}

function drawGrid({ left, top, xAxis, yAxis }: Plot): string[] {
  const right = left + PLOT.width
  const bottom = top + PLOT.height
  return [
    ...yAxis.ticks.flatMap((tick) => {
      const y = top + (1 - yAxis.place(tick)) * PLOT.height
      return [
        line([left, y], [right, y], `stroke="${FAINT}"`),
        text(left - 8, y + 4, formatTick(tick), 'text-anchor="end"'),
      ]
    }),
    ...xAxis.ticks.flatMap((tick) => {
      const x = left + xAxis.place(tick) * PLOT.width
      return [
        line([x, bottom], [x, bottom + 5], `stroke="${QUIET}"`),
        text(x, bottom + 19, formatTick(tick), 'text-anchor="middle"'),
      ]
    }),
    line([left, bottom], [right, bottom], `stroke="${QUIET}"`),
    line([left, top], [left, bottom], `stroke="${QUIET}"`),
  ]
}

function drawLabels(plot: Plot, { xLabel, yLabel }: Panel, left: number): string[] {
  const [x, y] = [round(left + 14), round(plot.top + PLOT.height / 2)]
  const quiet = `text-anchor="middle" fill="${QUIET}"`
  return [
    text(plot.left + PLOT.width / 2, plot.top + PLOT.height + 37, xLabel, quiet),
    text(x, y, yLabel, `${quiet} transform="rotate(-90 ${x} ${y})"`),
  ]
}

function drawLegend({ name }: Series, index: number, x: number, y: number): string {
  return line([x, y - 4], [x + 26, y - 4], stroke(index)) + text(x + 34, y, name)
}

function drawSeries({ name, points }: Series, index: number, plot: Plot, { xLabel, yLabel }: Panel): string {
  const places = points.map((point) => at(plot, point).map(round))
  const path = `<polyline points="${places.map((place) => place.join(',')).join(' ')}" fill="none" ${stroke(index)}/>`
  const dots = points.map(([x, y], which) => {
    const [cx, cy] = places[which] as number[]
    // Shown where somebody points at it.
    const told = `${name}: ${exact.format(y)} (${yLabel}) at ${exact.format(x)} (${xLabel})`
    return `<circle cx="${cx}" cy="${cy}" r="3.2" fill="${STYLES[index]?.colour}"><title>${escapeXml(told)}</title></circle>`
  })
  return [path, ...dots].join('\n')
}

const exact = new Intl.NumberFormat('en', { maximumSignificantDigits: 4 })

function stroke(index: number): string {
  const style = STYLES[index]
  return `stroke="${style?.colour}" stroke-width="2" stroke-dasharray="${style?.dashes}"`
}
