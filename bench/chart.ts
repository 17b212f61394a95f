import { drawPanel, PANEL_WIDTH, type Panel, panelHeight } from './chart/panel.js'
import { escapeXml, text } from './chart/svg.js'

export interface Chart {
  readonly title: string
  /** A line's worth. */
  readonly description: string
  readonly panels: readonly Panel[]
}

const COLUMNS = 2
const MARGIN = 16
const HEADER = 70

/**
 * Draws panels of lines as an SVG that needs nothing else: no script, no font. Its background is its own, so that
 * it can be read on a dark page too; its text is text, its figures can be pointed at.
 *
 * @throws RangeError where there is nothing to draw, or a value that has no place
 */
export function drawChart({ title, description, panels }: Chart): string {
  if (panels.length === 0) throw new RangeError('A chart needs panels')
  const legendLines = Math.max(...panels.map(({ series }) => series.length))
  const rowHeight = panelHeight(legendLines)
  const width = 2 * MARGIN + Math.min(COLUMNS, panels.length) * PANEL_WIDTH
  const height = HEADER + Math.ceil(panels.length / COLUMNS) * rowHeight
  const size = `viewBox="0 0 ${width} ${height}" width="${width}" height="${height}"`
  const font = 'font-family="system-ui, sans-serif" font-size="12" fill="#1f2328"'
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" ${size} role="img" aria-labelledby="title description" ${font}>`,
    `<title id="title">${escapeXml(title)}</title>`,
    `<desc id="description">${escapeXml(description)}</desc>`,
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    text(MARGIN, 27, title, 'font-size="17" font-weight="600"'),
    text(MARGIN, 46, description, 'fill="#59636e"'),
    ...panels.map((panel, index) => {
      const left = MARGIN + (index % COLUMNS) * PANEL_WIDTH
      return drawPanel(panel, left, HEADER + Math.floor(index / COLUMNS) * rowHeight, legendLines)
    }),
    '</svg>',
  ].join('\n')}\n`
}
