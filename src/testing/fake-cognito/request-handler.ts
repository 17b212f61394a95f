import { setTimeout as sleep } from 'node:timers/promises'
import { CognitoException } from './exceptions.js'
import { createConnectionError, type Fault, type Faults, socketHangUp } from './faults.js'
import { answerAt, endpointMetadata, endpointOf, endpoints, failAt } from './hosted/endpoints.js'
import { readHostedRequest } from './hosted/hosted-request.js'
import { operations } from './operations/index.js'
import { Parameters } from './parameters.js'
import type { Pool } from './pool.js'
import { assertPlayedByReplicas } from './replicas.js'
import * as wire from './wire.js'

/** A request that {@link FakeCognito} was sent. */
export interface Call {
  /**
   * As in `X-Amz-Target`; `JWKS` or `OPENID_CONFIGURATION` for the documents of a pool; method and path, such as
   * `POST /oauth2/token`, for a hosted endpoint.
   */
  readonly operation: string
  /** The request's parameters, secrets and all; undefined if its body was no JSON object. */
  readonly parameters: unknown
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string>>
}

/** The documents that a pool publishes, by the names that faults and calls know them by. */
const documents: ReadonlyMap<string, string> = new Map([
  ['/.well-known/jwks.json', 'JWKS'],
  ['/.well-known/openid-configuration', 'OPENID_CONFIGURATION'],
])

interface PublishedDocument {
  readonly name: string
  /** The issuer that it is asked of. */
  readonly issuer: string
}

/** Everything that can be made to fail or to wait. */
export const operationNames: ReadonlySet<string> = new Set([
  ...operations.keys(),
  ...documents.values(),
  ...endpoints.keys(),
])

/** Answers requests: finds what is asked for, notes the call, plays the faults asked for, else does it. */
export class RequestHandler {
  readonly calls: Call[] = []
  readonly #pool: Pool
  readonly #faults: Faults
  readonly #closed: AbortSignal

  constructor(pool: Pool, faults: Faults, closed: AbortSignal) {
    this.#pool = pool
    this.#faults = faults
    this.#closed = closed
  }

  /** Rejects only where the connection breaks, as a `fetch` does. */
  async handle(request: Request): Promise<Response> {
    const document = this.#documentOf(request)
    if (document !== undefined) {
      return this.#play(request, document.name, {}, async () => this.#publish(document))
    }
    const endpoint = endpointOf(request)
    if (endpoint !== undefined) {
      const asked = await readHostedRequest(request)
      const answer = () => answerAt(endpoint, this.#pool, asked)
      const grant = asked.parameters.get('grant_type') ?? undefined
      return this.#play(request, endpoint, Object.fromEntries(asked.parameters), answer, grant)
    }
    const operation = wire.operationOf(request)
    if (operation === undefined) return this.#refuse(unknownOperation())
    const parameters = await wire.parametersOf(request)
    return this.#play(request, operation, parameters, () => this.#perform(request, operation, parameters))
  }

  async #play(
    request: Request,
    operation: string,
    parameters: unknown,
    perform: () => Promise<Response>,
    grant?: string,
  ): Promise<Response> {
    this.calls.push({ operation, parameters, headers: Object.fromEntries(request.headers) })
    const fault = this.#faults.takeFailure(operation, grant)
    const delayMs = this.#faults.takeDelay(operation)
    if (fault === undefined) {
      const answer = await perform()
      await this.#wait(delayMs, request.signal)
      return answer
    }
    if (fault.afterEffect === true) await perform()
    await this.#wait(delayMs, request.signal)
    return this.#fail(operation, fault)
  }

  async #perform(
    request: Request,
    operation: string,
    parameters: Readonly<Record<string, unknown>> | undefined,
  ): Promise<Response> {
    try {
      const found = operations.get(operation)
      if (found === undefined) throw unknownOperation()
      if (found.needsCredentials) assertCredentials(request)
      if (this.#pool.isReplica) assertPlayedByReplicas(operation)
      if (parameters === undefined) throw new CognitoException('SerializationException', 'Unexpected body')
      const body = await found.run(this.#pool, new Parameters(parameters))
      return wire.createAnswer(body, this.#pool.clock.now())
    } catch (error) {
      return this.#refuse(wire.toException(error))
    }
  }

  #publish({ name, issuer }: PublishedDocument): Response {
    const { clock, minter } = this.#pool
    if (name === 'JWKS') return wire.createDocument(minter.jwks, clock.now())
    const configuration = {
      issuer,
      jwks_uri: `${issuer}/.well-known/jwks.json`,
      id_token_signing_alg_values_supported: ['RS256'],
      response_types_supported: ['code', 'token'],
      scopes_supported: ['openid', 'email', 'phone', 'profile'],
      subject_types_supported: ['public'],
      ...endpointMetadata(this.#pool),
    }
    return wire.createDocument(configuration, clock.now())
  }

  #fail(operation: string, fault: Fault): Response {
    if (fault.exception === socketHangUp) throw createConnectionError()
    if (endpoints.has(operation)) return failAt(this.#pool, fault)
    const message = fault.message ?? 'A test asked for this'
    return this.#refuse(new CognitoException(fault.exception, message, fault.httpStatus))
  }

  #refuse(exception: CognitoException): Response {
    return wire.createRefusal(exception, this.#pool.clock.now())
  }

  async #wait(ms: number | undefined, signal: AbortSignal): Promise<void> {
    if (ms === undefined) return
    try {
      await sleep(ms, undefined, { signal: AbortSignal.any([signal, this.#closed]) })
    } catch {
      signal.throwIfAborted()
      throw createConnectionError()
    }
  }

  /** Found by its path alone: pools have it under both of their issuers, and in every Region. */
  #documentOf(request: Request): PublishedDocument | undefined {
    if (request.method !== 'GET') return undefined
    const { origin, pathname } = new URL(request.url)
    const { minter, issuers } = this.#pool
    const found = Object.values(issuers).flatMap((issuer) => {
      const path = new URL(issuer).pathname
      const name = pathname.startsWith(path) ? documents.get(pathname.slice(path.length)) : undefined
      return name === undefined ? [] : [{ name, issuer }]
    })
    const byHost = found.find(({ issuer }) => issuer.startsWith(`${origin}/`))
    return byHost ?? found.find(({ issuer }) => issuer === minter.issuer) ?? found[0]
  }
}

/** The signature isn't looked at: a caller whom the SDK has signed for is an administrator here. */
function assertCredentials(request: Request): void {
  if (request.headers.get('authorization')?.startsWith('AWS4-HMAC-SHA256 ')) return
  throw new CognitoException('MissingAuthenticationTokenException', 'Missing Authentication Token')
}

function unknownOperation(): CognitoException {
  return new CognitoException('UnknownOperationException', 'FakeCognito does not play this operation')
}
