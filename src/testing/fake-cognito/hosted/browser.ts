/** Who signs in at managed login: a user who types the password, or whoever the browser's cookie knows. */
export type BrowserSignIn =
  | {
      /** Username or alias; the password is taken to be right. */
      readonly username: string
      readonly cookie?: undefined
    }
  | {
      /** What an earlier sign-in gave: good for an hour, or until /logout. */
      readonly cookie: string
      readonly username?: undefined
    }

/** A browser that is back at the app. */
export interface SignedInBrowser {
  /** With `code` and `state`, or `error`. */
  readonly callbackUrl: string
  /** The managed-login cookie, for the `Cookie` header of its next request. */
  readonly cookie: string | undefined
}

/** Goes to /oauth2/authorize, and tells where it is sent. */
export async function signInByBrowser(
  fetch: (request: Request) => Promise<Response>,
  url: string,
  { username, cookie }: BrowserSignIn,
): Promise<SignedInBrowser> {
  const address = new URL(url)
  if (username !== undefined) address.searchParams.set('login_hint', username)
  const response = await fetch(new Request(address, { headers: cookie === undefined ? {} : { cookie } }))
  const callbackUrl = response.headers.get('location')
  if (callbackUrl === null) throw new Error(`no redirect, but ${response.status}: ${await response.text()}`)
  const { origin, pathname } = new URL(callbackUrl)
  if (origin === address.origin && pathname === '/login') {
    throw new Error('nobody is signed in: the browser is at /login')
  }
  return { callbackUrl, cookie: response.headers.get('set-cookie')?.split(';')[0] ?? cookie }
}
