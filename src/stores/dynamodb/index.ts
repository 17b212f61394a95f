export { type CreateTableOptions, createTable } from './create-table.js'
export type { DynamoDBRevocationStoreOptions } from './dynamodb-options.js'
export { DynamoDBRevocationStore } from './dynamodb-revocation-store.js'
