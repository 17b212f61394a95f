/** Makes text fit for an element's content and for an attribute's value. */
export function escapeXml(value: string): string {
  return (
    value
      .replaceAll('&', '&amp;')
      .replaceAll('<', '&lt;')
      .replaceAll('>', '&gt;')
      .replaceAll('"', '&quot;')
      // What XML cannot say at all.
      .replaceAll(/\p{Cc}/gu, ' ')
  )
}

/** A line of text, as text. */
export function text(x: number, y: number, value: string, attributes = ''): string {
  return `<text x="${round(x)}" y="${round(y)}" ${attributes}>${escapeXml(value)}</text>`
}

export function line(
  [x1, y1]: readonly [number, number],
  [x2, y2]: readonly [number, number],
  attributes: string,
): string {
  return `<line x1="${round(x1)}" y1="${round(y1)}" x2="${round(x2)}" y2="${round(y2)}" ${attributes}/>`
}

/** As fine as anybody sees. */
export function round(value: number): number {
  return Math.round(value * 10) / 10
}
