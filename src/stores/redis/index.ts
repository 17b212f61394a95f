export type { RedisClient } from './redis-client.js'
export type { RedisRevocationStoreOptions } from './redis-options.js'
export { RedisRevocationStore } from './redis-revocation-store.js'
