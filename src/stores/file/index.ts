export type { FileRevocationStoreOptions } from './file-options.js'
export { FileRevocationStore } from './file-revocation-store.js'
