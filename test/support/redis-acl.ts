/** The commands that a process needs which reads revocations: looks them up, and follows their feed. */
export const readerCommands: readonly string[] = [
  // By a client, of which scripts call the rest.
  ...['evalsha', 'eval', 'xread'],
  ...['exists', 'hexists', 'hget', 'hmget', 'zmscore', 'zscore', 'zscan', 'xrange', 'xrevrange'],
  // To tell a primary that takes no writes from a replica; to warn of eviction; and by ioredis as it connects.
  'info',
]

/** The commands that a process needs which records revocations, and reads them as well. */
export const writerCommands: readonly string[] = [
  ...readerCommands,
  ...['hset', 'hsetnx', 'zadd', 'xadd', 'del', 'time', 'zrangebyscore', 'zrem'],
]

/** What clients of a cluster need besides; node-redis only the first. */
export const clusterCommands: readonly string[] = ['cluster|slots', 'cluster|info']

/** What a writer needs besides that waits for replicas. */
export const replicaCommands: readonly string[] = ['wait']

/** The rules of a user who may do that, and nothing else. */
export function aclRules(commands: readonly string[], namespace = 'cognito-revocation'): string[] {
  return ['resetchannels', 'resetkeys', `~{${namespace}:*}:*`, '-@all', ...commands.map((name) => `+${name}`)]
}
