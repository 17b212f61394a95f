import { readFileSync } from 'node:fs'
import {
  CreateTableCommand,
  type CreateTableCommandInput,
  DescribeTableCommand,
  type DynamoDBClient,
} from '@aws-sdk/client-dynamodb'
import { describe, expect, it } from 'vitest'
import { parseAllDocuments } from 'yaml'
import { type CreateTableOptions, createTable } from '../../src/stores/dynamodb/index.js'
import { localClient } from '../support/dynalite.js'
import { DynamoDBProxy, dynamodbError } from '../support/dynamodb-proxy.js'
import { afterTest, expectFound, Scene, session, thrownBy, useDynalite } from './dynamodb-harness.js'

const dynalite = useDynalite()
let tables = 0

/** A DynamoDB with a TTL, which dynalite lacks: as far as `createTable` asks for it. */
async function scene() {
  const proxy = await DynamoDBProxy.start(dynalite().port)
  afterTest(() => proxy.close())
  const client = localClient(proxy.endpoint, { maxAttempts: 1 })
  afterTest(() => client.destroy())
  const tableName = `create-${process.pid}-${++tables}`
  const ttl: { attribute?: string } = {}
  proxy.intercept = ({ operation, body }) => {
    if (operation === 'DescribeTimeToLive') {
      const { attribute } = ttl
      const TimeToLiveDescription =
        attribute === undefined
          ? { TimeToLiveStatus: 'DISABLED' }
          : { TimeToLiveStatus: 'ENABLED', AttributeName: attribute }
      return { status: 200, body: { TimeToLiveDescription } }
    }
    if (operation !== 'UpdateTimeToLive') return undefined
    if (ttl.attribute !== undefined) return dynamodbError('ValidationException')
    ttl.attribute = body.TimeToLiveSpecification.AttributeName
    return { status: 200, body: {} }
  }
  const describeTable = async (from: DynamoDBClient = client) =>
    (await from.send(new DescribeTableCommand({ TableName: tableName }))).Table
  return { proxy, client, tableName, ttl, describeTable }
}

