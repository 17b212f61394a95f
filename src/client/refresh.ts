import { elapsedMs, type Moment, takeMoment } from '../clock.js'
import { withDeadline } from '../deadline.js'
import { CognitoConfigurationError, InvalidParameterError, RefreshTokenReuseError } from '../errors.js'
import { untilAborted } from './abort.js'
import type { CheckedClientOptions, RefreshFlow } from './client-options.js'
import type { SessionContext } from './context.js'
import type { KeptSettings } from './kept-settings.js'
import { attempt } from './outcome.js'
import { exchangeAtEndpoint } from './refresh-at-endpoint.js'
import { RefreshGate } from './refresh-gate.js'
import {
  checkRefreshInput,
  digestOf,
  keyOf,
  type RefreshedTokens,
  type RefreshInput,
  type RefreshTokenExchange,
} from './refresh-input.js'
import { exchangeBy } from './refresh-operations.js'
import { ReuseAlarm } from './reuse-alarm.js'
import type { RevokeVia } from './revoke-via.js'
import { aged } from './successors.js'

/** For how long who ends a session waits for an exchange of its refresh token. */
const LANDING_TIMEOUT_MS = 5_000

/** The flows, and the token endpoint. */
type Way = RefreshFlow | 'endpoint'

/** An exchange that is under way, for all who come with the same refresh token. */
interface Flight {
  /** The digest of the refresh token. */
  readonly of: string
  /** What Cognito gives. */
  readonly tokens: Promise<RefreshedTokens>
  /** The same, once it is known that the session goes on: by what its callers brought along. */
  readonly guarded: Map<string, Promise<RefreshedTokens>>
}

/** Exchanges refresh tokens. Callers that come with one that is under way share its outcome. */
export class Refresher implements RefreshTokenExchange {
  readonly #context: SessionContext
  readonly #settings: KeptSettings
  readonly #preference: RefreshFlow
  readonly #gate: RefreshGate
  readonly #alarm: ReuseAlarm
  readonly #underWay = new Map<string, Flight>()

  constructor(
    context: SessionContext,
    settings: KeptSettings,
    options: Pick<CheckedClientOptions, 'refreshFlow' | 'onRefreshTokenReuse' | 'observer'>,
  ) {
    this.#context = context
    this.#settings = settings
    this.#preference = options.refreshFlow
    this.#gate = new RefreshGate(context)
    this.#alarm = new ReuseAlarm(context, options.onRefreshTokenReuse, options.observer)
  }

