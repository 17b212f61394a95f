import {
  copyFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest'
import type { ObserverEvent } from '../../src/observer.js'
import { RevocationMirror } from '../../src/revocation/mirror.js'
import type { Revocation } from '../../src/revocation/revocation.js'
import { storeError } from '../../src/stores/file/file-errors.js'
import type { FileRevocationStoreOptions } from '../../src/stores/file/file-options.js'
import { FileRevocationStore } from '../../src/stores/file/index.js'
import { builtInSqlite, installedSqlite, type SqliteDatabase } from '../../src/stores/file/sqlite.js'

const HOUR = 3_600
const POOL = 'us-east-1_AbCdEfGhI'
const folder = mkdtempSync(join(tmpdir(), 'file-store-'))
const cleanUps: (() => unknown)[] = []
let files = 0

const freshPath = () => join(folder, `${files++}.db`)
const now = () => Math.floor(Date.now() / 1000)
/** The same in every record, however long a test takes. */
const EXPIRES_AT = now() + HOUR
const session = (id: string, expiresAt = EXPIRES_AT): Revocation => ({
  poolId: POOL,
  scope: 'session',
  id,
  expiresAt,
})
const token = (originJti: string) => ({ poolId: POOL, originJti, sub: 's', clientId: 'c', iat: now() })

afterEach(async () => {
  vi.useRealTimers()
  vi.restoreAllMocks()
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp()
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function open(path: string, options: Partial<FileRevocationStoreOptions> = {}): FileRevocationStore {
  const store = new FileRevocationStore({ path, heartbeatMs: 20, pollIntervalMs: 5, ...options })
  cleanUps.push(() => store.close())
  return store
}

/** A connection past the store. */
async function connect(path: string): Promise<SqliteDatabase> {
  const { DatabaseSync } = builtInSqlite() ?? (await installedSqlite())
  const database = new DatabaseSync(path)
  cleanUps.push(() => {
    try {
      database.close()
    } catch {}
  })
  return database
}

/** Is called for each connection that a store opens. */
async function countConnections() {
  const { DatabaseSync } = builtInSqlite() ?? (await installedSqlite())
  const connected = vi.fn()
  class Counted extends DatabaseSync {
    constructor(path: string) {
      super(path)
      connected()
    }
  }
  vi.spyOn(process, 'getBuiltinModule').mockReturnValue({ DatabaseSync: Counted } as never)
  return connected
}

/** Reads from a cursor on until it is caught up. */
async function read(store: FileRevocationStore, after?: string) {
  const controller = new AbortController()
  const ids: string[] = []
  let restarted = false
  const options = { signal: controller.signal }
  for await (const batch of store.changes(after === undefined ? options : { ...options, after })) {
    restarted ||= batch.restarted === true
    ids.push(...batch.revocations.map(({ id }) => id))
    if (batch.caughtUp) return { ids: ids.sort(), cursor: batch.cursor, restarted }
  }
  throw new Error('the feed ended')
}

describe('A FileRevocationStore', () => {
  it.each([
    ['path', undefined],
    ['path', ''],
    ['path', 5],
    ['path', 'a\0b'],
    ['path', ':memory:'],
    ['heartbeatMs', 0],
    ['pollIntervalMs', 1],
    ['maxEntries', 0],
    ['maxEntries', 1.5],
    ['busyTimeoutMs', '5'],
    ['feedLength', 0],
    ['observer', 'log'],
    ['fileName', 'misspelt'],
  ])('names a wrong option: %s (%o)', (name, value) => {
    const create = () => new FileRevocationStore({ path: 'x.db', [name]: value } as never)
    expect(create).toThrow(TypeError)
    expect(create).toThrow(`option "${name}"`)
  })

  it('leads from :memory: to the store that is in memory', () => {
    expect(() => new FileRevocationStore({ path: ':memory:' })).toThrow('MemoryRevocationStore')
  })

  it('makes its files for their owner alone, and not before it is used', async () => {
    const path = freshPath()
    const store = open(path)
    expect(existsSync(path)).toBe(false)
    await store.add([session('a')])
    for (const file of [path, `${path}-wal`]) expect(statSync(file).mode & 0o777).toBe(0o600)
  })

  it('holds after a restart what was added', async () => {
    const path = freshPath()
    const first = open(path)
    await first.add([session('a'), { ...session('u'), scope: 'user', cutoff: 5 }])
    await first.close()
    const second = open(path)
    await second.ready()
    expect(second.findSync(token('a'))).toEqual(session('a'))
    expect(second.findSync({ ...token('b'), sub: 'u', iat: 5 })).toMatchObject({ scope: 'user', cutoff: 5 })
    expect(second.findSync({ ...token('b'), sub: 'u', iat: 6 })).toBeUndefined()
    expect(second.staleness()).toBe(0)
  })

  it('finds at once, in memory or not, what another has added', async () => {
    const path = freshPath()
    const [one, other] = [open(path), open(path)]
    await one.ready()
    for (const id of ['a', 'b', 'c']) {
      expect(one.findSync(token(id))).toBeUndefined()
      await other.add([session(id)])
      expect(one.findSync(token(id))).toBeDefined()
    }
  })

  it('answers nothing once it is closed, and has written what was under way', async () => {
    const path = freshPath()
    const store = open(path)
    const adding = store.add([session('a')])
    await store.close()
    await adding
    await expect(store.find(token('a'))).rejects.toMatchObject({ code: 'store_unavailable' })
    await expect(store.add([session('b')])).rejects.toMatchObject({ code: 'store_unavailable' })
    expect(statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0).toBe(0)
    expect(await open(path).find(token('a'))).toBeDefined()
  })

  it('takes the package where Node has no SQLite', async () => {
    vi.spyOn(process, 'getBuiltinModule').mockReturnValue(undefined as never)
    const store = open(freshPath())
    expect(() => store.findSync(token('a'))).toThrow(expect.objectContaining({ code: 'not_ready' }))
    await store.add([session('a')])
    expect(store.findSync(token('a'))).toBeDefined()
  })
})

describe('A FileRevocationStore that is full', () => {
  it('refuses the call that does not fit, as a whole, and no other of the same turn', async () => {
    const store = open(freshPath(), { maxEntries: 3 })
    const outcomes = await Promise.allSettled([
      store.add([session('a'), session('b')]),
      store.add([session('c'), session('d')]),
      store.add([session('e')]),
      store.add([session('a', now() + 2 * HOUR)]),
    ])
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'fulfilled'])
    expect(outcomes[1]).toMatchObject({ reason: { code: 'store_full' } })
    expect((await read(store)).ids).toEqual(['a', 'b', 'e'])
  })

  it('makes room from what has been over for an hour, and from nothing else', async () => {
    const store = open(freshPath(), { maxEntries: 2 })
    await store.add([session('over', now() - HOUR - 5), session('hardly', now() - HOUR + 60)])
    await store.add([session('new')])
    expect((await read(store)).ids).toEqual(['hardly', 'new'])
    await expect(store.add([session('more')])).rejects.toMatchObject({ code: 'store_full' })
  })

  it('forgets nothing because the wall clock jumps ahead', async () => {
    const store = open(freshPath(), { maxEntries: 1 })
    await store.add([session('a')])
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 30 * 24 * HOUR * 1000 })
    await expect(store.add([session('b')])).rejects.toMatchObject({ code: 'store_full' })
    expect(await store.find(token('a'))).toBeDefined()
  })
})

