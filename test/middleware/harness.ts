import type { RequestListener } from 'node:http'
import { afterAll, beforeAll, onTestFinished } from 'vitest'
import {
  MemoryRevocationStore,
  type RevocationMatch,
  type RevocationStore,
  Revoker,
  type SharedVerifierOptions,
  TokenVerifier,
  type UserPoolOptions,
} from '../../src/index.js'
import { TokenMinter } from '../../src/testing/index.js'
import { type Answer, type Call, call, callRaw, type Listening, listen } from '../support/http.js'
import type { Adapter, CommonOptions } from './adapters/adapter.js'

/** An answer without what HTTP itself adds to every one. */
export interface Reply {
  readonly status: number
  readonly headers: Readonly<Record<string, unknown>>
  readonly body: unknown
}

const problem = { 'cache-control': 'no-store', 'content-type': 'application/problem+json' }

/** The answer where a token is needed and none was sent. */
export const NO_TOKEN: Reply = {
  status: 401,
  headers: { ...problem, 'www-authenticate': 'Bearer' },
  body: { title: 'Unauthorized', status: 401 },
}

/** The answer to a request that can't be understood in one way only. */
export const INVALID_REQUEST: Reply = {
  status: 400,
  headers: {
    ...problem,
    'www-authenticate':
      'Bearer error="invalid_request", error_description="The request must carry exactly one bearer token"',
  },
  body: {
    title: 'Bad Request',
    status: 400,
    error: 'invalid_request',
    error_description: 'The request must carry exactly one bearer token',
  },
}

/** The one answer to every token that is no good, whatever is wrong with it. */
export const INVALID_TOKEN: Reply = {
  status: 401,
  headers: {
    ...problem,
    'www-authenticate':
      'Bearer error="invalid_token", error_description="The access token is expired, revoked, malformed, or invalid for other reasons"',
  },
  body: {
    title: 'Unauthorized',
    status: 401,
    error: 'invalid_token',
    error_description: 'The access token is expired, revoked, malformed, or invalid for other reasons',
  },
}

/** The answer where it can't be known now. */
export const UNAVAILABLE: Reply = {
  status: 503,
  headers: { ...problem, 'retry-after': '1' },
  body: { title: 'Service Unavailable', status: 503 },
}

/** The answer to a good token that doesn't grant enough; `scope` names what would. */
export function insufficientScope(scope?: string): Reply {
  const attribute = scope === undefined ? '' : `, scope="${scope}"`
  return {
    status: 403,
    headers: {
      ...problem,
      'www-authenticate': `Bearer error="insufficient_scope", error_description="The token does not grant what this request needs"${attribute}`,
    },
    body: {
      title: 'Forbidden',
      status: 403,
      error: 'insufficient_scope',
      error_description: 'The token does not grant what this request needs',
    },
  }
}

export function replyOf({ status, headers, text }: Answer): Reply {
  const added = ['date', 'connection', 'keep-alive', 'transfer-encoding', 'content-length']
  const own = Object.entries(headers).filter(([name]) => !added.includes(name))
  return { status, headers: Object.fromEntries(own), body: text === '' ? undefined : JSON.parse(text) }
}

/** A user pool for the tests of a file: its tokens, and its JWKS on loopback. */
export interface Pool {
  readonly minter: TokenMinter
  readonly jwks: Listening
}

export function usePool(): () => Pool {
  let pool: Pool | undefined
  beforeAll(async () => {
    const minter = await TokenMinter.create()
    pool = { minter, jwks: await listen((_, response) => response.end(JSON.stringify(minter.jwks))) }
  })
  afterAll(() => pool?.jwks.close())
  return () => {
    if (pool === undefined) throw new Error('the pool is there in tests only')
    return pool
  }
}

export interface ApiOptions {
  readonly store?: RevocationStore
  /** Laid over the verifier's options. */
  readonly verifier?: Partial<UserPoolOptions & SharedVerifierOptions>
  /** The middleware's options. */
  readonly options?: CommonOptions
  readonly maxHeaderSize?: number
}

