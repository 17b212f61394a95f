/** What a browser with a page of the service does: keeps the cookies, and says where a request comes from. */
export class Browser {
  /** Kept in the page's memory. */
  accessToken: string | undefined
  readonly #origin: string
  readonly #cookies = new Map<string, string>()

  constructor(origin: string) {
    this.#origin = origin
  }

  /** Asks, and gives the status with the challenge of WWW-Authenticate or the answer's words, if there are any. */
  async get(path: string, accessToken = this.accessToken): Promise<string> {
    return this.#describe(await fetch(this.#origin + path, { headers: this.#bearer(accessToken) }))
  }

  /** The same for a POST with JSON, by a page of the service or, as `site` says, of somebody else. */
  async post(path: string, body: object = {}, site = 'same-origin'): Promise<string> {
    const response = await fetch(this.#origin + path, {
      method: 'POST',
      body: JSON.stringify(body),
      headers: {
        'content-type': 'application/json',
        'sec-fetch-site': site,
        ...this.#bearer(this.accessToken),
        // Path=/auth: nothing else gets it.
        ...(path.startsWith('/auth/') && { cookie: [...this.#cookies.values()].join('; ') }),
      },
    })
    for (const line of response.headers.getSetCookie()) {
      const [pair = ''] = line.split(';')
      const [name = ''] = pair.split('=')
      if (pair.endsWith('=')) this.#cookies.delete(name)
      else this.#cookies.set(name, pair)
    }
    return this.#describe(response)
  }

  /** Takes over the cookies of another browser. */
  steal(from: Browser): void {
    for (const [name, pair] of from.#cookies) this.#cookies.set(name, pair)
  }

  get hasCookie(): boolean {
    return this.#cookies.size > 0
  }

  #bearer(token: string | undefined): Record<string, string> {
    return token === undefined ? {} : { authorization: `Bearer ${token}` }
  }

  async #describe(response: Response): Promise<string> {
    const text = await response.text()
    const { accessToken, challenge } = text === '' ? {} : JSON.parse(text)
    if (typeof accessToken === 'string') this.accessToken = accessToken
    const [, code] = /error="(\w+)"/.exec(response.headers.get('www-authenticate') ?? '') ?? []
    return [response.status, code ?? challenge].filter(Boolean).join(' ')
  }
}
