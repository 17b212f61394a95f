/** Longer ones are not worth carrying: the reader starts over. */
const MAX_LENGTH = 65_536

/** Where a reader is in the feeds of all replicas, as the text that he hands back; empty while one is read from its beginning. */
export function writeCursor(cursors: readonly (string | undefined)[]): string {
  if (cursors.includes(undefined)) return ''
  const text = JSON.stringify(cursors)
  return text.length > MAX_LENGTH ? '' : text
}

/** The cursors of so many replicas; undefined for what is none. */
export function readCursor(text: string | undefined, replicas: number): readonly string[] | undefined {
  if (text === undefined || text.length > MAX_LENGTH) return undefined
  try {
    const list: unknown = JSON.parse(text)
    const isCursor = Array.isArray(list) && list.length === replicas
    return isCursor && list.every((cursor) => typeof cursor === 'string') ? list : undefined
  } catch {
    return undefined
  }
}
