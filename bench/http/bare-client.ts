import { Agent, request } from 'node:http'

/** As many connections as the store uses at most. */
const agent = new Agent({ keepAlive: true, maxSockets: 16 })

/** A POST of JSON over a connection that is kept, and what came back. */
export function post(url: string, body: unknown): Promise<string> {
  return new Promise((resolve, reject) => {
    const text = JSON.stringify(body)
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }
    const sent = request(url, { method: 'POST', agent, headers }, (response) => {
      let answer = ''
      response.setEncoding('utf8').on('data', (part: string) => {
        answer += part
      })
      response.on('end', () => resolve(answer))
    })
    sent.on('error', reject).end(text)
  })
}
