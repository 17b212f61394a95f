import { createHash } from 'node:crypto'
import { StoreProtocolError } from '../../errors.js'
import type { RedisConnection } from './redis-client.js'

/**
 * Begins a script that only reads. Redis takes it for one that may write, and so refuses it on a replica,
 * whose answers may be old; `allow-oom` lets it run where memory is full.
 */
const ON_PRIMARY = '#!lua flags=allow-oom\n'
/**
 * For a primary that takes no writes since its disk is full. One whose replicas are away (NOREPLICAS) is not asked
 * in this way: it may have been cut off, while another takes its place. A replica would run
 * this too, and it may be one that says MISCONF before it says READONLY.
 */
const READ_ONLY = `#!lua flags=no-writes
if not string.find(redis.call('INFO', 'replication'), 'role:master', 1, true) then
  return redis.error_reply('READONLY this is a replica')
end
`

/** A Lua script, sent by its hash; whole where the server does not know it yet. */
export class Script {
  readonly #body: string
  readonly #sha: string

  constructor(body: string) {
    this.#body = body
    this.#sha = createHash('sha1').update(body).digest('hex')
  }

  /** The command that runs it whole. */
  command(keys: readonly string[], args: readonly string[]): string[] {
    return ['EVAL', this.#body, String(keys.length), ...keys, ...args]
  }

  async run(connection: RedisConnection, keys: readonly string[], args: readonly string[]): Promise<unknown> {
    const key = keys[0] as string
    try {
      return await connection.send(key, ['EVALSHA', this.#sha, String(keys.length), ...keys, ...args])
    } catch (error) {
      if (!startsWith(error, 'NOSCRIPT')) throw error
      return connection.send(key, this.command(keys, args))
    }
  }
}

/** A script that reads, on the primary only. */
class ReadScript {
  readonly #onPrimary: Script
  readonly #readOnly: Script

  constructor(body: string) {
    this.#onPrimary = new Script(ON_PRIMARY + body)
    this.#readOnly = new Script(READ_ONLY + body)
  }

  async run(connection: RedisConnection, keys: readonly string[], args: readonly string[]): Promise<unknown> {
    try {
      return await this.#onPrimary.run(connection, keys, args)
    } catch (error) {
      if (startsWith(error, 'MISCONF')) {
        return this.#readOnly.run(connection, keys, args)
      }
      throw error
    }
  }
}

function startsWith(error: unknown, code: string): boolean {
  return error instanceof Error && error.message.startsWith(code)
}

/** Whether the data are whole: both sorted sets carry the mark of the generation that `meta` names. */
const INTACT = `
local function intact(expires, cutoffs, meta)
  local generation = redis.call('HGET', meta, 'generation')
  if not generation then return redis.call('EXISTS', expires, cutoffs) == 0 end
  local mark = 'g:' .. generation
  return redis.call('ZSCORE', expires, mark) and redis.call('ZSCORE', cutoffs, mark)
end
`

/** Which process of Redis it is: a position of ZSCAN means nothing to another, though it holds the same. */
const RUN_ID = `
local function run_id()
  return string.match(redis.call('INFO', 'server'), 'run_id:(%w+)') or ''
end
`

/**
 * KEYS expires, cutoffs, meta, feed. ARGV layout, nonce, epoch seconds, feed length, then for each record
 * member, expiresAt, cutoff ('' where there can be none), audit ('' for none).
 *
 * Nothing is read to be written: ZADD GT keeps the larger. Each entry of the feed names the one before it, so
 * that a reader sees by himself when one is missing, whatever took it: trimming, a flush, another primary.
 * What is lost in part begins a new generation and a new feed, whose first entry does not follow on from nothing:
 * who has read nothing yet must read what was left. Gives the generation.
 */
export const ADD = new Script(`#!lua
${INTACT}
local expires, cutoffs, meta, feed = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local layout, nonce, now, length = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4]
local present = redis.call('HGET', meta, 'layout')
if present and present ~= layout then return redis.error_reply('LAYOUT ' .. present) end
if not present or not redis.call('HGET', meta, 'generation') or not intact(expires, cutoffs, meta) then
  redis.call('DEL', feed)
  local first = redis.call('EXISTS', expires, cutoffs) == 0 and '' or nonce
  redis.call('HSET', meta, 'layout', layout, 'generation', nonce, 'head', first)
  redis.call('ZADD', expires, '+inf', 'g:' .. nonce)
  redis.call('ZADD', cutoffs, '+inf', 'g:' .. nonce)
end
local head = redis.call('HGET', meta, 'head') or ''
for i = 5, #ARGV, 4 do
  local member, expiry, cutoff, audit = ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3]
  redis.call('ZADD', expires, 'GT', expiry, member)
  if cutoff ~= '' then redis.call('ZADD', cutoffs, 'GT', cutoff, member) end
  local entry = {'after', head, 'nonce', nonce, 'member', member, 'expires', expiry}
  if cutoff ~= '' then entry[9], entry[10] = 'cutoff', cutoff end
  if audit ~= '' then entry[#entry + 1], entry[#entry + 2] = 'audit', audit end
  local id = redis.call('XADD', feed, 'MAXLEN', '~', length, '*', unpack(entry))
  head = id .. '/' .. nonce
end
redis.call('HSET', meta, 'head', head)
local time = tonumber(redis.call('TIME')[1])
if now < time then time = now end
local over = redis.call('ZRANGEBYSCORE', expires, '-inf', time - 3600, 'LIMIT', 0, 200)
if #over > 0 then
  redis.call('ZREM', expires, unpack(over))
  redis.call('ZREM', cutoffs, unpack(over))
end
return redis.call('HGET', meta, 'generation')
`)

/** KEYS meta. ARGV layout. Writes down the layout where there is none, and gives the one that holds. */
export const CLAIM = new Script(`#!lua
redis.call('HSETNX', KEYS[1], 'layout', ARGV[1])
return redis.call('HGET', KEYS[1], 'layout')
`)

/** KEYS meta. Gives the layout, or false. */
export const LAYOUT = new ReadScript(`return redis.call('HGET', KEYS[1], 'layout')`)

/**
 * KEYS expires, cutoffs, meta. ARGV members. Gives nil where none of them is there, else for each that is its
 * position, from 1 on, its expiresAt and its cutoff, in one list. Sessions and tokens have no cutoff to look for.
 */
export const FIND = new ReadScript(`
local expires, cutoffs = KEYS[1], KEYS[2]
local scores = redis.call('ZMSCORE', expires, unpack(ARGV))
local found, n = {}, 0
for i = 1, #ARGV do
  local score = scores[i]
  if score then
    local letter = string.byte(ARGV[i])
    found[n + 1], found[n + 2] = i, score
    found[n + 3] = letter ~= 115 and letter ~= 116 and redis.call('ZSCORE', cutoffs, ARGV[i])
    n = n + 3
  end
end
if n > 0 then return found end
if redis.call('EXISTS', expires) == 0 and redis.call('HEXISTS', KEYS[3], 'generation') == 1 then
  return redis.error_reply('LOST the revocations are gone, but not what belongs to them: were they evicted?')
end
return false
`)

/**
 * KEYS expires, cutoffs, meta, feed. ARGV the id of the last entry read, how many at most (0 for none). Gives the layout,
 * whether the data are whole, the head, the id of the stream's last entry, the entries that follow, and the generation.
 * The entries as one text: clients take far longer over a list of lists.
 */
export const TAIL = new ReadScript(`${INTACT}
local last = redis.call('XREVRANGE', KEYS[4], '+', '-', 'COUNT', 1)[1]
local meta = redis.call('HMGET', KEYS[3], 'layout', 'head', 'generation')
local entries = ARGV[2] == '0' and {} or redis.call('XRANGE', KEYS[4], '(' .. ARGV[1], '+', 'COUNT', ARGV[2])
return {
  meta[1] or '', intact(KEYS[1], KEYS[2], KEYS[3]) and '1' or '0', meta[2] or '', last and last[1] or '0-0',
  #entries > 0 and cjson.encode(entries) or '[]', meta[3] or '',
}
`)

/**
 * KEYS expires, cutoffs. ARGV cursor, how many about. Gives the next cursor, members with expiresAt, the cutoffs
 * ('' where lost) of those that may have one, and the server's run_id. The members as one text: clients take far
 * longer over a list of a thousand.
 */
export const SCAN = new ReadScript(`${RUN_ID}
local page = redis.call('ZSCAN', KEYS[1], ARGV[1], 'COUNT', ARGV[2])
local members, wide, cutoffs = page[2], {}, {}
for i = 1, #members, 2 do
  local letter = string.byte(members[i])
  if letter ~= 115 and letter ~= 116 then wide[#wide + 1] = members[i] end
end
if #wide > 0 then cutoffs = redis.call('ZMSCORE', KEYS[2], unpack(wide)) end
for i = 1, #wide do cutoffs[i] = cutoffs[i] or '' end
return {page[1], #members > 0 and cjson.encode(members) or '[]', cutoffs, run_id()}
`)

/** KEYS meta (for its slot). Gives maxmemory-policy, or false where it may not be asked. */
export const EVICTION = new ReadScript(`
local info = redis.pcall('INFO', 'memory')
return type(info) == 'string' and string.match(info, 'maxmemory_policy:([%w-]+)')
`)

/** @throws StoreProtocolError where Redis says that it holds another layout */
export function assertLayout(namespace: string, expected: string, actual: unknown): void {
  // It may hold none yet. Whatever else it says is another.
  if (actual !== null && actual !== '' && actual !== expected) {
    throw new StoreProtocolError(
      `Namespace "${namespace}" of this Redis has another layout (${actual}) than this store (${expected}): ` +
        'give all stores the same number of shards, or a namespace of their own',
    )
  }
}
