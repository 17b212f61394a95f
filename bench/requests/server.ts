/** A process of `http-requests`: one server, with the guard that is asked for. */
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { serve } from '../redis/processes.js'
import type { PublicKeys } from '../verifiers/candidates.js'
import { type FastifyGuard, listenFastify } from './fastify.js'
import { type Guard, guard } from './guards.js'

export type Kind = Guard | FastifyGuard

let listener: RequestListener = (_, response) => response.writeHead(503).end()
let create = () => listener

serve({
  /** @returns the port */
  async start({ kind, keys }: { kind: Kind; keys: PublicKeys }): Promise<number> {
    if (isOnFastify(kind)) return listenFastify(kind, keys)
    create = await guard(kind, keys)
    listener = create()
    return listenHttp()
  },
  /** From now on, the server has seen no token. */
  forget(): void {
    listener = create()
  },
  /** How long this process has computed, in microseconds. */
  cpu(): number {
    const { user, system } = process.cpuUsage()
    return user + system
  },
})

function isOnFastify(kind: Kind): kind is FastifyGuard {
  return kind.startsWith('Fastify')
}

async function listenHttp(): Promise<number> {
  const server = createServer((request, response) => listener(request, response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}
