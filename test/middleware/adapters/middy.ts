import type { RequestListener } from 'node:http'
import middy from '@middy/core'
import type { Context } from 'aws-lambda'
import { verifyToken } from '../../../src/middleware/middy/index.js'
import { restEvent } from '../lambda/events/proxy-events.js'
import type { Sent } from '../lambda/events/sent.js'
import type { Adapter } from './adapter.js'

export const MiddyRest = middyAdapter('REST API', restEvent)

interface Answer {
  readonly statusCode: number
  readonly headers?: Record<string, string>
  readonly multiValueHeaders?: Record<string, string[]>
  readonly body: string
}

/** The function, and before it what AWS has there: it makes events of requests, and answers of what comes back. */
function middyAdapter(name: string, eventOf: (sent: Sent) => unknown): Adapter {
  return {
    name: `middy behind a ${name}`,
    listener(verifier, options = {}) {
      const handler = middy<unknown, Answer>()
        .use(verifyToken(verifier, options))
        .onError((request) => {
          request.response = json(500, { handedOn: String(request.error?.cause ?? request.error) })
        })
        .handler(async (_, context) => json(200, { auth: context.auth ?? null }))
      return proxyTo((sent) => handler(eventOf(sent), {} as Context))
    },
  }
}

function json(statusCode: number, body: unknown): Answer {
  return { statusCode, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }
}

function proxyTo(invoke: (sent: Sent) => Promise<Answer>): RequestListener {
  return async ({ method = 'GET', url = '/', rawHeaders }, response) => {
    const headers: [string, string][] = []
    for (let index = 0; index < rawHeaders.length; index += 2) {
      headers.push([rawHeaders[index] ?? '', rawHeaders[index + 1] ?? ''])
    }
    const [path = '/'] = url.split('?')
    const answer = await invoke({ method, path, headers })
    response.writeHead(answer.statusCode, { ...answer.headers, ...answer.multiValueHeaders }).end(answer.body)
  }
}
