import { describe, expect, it } from 'vitest'
import { createTable } from '../../src/stores/dynamodb/index.js'
import { Dynalite, localClient } from '../support/dynalite.js'
import { bundleOf, Child } from './child.js'
import type { DynamoDBIdleSettings } from './dynamodb-idle-worker.js'
import { until } from './until.js'

const states: readonly (readonly [state: string, bring: (dynalite: Dynalite) => unknown])[] = [
  ['is well', () => {}],
  ['hangs', (dynalite) => dynalite.freeze()],
  ['refuses connections', (dynalite) => dynalite.stop()],
]

describe('A script that forgets its mirror over DynamoDB', () => {
  it.each(states)('ends by itself while DynamoDB %s', async (_, bring) => {
    const dynalite = await Dynalite.start()
    const client = localClient(dynalite.endpoint)
    const settings: DynamoDBIdleSettings = { endpoint: dynalite.endpoint, tableName: 'idle' }
    let child: Child | undefined
    try {
      await createTable({ client, tableName: settings.tableName, ttl: false })
      let isReady = false
      const running = new Child(await bundleOf('dynamodb-idle-worker'), settings, {
        onMessage: () => {
          isReady = true
        },
      })
      child = running
      await until(
        () => isReady,
        () => `the mirror is ready: ${running.output}`,
      )
      await bring(dynalite)
      running.send({ type: 'close' })
      await until(
        () => running.hasEnded,
        () => `the script has ended: ${running.output}`,
      )
      expect(running.status).toBe(0)
    } finally {
      await child?.kill()
      client.destroy()
      await dynalite.stop()
    }
  })
})
