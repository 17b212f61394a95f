/** What a client sends, as an event is made of it: each header line by itself. */
export interface Sent {
  readonly method?: string
  readonly path?: string
  /** Name and value of each line, in their order. */
  readonly headers?: readonly (readonly [name: string, value: string])[]
  readonly query?: readonly (readonly [name: string, value: string])[]
  readonly body?: string
}

/** A map as API Gateway makes it, of the last value of each name. */
export function lastValues(lines: Sent['headers'] = []): Record<string, string> {
  return Object.fromEntries(lines)
}

/** A map of all values of each name. */
export function allValues(lines: Sent['headers'] = []): Record<string, string[]> {
  return Object.fromEntries(lines.map(([name]) => [name, valuesOf(lines, name)]))
}

/** A map of lower-case names, with commas between the values: format 2.0. */
export function joinedValues(lines: Sent['headers'] = []): Record<string, string> {
  return Object.fromEntries(lines.map(([name]) => [name.toLowerCase(), valuesOf(lines, name).join(',')]))
}

/** The cookies of all Cookie headers. */
export function cookiesOf(lines: Sent['headers'] = []): string[] {
  return valuesOf(lines, 'cookie').flatMap((value) => value.split('; '))
}

/** The lines that are no Cookie header. */
export function withoutCookies(lines: Sent['headers'] = []): NonNullable<Sent['headers']> {
  return lines.filter(([name]) => name.toLowerCase() !== 'cookie')
}

function valuesOf(lines: NonNullable<Sent['headers']>, name: string): string[] {
  return lines.filter(([other]) => other.toLowerCase() === name.toLowerCase()).map(([, value]) => value)
}