describe('The feed of a FileRevocationStore', () => {
  it('goes on from a cursor after a restart', async () => {
    const path = freshPath()
    const first = open(path)
    await first.add([session('a')])
    const { cursor } = await read(first)
    await first.add([session('b')])
    await first.close()
    expect(await read(open(path), cursor)).toMatchObject({ ids: ['b'], restarted: false })
  })

  it('starts over where what follows the cursor was trimmed', async () => {
    const store = open(freshPath(), { feedLength: 3 })
    await store.add([session('a')])
    const { cursor } = await read(store)
    for (const id of ['b', 'c']) await store.add([session(id)])
    expect(await read(store, cursor)).toMatchObject({ ids: ['b', 'c'], restarted: false })
    for (const id of ['d', 'e']) await store.add([session(id)])
    expect(await read(store, cursor)).toMatchObject({ ids: ['a', 'b', 'c', 'd', 'e'], restarted: true })
  })

  it('starts over on a copy that went another way, though its numbers fit', async () => {
    const path = freshPath()
    const first = open(path)
    await first.add([session('a')])
    await first.close()
    const copy = freshPath()
    copyFileSync(path, copy)
    const [store, other] = [open(path), open(copy)]
    await store.add([session('b')])
    const { cursor } = await read(store)
    for (const id of ['x', 'y']) await other.add([session(id)])
    expect(await read(other, cursor)).toMatchObject({ ids: ['a', 'x', 'y'], restarted: true })
  })
})

