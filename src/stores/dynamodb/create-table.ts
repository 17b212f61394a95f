import { setTimeout as delay } from 'node:timers/promises'
import {
  CreateTableCommand,
  DescribeTableCommand,
  DescribeTimeToLiveCommand,
  type DynamoDBClient,
  type TableDescription,
  UpdateTimeToLiveCommand,
} from '@aws-sdk/client-dynamodb'
import { elapsedMs, takeMoment } from '../../clock.js'
import { withDeadline } from '../../deadline.js'
import { StoreProtocolError, StoreUnavailableError } from '../../errors.js'
import { assertInteger, assertOptionalBoolean, assertOptions } from '../../options.js'
import { isNamed, storeError } from './dynamodb-errors.js'
import { assertTable } from './dynamodb-options.js'
import { TTL_ATTRIBUTE } from './layout.js'

const OWNER = 'createTable'
// DynamoDB takes seconds to make a table, one on the own machine none.
const FIRST_LOOK_MS = 5
const LOOK_EVERY_MS = 250

/** Options of {@link createTable}. */
export interface CreateTableOptions {
  /** A client of the AWS SDK for JavaScript, version 3. Stays yours to destroy. */
  readonly client: DynamoDBClient
  readonly tableName: string
  /**
   * Whether DynamoDB is told to delete what is over (TTL, by the attribute `purgeAt`). `false` only for local
   * imitations that lack it: the table grows for ever. Default true.
   */
  readonly ttl?: boolean
  /** How long the table may take until it is there, in milliseconds. Default 120,000. */
  readonly timeoutMs?: number
}

/**
 * Makes the table of a `DynamoDBRevocationStore`, billed on demand, and waits until it can be used. Where it is
 * there already, makes sure that it is such a table.
 *
 * @throws TypeError naming the option
 * @throws StoreProtocolError where a table of that name has another key, or another TTL attribute
 * @throws StoreUnavailableError where DynamoDB refuses, fails, or takes too long
 * @see https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_CreateTable.html
 *
 * @example
 * import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
 * import { createTable } from 'cognito-revocation/dynamodb'
 * await createTable({ client: new DynamoDBClient({ region: 'us-east-1' }), tableName: 'revocations' })
 */
export async function createTable(options: CreateTableOptions): Promise<void> {
  assertOptions(OWNER, options, ['client', 'tableName', 'ttl', 'timeoutMs'])
  const { client, tableName, ttl = true, timeoutMs = 120_000 } = options
  assertTable(OWNER, client, tableName)
  assertOptionalBoolean(OWNER, 'ttl', ttl)
  assertInteger(OWNER, 'timeoutMs', timeoutMs, 100, 3_600_000)
  const abort = new AbortController()
  const make = async () => {
    await makeTable(client, tableName, abort.signal)
    if (ttl) await enableTtl(client, tableName, abort.signal)
  }
  const startedAt = takeMoment()
  try {
    // The client alone might not end: it may wait for credentials, and heeds no signal then.
    await withDeadline('DynamoDB', timeoutMs, make())
  } catch (error) {
    if (elapsedMs(startedAt) < timeoutMs) throw storeError(error)
    const message = `DynamoDB did not answer, or the table was not ready, within ${timeoutMs} ms`
    throw new StoreUnavailableError(message, { cause: storeError(error) })
  } finally {
    abort.abort()
  }
}

/** Waits until the table is there, and can be used. One that is being deleted is made again. */
async function makeTable(client: DynamoDBClient, tableName: string, abortSignal: AbortSignal): Promise<void> {
  let isMade = await create(client, tableName, abortSignal)
  for (let look = 0; ; look++) {
    const table = await describe(client, tableName, abortSignal)
    // It was being deleted, and is gone; or it was made, and this part of DynamoDB has not heard of it yet.
    if (table === undefined && !isMade) isMade = await create(client, tableName, abortSignal)
    if (table !== undefined && table.TableStatus !== 'DELETING') {
      assertKey(table)
      if (table.TableStatus === 'ACTIVE' || table.TableStatus === 'UPDATING') return
    }
    await delay(Math.min(LOOK_EVERY_MS, FIRST_LOOK_MS * 2 ** look), undefined, { signal: abortSignal })
  }
}

/** @returns whether it was not there, nor on its way */
async function create(client: DynamoDBClient, TableName: string, abortSignal: AbortSignal): Promise<boolean> {
  const command = new CreateTableCommand({
    TableName,
    AttributeDefinitions: [
      { AttributeName: 'pk', AttributeType: 'S' },
      { AttributeName: 'sk', AttributeType: 'N' },
    ],
    KeySchema: [
      { AttributeName: 'pk', KeyType: 'HASH' },
      { AttributeName: 'sk', KeyType: 'RANGE' },
    ],
    BillingMode: 'PAY_PER_REQUEST',
  })
  try {
    await client.send(command, { abortSignal })
    return true
  } catch (error) {
    // Or it is being deleted.
    if (isNamed(error, 'ResourceInUseException')) return false
    throw error
  }
}

/** Undefined where it is not there. */
async function describe(
  client: DynamoDBClient,
  TableName: string,
  abortSignal: AbortSignal,
): Promise<TableDescription | undefined> {
  try {
    return (await client.send(new DescribeTableCommand({ TableName }), { abortSignal })).Table
  } catch (error) {
    if (isNamed(error, 'ResourceNotFoundException')) return undefined
    throw error
  }
}

function assertKey({ KeySchema = [], AttributeDefinitions = [] }: TableDescription): void {
  const typeOf = (name: string | undefined) =>
    AttributeDefinitions.find(({ AttributeName }) => AttributeName === name)?.AttributeType
  const key = KeySchema.map(
    ({ AttributeName, KeyType }) => `${KeyType} ${AttributeName} ${typeOf(AttributeName)}`,
  )
  if (key.join() === 'HASH pk S,RANGE sk N') return
  throw new StoreProtocolError(
    'The DynamoDB table has another key than pk (string) and sk (number): choose another name',
  )
}

async function enableTtl(client: DynamoDBClient, TableName: string, abortSignal: AbortSignal): Promise<void> {
  const state = async () => {
    const command = new DescribeTimeToLiveCommand({ TableName })
    const { TimeToLiveDescription = {} } = await client.send(command, { abortSignal })
    const { AttributeName, TimeToLiveStatus } = TimeToLiveDescription
    const isOn = TimeToLiveStatus === 'ENABLED' || TimeToLiveStatus === 'ENABLING'
    if (isOn && AttributeName !== TTL_ATTRIBUTE) {
      throw new StoreProtocolError(
        `The DynamoDB table deletes by another TTL attribute than ${TTL_ATTRIBUTE}: revocations could vanish early`,
      )
    }
    return isOn
  }
  if (await state()) return
  const TimeToLiveSpecification = { Enabled: true, AttributeName: TTL_ATTRIBUTE }
  try {
    await client.send(new UpdateTimeToLiveCommand({ TableName, TimeToLiveSpecification }), { abortSignal })
  } catch (error) {
    // Somebody else may have done so meanwhile.
    if (!isNamed(error, 'ValidationException') || !(await state())) throw error
  }
}
