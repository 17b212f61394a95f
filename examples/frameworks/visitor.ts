/** Somebody who has signed in, or has not, and asks a program. */
export class Visitor {
  readonly #url: string
  readonly #tokens: { readonly accessToken: string; readonly refreshToken: string } | undefined

  constructor(url: string, tokens?: { readonly accessToken: string; readonly refreshToken: string }) {
    this.#url = url
    this.#tokens = tokens
  }

  /** Gives the status, with OAuth's error code if it is a refusal. */
  async get(path: string): Promise<string> {
    return describe(await fetch(this.#url + path, { headers: this.#bearer() }))
  }

  /** Sends the refresh token in the body and in a cookie, of which the program takes the one that it wants. */
  async logOut(site = 'same-origin'): Promise<string> {
    const { refreshToken = '' } = this.#tokens ?? {}
    const response = await fetch(`${this.#url}/logout`, {
      method: 'POST',
      body: JSON.stringify({ refresh_token: refreshToken }),
      headers: {
        ...this.#bearer(),
        'content-type': 'application/json',
        'sec-fetch-site': site,
        cookie: `__Host-refresh_token=${refreshToken}`,
      },
    })
    return describe(response)
  }

  #bearer(): Record<string, string> {
    return this.#tokens === undefined ? {} : { authorization: `Bearer ${this.#tokens.accessToken}` }
  }
}

async function describe(response: Response): Promise<string> {
  const text = await response.text()
  const { error } = text === '' ? {} : (JSON.parse(text) as { error?: string })
  return [response.status, error].filter(Boolean).join(' ')
}