describe('A file that was deleted or replaced', () => {
  it('is not asked any more: everything rejects while there is none', async () => {
    const path = freshPath()
    const store = open(path)
    await store.add([session('a')])
    for (const suffix of ['', '-wal', '-shm']) rmSync(path + suffix)
    await vi.waitFor(() =>
      expect(store.find(token('a'))).rejects.toMatchObject({ code: 'store_unavailable' }),
    )
    await expect(store.add([session('b')])).rejects.toMatchObject({ code: 'store_unavailable' })
    expect(existsSync(path)).toBe(false)
  })

  it('takes no add: what is acknowledged is in the file that is there now', async () => {
    const path = freshPath()
    // However long the old one is believed in.
    const observer = vi.fn()
    const store = open(path, { pollIntervalMs: 60_000, observer })
    await store.add([session('a')])
    const fresh = freshPath()
    await open(fresh).add([session('z')])
    for (const suffix of ['', '-wal', '-shm']) renameSync(fresh + suffix, path + suffix)
    await store.add([session('b')])
    expect((await read(open(path))).ids).toEqual(['b', 'z'])
    expect(observer).toHaveBeenCalledExactlyOnceWith({ type: 'file_replaced' })
  })

  it('is opened anew, and gets back from a mirror what it lacks', async () => {
    const path = freshPath()
    const events: ObserverEvent[] = []
    const store = open(path, { observer: (event) => events.push(event) })
    await store.add([session('a')])
    await store.close()
    copyFileSync(path, `${path}.bak`)
    const again = open(path, { observer: (event) => events.push(event) })
    const mirror = new RevocationMirror(again)
    cleanUps.push(() => mirror.close())
    await mirror.ready()
    await mirror.add([session('b')])
    for (const suffix of ['', '-wal', '-shm']) rmSync(path + suffix)
    renameSync(`${path}.bak`, path)
    const reader = open(path)
    await vi.waitFor(async () => expect(await reader.find(token('b'))).toBeDefined(), 10_000)
    expect(events).toContainEqual({ type: 'file_replaced' })
  })
})

