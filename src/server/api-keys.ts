import { createHash, hkdfSync, timingSafeEqual } from 'node:crypto'
import { assertOptions, assertString, optionError } from '../options.js'
import { isApiKey } from '../stores/http/http-options.js'
import { isIdentifier } from '../tokens/claims.js'

/** What a key may do. `write` does not include `read`. */
export type ApiKeyRight = 'read' | 'write'

/** An API key of a `RevocationService`. Whoever has it can do what its rights say: treat it as a password. */
export interface ApiKeyOptions {
  /** Its name, for the observer. Never the key itself. */
  readonly id: string
  /** The key: 32 to 1,024 visible ASCII characters, at random (`openssl rand -base64 32`). Or else `sha256`. */
  readonly key?: string
  /** The SHA-256 of the key in hexadecimal, so that the configuration does not hold the key itself. */
  readonly sha256?: string
  /** `read`: look-ups and the change feed. `write`: recording revocations. Default none. */
  readonly rights?: readonly ApiKeyRight[]
  /** The user pools that it can see and touch, or `'all'`. Default none. */
  readonly pools?: readonly string[] | 'all'
}

/** A key as the service keeps it: without the key. */
export interface ApiKey {
  readonly id: string
  readonly rights: ReadonlySet<ApiKeyRight>
  readonly pools: ReadonlySet<string> | 'all'
  readonly digest: Buffer
  /** The digest as text: by whom places are taken. Never told to anybody. */
  readonly who: string
  /** Its pools, as text. */
  readonly scope: string
  /** What its cursors are encrypted with: another for other pools, so that who gets more pools begins anew. */
  readonly cursorKey: Buffer
}

type ReadKey = Omit<ApiKey, 'cursorKey'>

const OWNER = 'RevocationService'
/** Characters of a key's user pools as JSON: they have to fit into an event. */
const MAX_POOLS_LENGTH = 500_000

/** The keys of a service. */
export class ApiKeys {
  readonly #keys: readonly ApiKey[]

  /** @throws TypeError naming the option */
  constructor(options: readonly ApiKeyOptions[]) {
    if (!Array.isArray(options)) throw optionError(OWNER, 'keys', 'an array', options)
    const keys = options.map(readKey)
    for (const [property, name] of [
      ['id', 'id'],
      ['who', 'key'],
    ] as const) {
      if (new Set(keys.map((key) => key[property])).size < keys.length) {
        throw optionError(OWNER, 'keys', `without the same ${name} twice`)
      }
    }
    this.#keys = withCursorKeys(keys)
  }

  /** The key that is presented. All are compared, so that the time it takes says nothing of them. */
  find(presented: string): ApiKey | undefined {
    const digest = digestOf(presented)
    let found: ApiKey | undefined
    for (const key of this.#keys) if (timingSafeEqual(key.digest, digest)) found = key
    return found
  }

  /** The key that is the same, with the same pools and the right to read; undefined where it may not go on reading. */
  successorOf({ who, scope }: ApiKey): ApiKey | undefined {
    return this.#keys.find((key) => key.who === who && key.scope === scope && key.rights.has('read'))
  }
}

/** Whether a key is for this user pool. */
export function mayTouch({ pools }: ApiKey, poolId: string): boolean {
  return pools === 'all' || pools.has(poolId)
}

/** The pools that a key sees of those that a feed tells of. */
export function visiblePools(
  { pools }: ApiKey,
  told: readonly string[] | undefined,
): 'all' | readonly string[] {
  if (told === undefined) return pools === 'all' ? 'all' : [...pools]
  const known = [...new Set(told)].sort()
  return pools === 'all' ? known : known.filter((poolId) => pools.has(poolId))
}

/**
 * The same at every service with the same keys, and nothing that one key alone can tell: whoever has it must not
 * read in its cursors what others do.
 */
function withCursorKeys(keys: readonly ReadKey[]): ApiKey[] {
  const secret = Buffer.concat(keys.map(({ digest }) => digest).sort(Buffer.compare))
  return keys.map((key) => {
    // As the salt: `info` may have at most 1,024 bytes.
    const salt = createHash('sha256').update(key.digest).update(key.scope).digest()
    const cursorKey = Buffer.from(hkdfSync('sha256', secret, salt, 'cognito-revocation cursor v2', 32))
    return { ...key, cursorKey }
  })
}

function digestOf(key: string): Buffer {
  return createHash('sha256').update(key).digest()
}

function readKey(options: ApiKeyOptions): ReadKey {
  assertOptions(`${OWNER}: keys`, options, ['id', 'key', 'sha256', 'rights', 'pools'])
  const { id, rights = [], pools = [] } = options
  assertString(OWNER, 'keys.id', id)
  if (!Array.isArray(rights) || !rights.every((right) => right === 'read' || right === 'write')) {
    throw optionError(OWNER, 'keys.rights', "an array of 'read' and 'write'", rights)
  }
  if (pools !== 'all' && !(Array.isArray(pools) && pools.every(isIdentifier))) {
    throw optionError(OWNER, 'keys.pools', "an array of user pool ids, or 'all'", pools)
  }
  const digest = readDigest(options)
  const known = pools === 'all' ? 'all' : [...new Set(pools)].sort()
  const scope = JSON.stringify(known)
  if (scope.length > MAX_POOLS_LENGTH)
    throw optionError(OWNER, 'keys.pools', 'fewer user pools', known.length)
  return {
    id,
    rights: new Set(rights),
    pools: known === 'all' ? 'all' : new Set(known),
    digest,
    who: digest.toString('hex'),
    scope,
  }
}

function readDigest({ key, sha256 }: ApiKeyOptions): Buffer {
  if ((key === undefined) === (sha256 === undefined)) {
    throw optionError(OWNER, 'keys', 'each with either "key" or "sha256"')
  }
  if (key !== undefined) {
    if (!isApiKey(key)) throw optionError(OWNER, 'keys.key', '32 to 1,024 visible ASCII characters', key)
    return digestOf(key)
  }
  if (typeof sha256 !== 'string' || !/^[0-9a-f]{64}$/i.test(sha256)) {
    throw optionError(OWNER, 'keys.sha256', '64 hexadecimal digits', sha256)
  }
  return Buffer.from(sha256, 'hex')
}