  async refresh(input: RefreshInput, via?: RevokeVia): Promise<RefreshedTokens> {
    checkRefreshInput(input)
    input.signal?.throwIfAborted()
    const guarded = this.#join(input, via, true).then((flight) => {
      const brought = digestOf(JSON.stringify([input.accessToken, input.idToken]))
      const passed = flight.guarded.get(brought) ?? this.#guard(flight.tokens, input)
      flight.guarded.set(brought, passed)
      return passed
    })
    return untilAborted(guarded, input.signal)
  }

  async exchange(input: RefreshInput, via?: RevokeVia): Promise<RefreshedTokens> {
    checkRefreshInput(input)
    input.signal?.throwIfAborted()
    const tokens = this.#join(input, via, false).then((flight) => flight.tokens)
    return untilAborted(tokens, input.signal)
  }

  get rotates(): boolean | undefined {
    return this.#context.sessions.rotates || this.#settings.known?.refreshTokenRotation.enabled
  }

  async landed(refreshTokens: readonly string[], signal: AbortSignal | undefined): Promise<boolean> {
    const digests = refreshTokens.map(digestOf)
    const flights = [...this.#underWay.values()].filter(({ of }) => digests.includes(of))
    if (flights.length === 0) return true
    const landing = Promise.allSettled(flights.map(({ tokens }) => tokens))
    const waiting = withDeadline('The exchange', LANDING_TIMEOUT_MS, landing)
    return (await attempt(() => untilAborted(waiting, signal))).ok
  }

  async #guard(exchanged: Promise<RefreshedTokens>, input: RefreshInput): Promise<RefreshedTokens> {
    try {
      return await this.#gate.pass(await exchanged, input)
    } catch (error) {
      if (error instanceof RefreshTokenReuseError) throw await this.#alarm.raise(error, input)
      throw error
    }
  }

  /** The flight of this refresh token, by the flow that is asked for or fits; out of memory only if it may be. */
  async #join(input: RefreshInput, via: RevokeVia | undefined, fromMemory: boolean): Promise<Flight> {
    // It takes neither a device key nor metadata.
    if (via === 'endpoint') return this.#board({ refreshToken: input.refreshToken }, fromMemory, via)
    const flow = input.flow ?? (await this.#preferredFlow())
    if (flow === 'GetTokensFromRefreshToken') return this.#board(input, fromMemory)
    return this.#share(keyOf(input, flow, input.username, String(fromMemory)), input, () =>
      input.flow === flow ? this.#exchange(flow, input) : this.#exchangeByPreference(input, fromMemory),
    )
  }

  /**
   * GetTokensFromRefreshToken knows no username, nor does the token endpoint: whoever brings one or none asks either
   * for the same.
   */
  #board(input: RefreshInput, fromMemory: boolean, way: Way = 'GetTokensFromRefreshToken'): Flight {
    const exchange = () => this.#share(keyOf(input), input, () => this.#exchange(way, input))
    // While one is under way, what it gives is newer than what is in memory.
    const isReplaced = fromMemory && this.#context.successors.newest(input) !== undefined
    if (!isReplaced || this.#underWay.has(keyOf(input))) return exchange()
    return this.#share(keyOf(input, 'successor'), input, async () => {
      return (await this.#successorOf(input)) ?? exchange().tokens
    })
  }

  #share(key: string, { refreshToken }: RefreshInput, start: () => Promise<RefreshedTokens>): Flight {
    const pending = this.#underWay.get(key)
    if (pending !== undefined) return pending
    const flight: Flight = {
      of: digestOf(refreshToken),
      tokens: start().finally(() => this.#underWay.delete(key)),
      guarded: new Map(),
    }
    this.#underWay.set(key, flight)
    return flight
  }

  /** GetTokensFromRefreshToken, which is right whatever the settings are, unless they surely allow the other. */
  async #preferredFlow(): Promise<RefreshFlow> {
    if (this.#preference === 'GetTokensFromRefreshToken') return this.#preference
    const settings = await this.#settings.get()
    const isAllowed =
      settings?.refreshTokenRotation.enabled === false &&
      settings.explicitAuthFlows.includes('ALLOW_REFRESH_TOKEN_AUTH')
    return isAllowed ? 'REFRESH_TOKEN_AUTH' : 'GetTokensFromRefreshToken'
  }

  async #exchangeByPreference(input: RefreshInput, fromMemory: boolean): Promise<RefreshedTokens> {
    const { api } = this.#context
    const hasSecret = () => api.withSecret(async (secret) => secret !== undefined)
    // The hash could not be made.
    if (!input.username && (await hasSecret())) return this.#board(input, fromMemory).tokens
    try {
      return await this.#exchange('REFRESH_TOKEN_AUTH', input)
    } catch (error) {
      if (!isOfTheFlow(error)) throw error
      // The settings are others meanwhile: rotation was turned on, or the flow turned off.
      this.#settings.drop()
      return this.#board(input, fromMemory).tokens
    }
  }

  async #exchange(way: Way, input: RefreshInput): Promise<RefreshedTokens> {
    const askedAt = takeMoment()
    const { api, sessions, successors } = this.#context
    const tokens =
      way === 'endpoint' ? await exchangeAtEndpoint(this.#context, input) : await exchangeBy(way, api, input)
    sessions.learn(tokens, input.refreshToken)
    if (tokens.rotated) successors.add(input, tokens, askedAt)
    return tokens
  }

  /**
   * What a refresh token was replaced by, within the app client's grace period, unless the session was ended.
   * Where any of it is not known for sure, Cognito is asked.
   */
  async #successorOf(input: RefreshInput): Promise<RefreshedTokens | undefined> {
    const { successors } = this.#context
    if (successors.newest(input) === undefined) return undefined
    const settings = await this.#settings.get()
    if (settings === undefined) return undefined
    const { enabled, retryGracePeriodSeconds } = settings.refreshTokenRotation
    if (!enabled) {
      // It has rotated, so that these settings are of before.
      this.#settings.drop()
      return undefined
    }
    const isGraced = (since: Moment) => elapsedMs(since) < retryGracePeriodSeconds * 1000
    let found = successors.newest(input)
    if (found === undefined || !isGraced(found.replacedAt)) return undefined
    // If the newest is being replaced itself, what it gets is newer still.
    const ahead = this.#underWay.get(keyOf({ ...input, refreshToken: found.tokens.refreshToken }))
    await ahead?.tokens.catch(() => {})
    if ((await this.#gate.judge(found.tokens)) !== 'alive') return undefined
    // What came in the meantime: newer tokens, a sign-out, or the end of the grace period.
    found = successors.newest(input)
    return found !== undefined && isGraced(found.replacedAt) ? aged(found) : undefined
  }
}

/** Whether Cognito refuses REFRESH_TOKEN_AUTH itself: which of its two exceptions it is depends on the settings. */
function isOfTheFlow(error: unknown): boolean {
  if (error instanceof InvalidParameterError) return true
  const { cause } = error instanceof CognitoConfigurationError ? error : {}
  return cause instanceof Error && cause.name === 'UnsupportedOperationException'
}