describe('A backup that is put in place of the file', () => {
  /** A store with `a` in its backup, and `b` in the log, whose file the backup has just replaced. */
  const withBackupBesideLog = async () => {
    const path = freshPath()
    const store = open(path)
    await store.add([session('a')])
    const database = await connect(path)
    database.exec('PRAGMA wal_checkpoint(TRUNCATE)')
    copyFileSync(path, `${path}.bak`)
    copyFileSync(path, `${path}.again`)
    await store.add(Array.from({ length: 50 }, (_, index) => session(`b${index}`)))
    database.exec('PRAGMA wal_checkpoint(RESTART)')
    await store.add([session('c')])
    renameSync(`${path}.bak`, path)
    return { path, store }
  }

  it('is refused where the old log was left beside it, which SQLite would write over it', async () => {
    const { path, store } = await withBackupBesideLog()
    await expect(store.add([session('d')])).rejects.toMatchObject({ code: 'store_protocol' })
    await expect(store.add([session('d')])).rejects.toThrow('-wal and -shm')
    await expect(store.find(token('a'))).rejects.toMatchObject({ code: 'store_protocol' })
    expect(() => store.findSync(token('a'))).toThrow(expect.objectContaining({ code: 'store_protocol' }))
    await expect(read(store)).rejects.toMatchObject({ code: 'store_protocol' })
    expect(readFileSync(path).equals(readFileSync(`${path}.again`))).toBe(true)
  })

  it('is refused for that also where the file was away in between', async () => {
    const { path, store } = await withBackupBesideLog()
    renameSync(path, `${path}.bak`)
    await expect(store.add([session('d')])).rejects.toMatchObject({ code: 'store_unavailable' })
    renameSync(`${path}.bak`, path)
    await expect(store.add([session('d')])).rejects.toMatchObject({ code: 'store_protocol' })
  })

  it('is opened once the old log is removed', async () => {
    const { path, store } = await withBackupBesideLog()
    await expect(store.add([session('d')])).rejects.toMatchObject({ code: 'store_protocol' })
    for (const suffix of ['-wal', '-shm']) rmSync(path + suffix, { force: true })
    renameSync(`${path}.again`, path)
    await store.add([session('d')])
    expect((await read(open(path))).ids).toEqual(['a', 'd'])
  })

  it('is the one that is used also where it comes in the midst of opening', async () => {
    const [path, fresh] = [freshPath(), freshPath()]
    for (const [file, id] of [
      [path, 'old'],
      [fresh, 'new'],
    ] as const) {
      await using store = open(file)
      await store.add([session(id)])
    }
    const { DatabaseSync } = builtInSqlite() ?? (await installedSqlite())
    class Overtaken {
      constructor(name: string) {
        const database = new DatabaseSync(name)
        if (existsSync(fresh)) {
          // What SQLite opens is what was there, with its log.
          database.prepare('SELECT entries FROM state').get()
          for (const suffix of ['', '-wal', '-shm']) rmSync(path + suffix, { force: true })
          renameSync(fresh, path)
        }
        // biome-ignore lint/correctness/noConstructorReturn: it is a connection of SQLite itself
        return database
      }
    }
    vi.spyOn(process, 'getBuiltinModule').mockReturnValue({ DatabaseSync: Overtaken } as never)
    const store = open(path)
    vi.restoreAllMocks()
    await store.add([session('added')])
    expect((await read(open(path))).ids).toEqual(['added', 'new'])
  })
})

describe('A file that is not what it should be', () => {
  const refuses = async (path: string, code: string) => {
    const before = readFileSync(path)
    const store = open(path)
    await expect(store.ready()).rejects.toMatchObject({ code })
    await expect(store.add([session('a')])).rejects.toMatchObject({ code })
    await expect(store.find(token('a'))).rejects.toMatchObject({ code })
    expect(() => store.findSync(token('a'))).toThrow(expect.objectContaining({ code }))
    expect(readFileSync(path).equals(before)).toBe(true)
  }

  it('is refused, and left as it is, where it is no database', async () => {
    const path = freshPath()
    writeFileSync(path, 'Dear diary, '.repeat(500))
    await refuses(path, 'store_protocol')
  })

  it("is refused, and left as it is, where it is somebody else's database", async () => {
    const path = freshPath()
    const database = await connect(path)
    database.exec('CREATE TABLE diary (entry TEXT)')
    database.close()
    await refuses(path, 'store_protocol')
  })

  it('is refused, and left as it is, where a newer version has made it', async () => {
    const path = freshPath()
    const store = open(path)
    await store.ready()
    await store.close()
    const database = await connect(path)
    // All of it, for the package closes a connection only when it is collected.
    database.exec('PRAGMA user_version = 2; PRAGMA wal_checkpoint(TRUNCATE)')
    database.close()
    await refuses(path, 'store_protocol')
  })

  it('is not opened again for each look-up', async () => {
    const path = freshPath()
    writeFileSync(path, 'Dear diary, '.repeat(500))
    const connected = await countConnections()
    vi.spyOn(performance, 'now').mockReturnValue(performance.now())
    const store = open(path)
    for (let call = 0; call < 20; call++) {
      await expect(store.find(token('a'))).rejects.toMatchObject({ code: 'store_protocol' })
      expect(() => store.findSync(token('a'))).toThrow(expect.objectContaining({ code: 'store_protocol' }))
    }
    expect(connected).toHaveBeenCalledOnce()
  })

  it('is let go at once where a transaction fails in it: others can write', async () => {
    const path = freshPath()
    // The package ends a connection only when its garbage is collected.
    vi.spyOn(process, 'getBuiltinModule').mockReturnValue(undefined as never)
    const store = open(path)
    await store.add([session('a')])
    vi.restoreAllMocks()
    const other = await connect(path)
    const { generation } = other.prepare('SELECT generation FROM state').get() as { generation: string }
    other.exec('DELETE FROM state')
    const realNow = performance.now.bind(performance)
    vi.spyOn(performance, 'now').mockImplementation(() => realNow() + 5_000)
    await expect(store.add([session('b')])).rejects.toMatchObject({ code: 'store_protocol' })
    other.prepare('INSERT INTO state VALUES (1, ?, 1)').run(generation)
    await store.add([session('b')])
    expect((await read(store)).ids).toEqual(['a', 'b'])
  })

  it('rejects where its folder is not there', async () => {
    const store = open(join(folder, 'nowhere', 'x.db'))
    await expect(store.ready()).rejects.toMatchObject({ code: 'store_unavailable' })
  })

  it('rejects where it is damaged, and says nothing of not being revoked', async () => {
    const path = freshPath()
    const store = open(path)
    await store.add(Array.from({ length: 500 }, (_, index) => session(`s${index}`)))
    await store.close()
    const bytes = readFileSync(path)
    bytes.fill(0x5a, 4_096)
    writeFileSync(path, bytes)
    await expect(open(path).find(token('s1'))).rejects.toMatchObject({ code: 'store_protocol' })
  })

  it('says by the error of SQLite itself that the disk is full', async () => {
    const database = await connect(freshPath())
    database.exec('PRAGMA max_page_count = 2; CREATE TABLE a (b)')
    try {
      database.exec('CREATE TABLE c (d)')
    } catch (error) {
      expect(storeError(error)).toMatchObject({ code: 'store_full', cause: error })
      return
    }
    throw new Error('there was room')
  })
})

