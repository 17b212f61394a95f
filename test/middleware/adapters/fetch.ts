import { getRequestListener } from '@hono/node-server'
import { verifyToken, withToken } from '../../../src/middleware/fetch/index.js'
import type { Adapter } from './adapter.js'

type Fetch = (request: Request) => Promise<Response>

export const FetchFunction: Adapter = {
  name: 'Fetch, as a function',
  listener(verifier, options = {}) {
    const authenticate = verifyToken(verifier, options)
    return listen(async (request) => {
      const { claims, response } = await authenticate(request)
      return response ?? Response.json({ auth: claims ?? null })
    })
  },
}

export const FetchWrapper: Adapter = {
  name: 'Fetch, around a handler',
  listener(verifier, options = {}) {
    return listen(withToken(verifier, (_, claims) => Response.json({ auth: claims ?? null }), options))
  },
}

/** Node's requests as those of the Fetch standard, by the bridge that most use. */
function listen(fetch: Fetch) {
  const orHandOn: Fetch = (request) =>
    fetch(request).catch((error) => Response.json({ handedOn: String(error) }, { status: 500 }))
  return getRequestListener(orHandOn, { overrideGlobalObjects: false })
}
