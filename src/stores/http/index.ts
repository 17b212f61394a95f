export type { HttpRevocationStoreOptions } from './http-options.js'
export { HttpRevocationStore } from './http-revocation-store.js'
