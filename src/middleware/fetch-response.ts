import type { Refusal } from './refusal.js'

/** A refusal as a response of the Fetch standard. Its headers can be added to. */
export function responseOf({ status, headers, body }: Refusal): Response {
  return new Response(JSON.stringify(body), { status, headers })
}
