import type { IncomingMessage } from 'node:http'

/** What is read of a request before its body, whatever framework it came through. */
export interface RequestHead {
  /** In capitals. */
  readonly method: string
  /** Every value of a header as it came, one for each field line; the name in lower case. */
  values(name: string): readonly string[]
}

/** The head of a request of Node's own. */
export function headOf(request: IncomingMessage): RequestHead {
  return new NodeRequestHead(request)
}

/** The head of a request of the Fetch standard. It joins the field lines of a name with a comma. */
export function fetchHeadOf(request: Request): RequestHead {
  return {
    method: request.method.toUpperCase(),
    values: (name) => asArray(request.headers.get(name)),
  }
}

class NodeRequestHead implements RequestHead {
  readonly #request: IncomingMessage

  constructor(request: IncomingMessage) {
    this.#request = request
  }

  get method(): string {
    return (this.#request.method ?? 'GET').toUpperCase()
  }

  /**
   * Node itself drops the second of several headers, which a proxy before it may have looked at instead: so all are
   * looked at. Adapters that make requests up fill only `headers`.
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