describe('createTable', () => {
  it('makes a table, billed on demand, whose TTL goes by purgeAt, and waits for it', async () => {
    const { client, tableName, ttl, describeTable } = await scene()
    await createTable({ client, tableName })
    expect(await describeTable()).toMatchObject({
      TableStatus: 'ACTIVE',
      BillingModeSummary: { BillingMode: 'PAY_PER_REQUEST' },
    })
    expect(ttl.attribute).toBe('purgeAt')
  })

  it('leaves alone what is there, and is what it would make', async () => {
    const { proxy, client, tableName } = await scene()
    await createTable({ client, tableName })
    await createTable({ client, tableName })
    expect(proxy.operations.filter((operation) => operation === 'UpdateTimeToLive')).toHaveLength(1)
  })

  it('may be called by several processes at once', async () => {
    const { client, tableName } = await scene()
    await Promise.all([1, 2, 3].map(() => createTable({ client, tableName })))
  })

  it('waits for a table that is being made', async () => {
    const { proxy, client, tableName } = await scene()
    const { intercept } = proxy
    let looks = 0
    proxy.intercept = async (call) => {
      if (call.operation !== 'DescribeTable') return intercept(call)
      looks += 1
      if (looks === 1) return dynamodbError('ResourceNotFoundException')
      const answer = await call.forward()
      const { Table } = answer.body as { Table: object }
      return looks > 3 ? answer : { ...answer, body: { Table: { ...Table, TableStatus: 'CREATING' } } }
    }
    await createTable({ client, tableName })
    expect(looks).toBe(4)
  })

  it.each<readonly [string, Partial<CreateTableCommandInput>]>([
    ['no sort key', { KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }] }],
    [
      'a sort key of another type',
      {
        AttributeDefinitions: [
          { AttributeName: 'pk', AttributeType: 'S' },
          { AttributeName: 'sk', AttributeType: 'S' },
        ],
      },
    ],
  ])('refuses a table with %s', async (what, wrong) => {
    const { client, tableName } = await scene()
    const definitions = [{ AttributeName: 'pk', AttributeType: 'S' as const }]
    await client.send(
      new CreateTableCommand({
        TableName: tableName,
        AttributeDefinitions: definitions,
        KeySchema: [
          { AttributeName: 'pk', KeyType: 'HASH' },
          { AttributeName: 'sk', KeyType: 'RANGE' },
        ],
        BillingMode: 'PAY_PER_REQUEST',
        ...wrong,
      }),
    )
    const error = await thrownBy(() => createTable({ client, tableName }))
    expect(error, what).toMatchObject({ code: 'store_protocol' })
  })

  it('refuses a table that deletes by another attribute', async () => {
    const { client, tableName, ttl } = await scene()
    ttl.attribute = 'expiresAt'
    expect(await thrownBy(() => createTable({ client, tableName }))).toMatchObject({ code: 'store_protocol' })
  })

  it('does not pass over a TTL that is not to be had, unless told to', async () => {
    const { proxy, client, tableName } = await scene()
    proxy.intercept = () => undefined
    expect(await thrownBy(() => createTable({ client, tableName }))).toMatchObject({
      code: 'store_unavailable',
    })
    await createTable({ client, tableName, ttl: false })
  })

  it('gives up in time', async () => {
    const { proxy, client, tableName } = await scene()
    proxy.intercept = () => new Promise(() => {})
    const error = await thrownBy(() => createTable({ client, tableName, timeoutMs: 200 }))
    expect(error).toMatchObject({ code: 'store_unavailable', message: expect.stringContaining('200 ms') })
  })

  it('gives up in time also where the client never comes to send anything', async () => {
    const { proxy, tableName } = await scene()
    const client = localClient(proxy.endpoint, { credentials: () => new Promise(() => {}) })
    afterTest(() => client.destroy())
    const error = await thrownBy(() => createTable({ client, tableName, timeoutMs: 200 }))
    expect(error).toMatchObject({ code: 'store_unavailable', message: expect.stringContaining('200 ms') })
  })

  it.each([0, 2])('makes a table again that is being deleted (seen %i times)', async (looksBefore) => {
    const { proxy, client, tableName, describeTable } = await scene()
    const { intercept } = proxy
    let looks = 0
    let creations = 0
    proxy.intercept = (call) => {
      if (call.operation === 'CreateTable') {
        creations += 1
        return creations === 1 ? dynamodbError('ResourceInUseException') : undefined
      }
      if (call.operation === 'DescribeTable' && ++looks <= looksBefore) {
        return { status: 200, body: { Table: { TableStatus: 'DELETING', KeySchema: [] } } }
      }
      return intercept(call)
    }
    await createTable({ client, tableName })
    expect(creations).toBe(2)
    expect(await describeTable()).toMatchObject({ TableStatus: 'ACTIVE' })
  })

  it.each<readonly [string, object]>([
    ['client', { client: null }],
    ['tableName', { tableName: 'a' }],
    ['ttl', { ttl: 'no' }],
    ['timeoutMs', { timeoutMs: 1 }],
    ['readCapacity', { readCapacity: 5 }],
  ])('checks its options: %s', async (option, wrong) => {
    const { client, tableName } = await scene()
    const options = { client, tableName, ...wrong } as CreateTableOptions
    const error = await thrownBy(() => createTable(options))
    expect(error).toMatchObject({ name: 'TypeError', message: expect.stringContaining(`"${option}"`) })
  })
})

describe('The CloudFormation template in docs/dynamodb.md', () => {
  it('makes the same table', async () => {
    const page = readFileSync(new URL('../../docs/dynamodb.md', import.meta.url), 'utf8')
    const [, text = ''] = /```yaml\n([\s\S]*?)```/.exec(page) ?? []
    const template = parseAllDocuments(text)[0]?.toJS()
    const { TimeToLiveSpecification, DeletionProtectionEnabled, ...properties } =
      template.Resources.RevocationTable.Properties
    expect(TimeToLiveSpecification).toEqual({ AttributeName: 'purgeAt', Enabled: true })
    expect(DeletionProtectionEnabled).toBe(true)
    const { client, tableName, ttl } = await scene()
    await client.send(new CreateTableCommand({ ...properties, TableName: tableName }))
    ttl.attribute = TimeToLiveSpecification.AttributeName
    await createTable({ client, tableName })
    const { store } = { store: (await Scene.create(dynalite())).store({ client, tableName }) }
    await store.add([session('a')])
    await expectFound(store, [session('a')])
  })
})
