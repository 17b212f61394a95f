import type { IncomingMessage } from 'node:http'
import type { Http2ServerRequest } from 'node:http2'

/** A request of Node's own, or of its HTTP/2 in the likeness of HTTP/1 ("Compatibility API"). */
export type NodeRequest = IncomingMessage | Http2ServerRequest

/** What is read of a request before its body, whatever framework it came through. */
export interface RequestHead {
  /** In capitals; empty where the request says none. */
  readonly method: string
  /** Every value of a header as it came, one for each field line; the name in lower case. */
  values(name: string): readonly string[]
}

/** The head of a request of Node's own. */
export function headOf(request: NodeRequest): RequestHead {
  return new NodeRequestHead(request)
}

/** Headers whose value may hold commas of its own: their readers look for joined lines themselves. */
const WITH_COMMAS = ['authorization', 'cookie']

/**
 * The head of a request of the Fetch standard. It has the field lines of a name joined by commas; they are parted
 * there, so that two lines never look like one value.
 */
export function fetchHeadOf(request: Request): RequestHead {
  return {
    method: request.method.toUpperCase(),
    values: (name) => {
      const value = request.headers.get(name)
      if (value === null || WITH_COMMAS.includes(name)) return asArray(value)
      return value.split(',').map(trimSpaces)
    },
  }
}

class NodeRequestHead implements RequestHead {
  readonly #request: NodeRequest

  constructor(request: NodeRequest) {
    this.#request = request
  }

  get method(): string {
    return (this.#request.method ?? '').toUpperCase()
  }

  /**
   * Node itself drops the second of several headers, which a proxy before it may have looked at instead: so all are
   * looked at, also those that the application has deleted or changed since. Adapters that make requests up fill only
   * `headers`.
   */
  values(name: string): readonly string[] {
    const { rawHeaders = [], headers } = this.#request
    const found: string[] = []
    for (let index = 0; index < rawHeaders.length; index += 2) {
      const field = rawHeaders[index] ?? ''
      if (field.length === name.length && field.toLowerCase() === name)
        found.push(rawHeaders[index + 1] ?? '')
    }
    return found.length > 0 ? found : asArray(headers[name])
  }
}

function asArray(value: string | readonly string[] | null | undefined): readonly string[] {
  return value === undefined || value === null ? [] : [value].flat()
}

/**
 * The same without the spaces and tabs around it (OWS of RFC 9110, section 5.6.3). `trim` strips more, such as 0xA0, which
 * Node reads as a character of Latin-1: a browser that takes it for part of a cookie's name does not guard that name.
 */
export function trimSpaces(text: string): string {
  let start = 0
  let end = text.length
  while (text[start] === ' ' || text[start] === '\t') start += 1
  while (end > start && (text[end - 1] === ' ' || text[end - 1] === '\t')) end -= 1
  return text.slice(start, end)
}