/** A verifier for the pool's access tokens that has its keys already. */
export function createVerifier(pool: Pool, options: ApiOptions['verifier'] = {}): TokenVerifier {
  const verifier = new TokenVerifier({
    userPoolId: pool.minter.userPoolId,
    clientId: pool.minter.clientId,
    tokenUse: 'access',
    jwksUri: `${pool.jwks.url}/jwks.json`,
    revocation: new MemoryRevocationStore(),
    ...options,
  })
  if (options.jwksUri === undefined) verifier.cacheJwks(pool.minter.jwks)
  onTestFinished(() => verifier.close())
  return verifier
}

/** A protected API over real HTTP, and what a client says to it; closed when the test is over. */
export class Api {
  readonly port: number
  readonly store: RevocationStore
  readonly revoker: Revoker
  readonly verifier: TokenVerifier

  readonly #pool: Pool

  private constructor(port: number, store: RevocationStore, pool: Pool, verifier: TokenVerifier) {
    this.port = port
    this.store = store
    this.#pool = pool
    this.revoker = new Revoker({ store, poolId: pool.minter.userPoolId })
    this.verifier = verifier
  }

  static async start(adapter: Adapter, pool: Pool, api: ApiOptions = {}): Promise<Api> {
    const { store = new MemoryRevocationStore(), maxHeaderSize } = api
    const verifier = createVerifier(pool, { revocation: store, ...api.verifier })
    const port = await serve(await adapter.listener(verifier, api.options), maxHeaderSize)
    return new Api(port, store, pool, verifier)
  }

  /** A good token that the verifier knows already: it takes a shorter way. */
  async seenToken(): Promise<string> {
    const token = this.#pool.minter.accessToken()
    await this.verifier.verify(token)
    return token
  }

  /** A request with these Authorization headers, each as it is. */
  async send(...authorization: readonly string[]): Promise<Reply> {
    const headers = authorization.flatMap((value) => ['Authorization', value])
    return replyOf(await this.call({ headers: ['Host', '127.0.0.1', ...headers] }))
  }

  /** The same, byte by byte, for what no client library would send. */
  async sendBytes(...authorization: readonly string[]): Promise<Reply> {
    return replyOf(
      await callRaw(
        this.port,
        authorization.map((value) => `Authorization: ${value}`),
      ),
    )
  }

  call(request: Call): Promise<Answer> {
    return call(this.port, request)
  }
}

/** Serves a handler until the test is over. Gives its port. */
export async function serve(handler: RequestListener, maxHeaderSize?: number): Promise<number> {
  const listening = await listen(handler, maxHeaderSize === undefined ? {} : { maxHeaderSize })
  onTestFinished(() => listening.close())
  return listening.port
}

/** A store with the look-up that is given. */
export function storeThat(find: RevocationStore['find']): RevocationStore {
  return { add: async () => {}, find }
}

/** What a store says of a token that was revoked. */
export const REVOKED: RevocationMatch = {
  poolId: 'us-east-1_FakePool1',
  scope: 'session',
  id: 'x',
  expiresAt: 0,
}

/** A store that answers a look-up when the test says so. */
export class PatientStore {
  readonly asked: Promise<void>
  #tellAsked = () => {}
  #answer: (match: RevocationMatch | undefined) => void = () => {}
  readonly #answered: Promise<RevocationMatch | undefined>

  constructor() {
    this.asked = new Promise((resolve) => {
      this.#tellAsked = resolve
    })
    this.#answered = new Promise((resolve) => {
      this.#answer = resolve
    })
  }

  readonly store = storeThat(() => {
    this.#tellAsked()
    return this.#answered
  })

  /** Answers this look-up and all later ones. */
  answer(match?: RevocationMatch): void {
    this.#answer(match)
  }
}

/** What nobody handled since, until the test is over. */
export function watchForUnhandled(): unknown[] {
  const problems: unknown[] = []
  const note = (problem: unknown) => problems.push(problem)
  process.on('unhandledRejection', note)
  onTestFinished(() => {
    process.off('unhandledRejection', note)
  })
  return problems
}
