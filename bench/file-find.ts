/**
 * How fast `FileRevocationStore` looks up, against the bare prepared statement on the same file:
 * `node --expose-gc --import tsx bench/file-find.ts [--quick]`
 */
import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { FileRevocationStore } from '../src/stores/file/index.js'
import { lookUpParameters } from '../src/stores/file/records.js'
import { FIND } from '../src/stores/file/revocation-database.js'
import { builtInSqlite, installedSqlite } from '../src/stores/file/sqlite.js'
import type { TokenIdentity } from '../src/tokens/token-identity.js'
import { collectYoung, heading, isQuick, median, reportRatio } from './measure.js'
import { takeTurns } from './redis/turns.js'

const entries = isQuick ? 20_000 : 100_000
const lookUps = isQuick ? 5_000 : 20_000
const rounds = isQuick ? 3 : 11

const poolId = 'us-east-1_AbCdEfGhI'
const iat = Math.floor(Date.now() / 1000)

function tokens(): TokenIdentity[] {
  const made = Array.from({ length: lookUps }, () => ({
    ...{ poolId, jti: randomUUID(), originJti: randomUUID(), sub: randomUUID() },
    ...{ clientId: '1example23456789abcdefghij', iat, authTime: iat },
  }))
  collectYoung()
  return made
}

/** Microseconds each. */
async function timed(run: (token: TokenIdentity) => unknown): Promise<number> {
  const list = tokens()
  const startedAt = process.hrtime.bigint()
  for (const token of list) await run(token)
  return Number(process.hrtime.bigint() - startedAt) / list.length / 1_000
}

const folder = mkdtempSync(join(tmpdir(), 'file-find-'))
const path = join(folder, 'revocations.db')
const store = new FileRevocationStore({ path })
const expiresAt = iat + 86_400
await store.add(
  Array.from({ length: entries }, () => ({ poolId, scope: 'session', id: randomUUID(), expiresAt })),
)
const { DatabaseSync } = builtInSqlite() ?? (await installedSqlite())
const bare = new DatabaseSync(path)
const statement = bare.prepare(FIND)
heading(
  `Look-ups among ${entries.toLocaleString('en')} revocations, against the bare statement: time for each`,
)
const of = await takeTurns(
  {
    bare: () => timed((token) => statement.all(...lookUpParameters(token)).length),
    findSync: () => timed((token) => store.findSync(token)),
    find: () => timed((token) => store.find(token)),
  },
  { rounds, warmUps: 2 },
)
reportRatio('findSync', [median(of.findSync), median(of.bare)], 'µs', 1.25)
reportRatio('find', [median(of.find), median(of.bare)], 'µs', 1.5)
bare.close()
await store.close()
rmSync(folder, { recursive: true })
