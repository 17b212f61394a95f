import type { RequestListener } from 'node:http'
import {
  type RevokeSessionOptions,
  revokeSessionHandler,
  type SessionClient,
} from '../../../src/middleware/node/index.js'

/** A framework with its logout mounted, as the tests of all of them need it. */
export interface Mount {
  readonly name: string
  /** What it parses by itself, and so answers by itself where it cannot. */
  readonly parses?: 'json' | 'json and text'
  /** The handler has nothing of what was set before. */
  readonly isAlone?: true
  /**
   * A service that answers logouts, on every method where its routing leaves that to the handler, having set the
   * cookie `theme`. To an error that it was handed it answers 500 and `{ handedOn }`, its String().
   */
  start(client: SessionClient, options: RevokeSessionOptions): Promise<Started>
}

interface Started {
  readonly listener: RequestListener
  close?(): Promise<unknown>
}

/** A cookie of somebody else's. */
export const THEME = 'theme=dark'

export const nodeMount: Mount = {
  name: 'node:http',
  async start(client, options) {
    const handler = revokeSessionHandler(client, options)
    const listener: RequestListener = (request, response) => {
      response.setHeader('Set-Cookie', THEME)
      handler(request, response, (error) => {
        response.writeHead(500).end(JSON.stringify({ handedOn: String(error) }))
      })
    }
    return { listener }
  },
}
