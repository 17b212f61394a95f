/** An address with those of the parameters that are given. */
export function withQuery(address: string, parameters: Readonly<Record<string, string | undefined>>): string {
  const url = new URL(address)
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== undefined) url.searchParams.set(name, value)
  }
  return url.href
}

/** Sends the browser on, and gives it a cookie or takes it away. */
export function redirect(location: string, cookie?: string): Response {
  const headers = { location, ...(cookie === undefined ? {} : { 'set-cookie': cookie }) }
  return new Response(null, { status: 302, headers })
}
