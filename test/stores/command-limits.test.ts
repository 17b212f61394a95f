import { describe, expect, it } from 'vitest'
import { CommandLimits } from '../../src/stores/redis/command-limits.js'

/** A connection to a server that hangs; the client lets go of what it holds when the test says so. */
function hangingConnection() {
  const held: (() => void)[] = []
  const send = () => new Promise<unknown>((resolve) => held.push(() => resolve('late')))
  return { connection: { send, pipeline: async () => [] }, held }
}

describe('The limits of commands', () => {
  it('count what the client still holds, also when nobody waits for it any more', async () => {
    const { connection, held } = hangingConnection()
    const limits = new CommandLimits(connection, 20)
    const all = await Promise.allSettled(Array.from({ length: 10_000 }, () => limits.send('key', ['PING'])))
    expect(all.every(({ status }) => status === 'rejected')).toBe(true)
    await expect(limits.send('key', ['PING'])).rejects.toThrow('10000 commands wait')
    expect(held).toHaveLength(10_000)
    held.pop()?.()
    await new Promise((resolve) => setImmediate(resolve))
    await expect(limits.send('key', ['PING'])).rejects.toThrow('no answer within 20 ms')
    expect(held).toHaveLength(10_000)
  })

  it('leave nothing counted where the client throws at once', async () => {
    const send = () => {
      throw new Error('not connected')
    }
    const limits = new CommandLimits({ send, pipeline: send }, 20)
    for (let time = 0; time < 10_001; time++) {
      await expect(limits.send('key', ['PING'])).rejects.toThrow('not connected')
    }
  })
})
