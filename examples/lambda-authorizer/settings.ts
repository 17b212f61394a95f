import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { DynamoDBRevocationStore } from 'cognito-revocation/dynamodb'

const { USER_POOL_ID = '', CLIENT_ID = '', TABLE_NAME = '', ISSUER } = process.env

export const pool = {
  userPoolId: USER_POOL_ID,
  clientId: CLIENT_ID,
  // An emulator's; Cognito's own follows from the user pool.
  ...(ISSUER ? { issuer: ISSUER } : {}),
}

/** Asked directly, without a mirror: a function is frozen between calls, and follows no feed meanwhile. */
export const store = new DynamoDBRevocationStore({ client: new DynamoDBClient({}), tableName: TABLE_NAME })
