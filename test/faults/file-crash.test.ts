import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { FileRevocationStore } from '../../src/stores/file/index.js'

const KILLS = 100
const poolId = 'us-east-1_AbCdEfGhI'

// In the repository, so that the worker finds the packages that are installed here.
const cache = fileURLToPath(new URL('../../.cache', import.meta.url))
let folder = ''
let worker = ''
const running = new Set<ChildProcess>()

beforeAll(async () => {
  mkdirSync(cache, { recursive: true })
  folder = mkdtempSync(join(cache, 'file-crash-'))
  worker = join(folder, 'writer.cjs')
  await build({
    entryPoints: [fileURLToPath(new URL('./file-writer.ts', import.meta.url))],
    outfile: worker,
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    logLevel: 'error',
  })
})

afterAll(() => {
  for (const child of running) child.kill('SIGKILL')
  rmSync(folder, { recursive: true, force: true })
})

/** Writes until it is killed, some time after its first acknowledgement. Gives what it has acknowledged. */
async function writeUntilKilled(path: string): Promise<string[]> {
  const child = spawn(process.execPath, [worker, JSON.stringify({ path, poolId })], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NODE_OPTIONS: '' },
  })
  running.add(child)
  let said = ''
  let complaints = ''
  child.stderr.on('data', (chunk) => {
    complaints += chunk
  })
  const begun = new Promise<void>((resolve) => {
    child.stdout.on('data', (chunk) => {
      said += chunk
      resolve()
    })
  })
  const ended = once(child, 'close')
  await Promise.race([begun, ended])
  await pause(Math.random() * 40)
  child.kill('SIGKILL')
  const [, signal] = await ended
  running.delete(child)
  if (signal !== 'SIGKILL') throw new Error(`The writer ended by itself: ${complaints}`)
  // A line that was cut off was not told.
  return said.split('\n').slice(0, -1)
}

async function assertAllFound(path: string, ids: readonly string[]): Promise<void> {
  const store = new FileRevocationStore({ path })
  const token = { poolId, sub: 's', clientId: 'c', iat: 1 }
  const lost: string[] = []
  for (const id of ids) if ((await store.find({ ...token, originJti: id })) === undefined) lost.push(id)
  await store.close()
  expect(lost).toEqual([])
}

/** A reader that goes on from a cursor until it is caught up. */
async function readOn(
  path: string,
  after: string,
): Promise<{ ids: string[]; cursor: string; restarted: boolean }> {
  const store = new FileRevocationStore({ path })
  const ids: string[] = []
  let restarted = false
  try {
    for await (const batch of store.changes({ after, signal: new AbortController().signal })) {
      restarted ||= batch.restarted === true
      for (const { id } of batch.revocations) ids.push(id)
      if (batch.caughtUp) return { ids, cursor: batch.cursor, restarted }
    }
    throw new Error('the feed ended')
  } finally {
    await store.close()
  }
}

describe('A FileRevocationStore whose process is killed by SIGKILL while it writes', () => {
  it(`has lost nothing acknowledged after ${KILLS} kills, of one writer or of two, nor has its feed`, async () => {
    const path = join(folder, 'revocations.db')
    let { cursor } = await readOn(path, '')
    const all: string[] = []
    for (let kills = 0; kills < KILLS; ) {
      const writers = kills % 4 === 2 ? 2 : 1
      const acknowledged = (
        await Promise.all(Array.from({ length: writers }, () => writeUntilKilled(path)))
      ).flat()
      kills += writers
      all.push(...acknowledged)
      await assertAllFound(path, acknowledged)
      const news = await readOn(path, cursor)
      expect(news.restarted).toBe(false)
      const delivered = new Set(news.ids)
      expect(acknowledged.filter((id) => !delivered.has(id))).toEqual([])
      cursor = news.cursor
    }
    expect(all.length).toBeGreaterThan(KILLS)
    await assertAllFound(path, all)
    const everything = new Set((await readOn(path, '')).ids)
    expect(all.filter((id) => !everything.has(id))).toEqual([])
  }, 120_000)
})
