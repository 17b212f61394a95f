import type { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { assertInteger, assertOptions, optionError } from '../../options.js'

/** Options of a `DynamoDBRevocationStore`. */
export interface DynamoDBRevocationStoreOptions {
  /** A client of the AWS SDK for JavaScript, version 3, for the table's Region. Stays yours to destroy. */
  readonly client: DynamoDBClient
  /** The table's name, as `createTable` or your template has made it. */
  readonly tableName: string
  /**
   * How often a change feed asks whether something was added, in milliseconds; keep it well below a mirror's
   * `maxStalenessMs`. Default 1,000.
   */
  readonly pollIntervalMs?: number
  /** How long a request may take, with its retries, in milliseconds. Default 1,500. */
  readonly requestTimeoutMs?: number
  /** How long an announcement is kept, in seconds; a reader further behind reads everything. Default 86,400. */
  readonly feedRetentionSeconds?: number
  /**
   * How often a reader of the feed reads the whole table, slowly, in case that something went past the feed, in
   * milliseconds. Default 3,600,000, an hour.
   */
  readonly reconcileIntervalMs?: number
}

/** All options, checked, with their defaults. */
export type CheckedDynamoDBOptions = Required<DynamoDBRevocationStoreOptions>

const OWNER = 'DynamoDBRevocationStore'
const KNOWN = [
  ...['client', 'tableName', 'pollIntervalMs', 'requestTimeoutMs', 'feedRetentionSeconds'],
  'reconcileIntervalMs',
]

/** @throws TypeError naming the option */
export function checkDynamoDBOptions(options: DynamoDBRevocationStoreOptions): CheckedDynamoDBOptions {
  assertOptions(OWNER, options, KNOWN)
  const { client, tableName, pollIntervalMs = 1_000, requestTimeoutMs = 1_500 } = options
  const { feedRetentionSeconds = 86_400, reconcileIntervalMs = 3_600_000 } = options
  assertTable(OWNER, client, tableName)
  assertInteger(OWNER, 'pollIntervalMs', pollIntervalMs, 10, 60_000)
  // A number that was taken is announced well within a minute.
  assertInteger(OWNER, 'requestTimeoutMs', requestTimeoutMs, 10, 20_000)
  // Far more than a reader's ten minutes, whatever the writer's clock says.
  assertInteger(OWNER, 'feedRetentionSeconds', feedRetentionSeconds, 7_200, 31_536_000)
  assertInteger(OWNER, 'reconcileIntervalMs', reconcileIntervalMs, 1_000, 2_147_483_647)
  return { client, tableName, pollIntervalMs, requestTimeoutMs, feedRetentionSeconds, reconcileIntervalMs }
}

/** @throws TypeError naming the option */
export function assertTable(owner: string, client: unknown, tableName: unknown): void {
  const { send } = (client ?? {}) as { send?: unknown }
  if (typeof send !== 'function') {
    throw optionError(owner, 'client', 'a DynamoDBClient of @aws-sdk/client-dynamodb', client)
  }
  // The name and not the ARN: by it, DynamoDB gives what it has found.
  if (typeof tableName !== 'string' || !/^[\w.-]{3,255}$/.test(tableName)) {
    throw optionError(
      owner,
      'tableName',
      "a table's name: 3 to 255 letters, digits and any of _ . -",
      tableName,
    )
  }
}