describe('A file that another process locks', () => {
  /** One that cannot even be read. */
  const lockedPath = async () => {
    const [made, path] = [freshPath(), freshPath()]
    const store = open(made)
    await store.add([session('a')])
    await store.close()
    copyFileSync(made, path)
    const other = await connect(path)
    other.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN IMMEDIATE; DELETE FROM changes; COMMIT')
    return path
  }

  it('is opened once, however often it is asked meanwhile', async () => {
    const path = await lockedPath()
    const connected = await countConnections()
    const store = open(path, { busyTimeoutMs: 100 })
    for (let call = 0; call < 2; call++) {
      await expect(store.find(token('a'))).rejects.toMatchObject({ code: 'store_unavailable' })
    }
    expect(connected).toHaveBeenCalledOnce()
  })

  it('does not hold up the end of a feed', async () => {
    const store = open(await lockedPath(), { busyTimeoutMs: 60_000 })
    const controller = new AbortController()
    const next = store.changes({ signal: controller.signal }).next()
    await new Promise((resolve) => setTimeout(resolve, 20))
    controller.abort()
    expect(await next).toEqual({ done: true, value: undefined })
  })

  it('is waited for, without holding up the event loop', async () => {
    const path = freshPath()
    const store = open(path, { busyTimeoutMs: 20_000 })
    await store.add([session('a')])
    const other = await connect(path)
    other.exec('BEGIN IMMEDIATE')
    const adding = store.add([session('b')])
    // Look-ups need no lock, and turns go on.
    for (let turn = 0; turn < 20; turn++) {
      expect(await store.find(token('a'))).toBeDefined()
      await new Promise((resolve) => setTimeout(resolve, 1))
    }
    other.exec('COMMIT')
    await adding
    expect(await store.find(token('b'))).toBeDefined()
  })

  it('is given up after busyTimeoutMs', async () => {
    const path = freshPath()
    const store = open(path, { busyTimeoutMs: 50 })
    await store.ready()
    const other = await connect(path)
    other.exec('BEGIN IMMEDIATE')
    await expect(store.add([session('a')])).rejects.toMatchObject({ code: 'store_unavailable' })
    expect(await store.find(token('a'))).toBeUndefined()
    other.exec('ROLLBACK')
    await store.add([session('a')])
    expect(await store.find(token('a'))).toBeDefined()
  })
})
