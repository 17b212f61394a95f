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
    // To scripts/bench.mjs, which may keep it.
    process.send?.({ server: await versionOf(server) })
    await run(server)
  } finally {
    clearTimeout(timer)
    await server.stop()
  }
}

/** As `withRedis`; where there is none, it says so and does without. */
export async function withRedisIfThere(
  run: (server: RedisServer | undefined) => Promise<void>,
): Promise<void> {
  await withRedis(run)
  if (redisServerPath() === undefined) await run(undefined)
}

async function versionOf(server: RedisServer): Promise<{ name: string; version: string }> {
  const info = String(await server.run('INFO', 'server'))
  // Valkey says both, the second for the sake of old clients.
  const [, name = 'redis', version = ''] =
    /^(valkey)_version:(\S+)/m.exec(info) ?? /^(redis)_version:(\S+)/m.exec(info) ?? []
  return { name: `${name}-server`, version }
}
