import { type RedisServer, redisServerPath, startRedis } from '../../test/support/redis-server.js'

/** Longer than any of these benchmarks takes on a slow machine: what takes longer hangs. */
const END_WITHIN_MS = 15 * 60_000

/** Gives a Redis of its own to a benchmark: on loopback, without persistence, and gone afterwards in any case. */
export async function withRedis(run: (server: RedisServer) => Promise<void>): Promise<void> {
  if (redisServerPath() === undefined) {
    console.log('\nskipped: there is no redis-server here: npm run engines')
    return
  }
  const server = await startRedis()
  // A process that ends takes its server with it.
  const timer = setTimeout(() => {
    console.error(`The benchmark did not end within ${END_WITHIN_MS / 60_000} minutes`)
    process.exit(1)
  }, END_WITHIN_MS)
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))
  try {
    await run(server)
  } finally {
    clearTimeout(timer)
    await server.stop()
  }
}
