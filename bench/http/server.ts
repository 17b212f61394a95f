/** A process of the `http` benchmarks: a revocation service, and a bare server that does the same without any care. */
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { MemoryRevocationStore } from '../../src/revocation/memory-store.js'
import { listenRevocationService, RevocationService } from '../../src/server/index.js'
import { serve } from '../redis/processes.js'
import { KEY, type Places, poolId } from './place.js'

serve({
  /** Both hold these sessions. */
  async start(sessions: readonly string[]): Promise<Places> {
    const store = new MemoryRevocationStore()
    const expiresAt = Math.floor(Date.now() / 1000) + 86_400
    await store.add(sessions.map((id) => ({ poolId, scope: 'session', id, expiresAt })))
    const service = new RevocationService({
      store,
      keys: [{ id: 'bench', key: KEY, rights: ['read', 'write'], pools: 'all' }],
    })
    const { url } = await listenRevocationService(service, { port: 0 })
    return { url, bareUrl: await startBare(new Set(sessions)) }
  },
})

async function startBare(revoked: Set<string>): Promise<string> {
  const readers = new Set<ServerResponse>()
  const server = createServer(async (request, response) => {
    if (request.url === '/events') {
      readers.add(response)
      response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders()
      return
    }
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    const { ids } = JSON.parse(Buffer.concat(chunks).toString()) as { ids: readonly string[] }
    if (request.url === '/add') {
      for (const id of ids) revoked.add(id)
      for (const reader of readers) reader.write(`data: ${JSON.stringify(ids)}\n\n`)
      response.writeHead(204).end()
      return
    }
    const text = JSON.stringify({ found: ids.some((id) => revoked.has(id)) })
    response.writeHead(200, { 'content-type': 'application/json' }).end(text)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}
