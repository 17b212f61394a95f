import { type RedisServer, startRedis, until } from './redis-server.js'

const SLOTS = 16_384

export interface RedisCluster {
  /** Its primaries; each has a third of the slots. */
  readonly nodes: readonly RedisServer[]
  stop(): Promise<void>
}

export interface StartRedisClusterOptions {
  /** More settings of each server: `['--cluster-node-timeout', '1000']` */
  readonly config?: readonly string[]
}

/** Starts a cluster of three primaries without replicas. Redis takes 2 seconds before a new one is ready. */
export async function startRedisCluster({
  config = [],
}: StartRedisClusterOptions = {}): Promise<RedisCluster> {
  const nodes: RedisServer[] = []
  const stop = async () => {
    await Promise.all(nodes.map((node) => node.stop()))
  }
  const settings = ['--cluster-enabled', 'yes', '--cluster-announce-ip', '127.0.0.1', ...config]
  try {
    // One after the other: so each sees which ports the others have taken.
    while (nodes.length < 3) nodes.push(await startRedis({ config: settings }))
    await formCluster(nodes)
    return { nodes, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

async function formCluster(nodes: readonly RedisServer[]): Promise<void> {
  for (const [index, node] of nodes.entries()) {
    const first = Math.ceil((index * SLOTS) / nodes.length)
    const end = Math.ceil(((index + 1) * SLOTS) / nodes.length)
    // ADDSLOTSRANGE would be shorter, but is not there before Redis 7.
    await node.run('CLUSTER', 'ADDSLOTS', ...Array.from({ length: end - first }, (_, slot) => first + slot))
    await node.run('CLUSTER', 'SET-CONFIG-EPOCH', index + 1)
    for (const other of nodes.slice(0, index)) await node.run('CLUSTER', 'MEET', other.host, other.port)
  }
  let infos: string[] = []
  const isReady = async () => {
    infos = await Promise.all(nodes.map(async (node) => String(await node.run('CLUSTER', 'INFO'))))
    return [`cluster_state:ok`, `cluster_slots_ok:${SLOTS}`, `cluster_known_nodes:${nodes.length}`].every(
      (line) => infos.every((info) => info.includes(`${line}\r\n`)),
    )
  }
  await until(isReady, () => `the cluster did not form:\n${infos.join('\n')}`)
}
