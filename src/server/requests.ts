import { systemClock } from '../clock.js'
import { withDeadline } from '../deadline.js'
import { CutoffInFutureError, NotReadyError } from '../errors.js'
import type { RevocationMatch } from '../revocation/revocation.js'
import { assertFound, type RevocationStore } from '../revocation/store.js'
import {
  asArray,
  asObject,
  assertMatches,
  decodeRecord,
  decodeToken,
  encodeMatch,
  REQUEST_ID,
} from '../stores/http/wire.js'
import type { TokenIdentity } from '../tokens/token-identity.js'
import { type ApiKey, mayTouch } from './api-keys.js'
import type { Places } from './places.js'
import { Refusal, requestRefusal, storeRefusal } from './refusal.js'

/** What the requests need. */
export interface RequestOptions {
  readonly store: RevocationStore
  readonly maxBatch: number
  readonly storeTimeoutMs: number
}

/** Records what a body says: all of it, or nothing where a part of it is refused. @throws Refusal */
export async function addRevocations(
  options: RequestOptions,
  key: ApiKey,
  body: unknown,
): Promise<Answered & { readonly recorded: number }> {
  const nowSeconds = systemClock() / 1000
  const { entries, ...answered } = readBody(body, 'revocations', options.maxBatch)
  const records = entries.map((entry, index) => {
    const field = `revocations[${index}]`
    try {
      return decodeRecord(entry, nowSeconds)
    } catch (error) {
      const code = error instanceof CutoffInFutureError ? 'cutoff_in_future' : 'record_invalid'
      throw new Refusal(code, { detail: `${field}: ${messageOf(error)}`, field })
    }
  })
  assertPools(key, 'revocations', records)
  if (records.length > 0) await asked(options, () => options.store.add(records))
  return { ...answered, recorded: records.length }
}

/** Looks up what a body says. @throws Refusal */
export async function findMatches(
  options: RequestOptions,
  key: ApiKey,
  body: unknown,
  places: Places,
): Promise<Answered & { readonly matches: readonly (RevocationMatch | null)[] }> {
  const { entries, ...answered } = readBody(body, 'tokens', options.maxBatch)
  const tokens = entries.map((entry, index) => {
    const field = `tokens[${index}]`
    try {
      return decodeToken(entry)
    } catch (error) {
      throw new Refusal('token_invalid', { detail: `${field}: ${messageOf(error)}`, field })
    }
  })
  assertPools(key, 'tokens', tokens)
  const free = places.take(key.who, tokens.length)
  if (free === undefined) throw new Refusal('overloaded')
  const finding = tokens.map((token) => findMatch(options.store, token))
  // When the store has answered, and not when it is not waited for any longer.
  void Promise.allSettled(finding).then(free)
  return { ...answered, matches: await asked(options, () => Promise.all(finding)) }
}

/** Whether the store answers. @throws Refusal */
export async function probe(options: RequestOptions): Promise<void> {
  const nobody = { poolId: 'readiness', sub: 'readiness', clientId: 'readiness', iat: 0 }
  try {
    await asked(options, () => findMatch(options.store, nobody))
  } catch (cause) {
    throw new Refusal('not_ready', { cause })
  }
}

async function findMatch(store: RevocationStore, token: TokenIdentity): Promise<RevocationMatch | null> {
  const found = await findOrRecall(store, token)
  assertFound(found)
  if (found !== undefined) assertMatches(found, token)
  return encodeMatch(found)
}

async function findOrRecall(
  store: RevocationStore,
  token: TokenIdentity,
): Promise<RevocationMatch | undefined> {
  if (store.findSync === undefined) return store.find(token)
  try {
    return store.findSync(token)
  } catch (error) {
    if (error instanceof NotReadyError) return store.find(token)
    throw error
  }
}

async function asked<T>({ storeTimeoutMs }: RequestOptions, ask: () => Promise<T>): Promise<T> {
  try {
    return await withDeadline('The store', storeTimeoutMs, ask())
  } catch (error) {
    throw storeRefusal(error)
  }
}

/** What a request is called by its client, if it is: given back, so that no other answer is taken for this one. */
interface Answered {
  readonly request?: string
}

function readBody(
  body: unknown,
  name: string,
  maxBatch: number,
): Answered & { readonly entries: readonly unknown[] } {
  let entries: readonly unknown[]
  let request: unknown
  try {
    const fields = asObject('The body', body, ['request', name])
    request = fields.request
    entries = asArray(name, fields[name], Number.MAX_SAFE_INTEGER)
  } catch (error) {
    throw new Refusal('request_malformed', { detail: messageOf(error), field: name })
  }
  if (request !== undefined && !(typeof request === 'string' && REQUEST_ID.test(request)))
    throw requestRefusal()
  if (entries.length <= maxBatch) return request === undefined ? { entries } : { request, entries }
  throw new Refusal('body_too_large', { detail: `${name} has over ${maxBatch} entries`, field: name })
}

function assertPools(key: ApiKey, name: string, entries: readonly { readonly poolId: string }[]): void {
  const index = entries.findIndex(({ poolId }) => !mayTouch(key, poolId))
  if (index >= 0) throw new Refusal('pool_not_allowed', { field: `${name}[${index}].poolId` })
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
