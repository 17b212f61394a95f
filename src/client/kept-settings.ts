import { elapsedMs, type Moment, takeMoment } from '../clock.js'
import { notify, type Observer } from '../observer.js'
import { assertInteger, assertOptionalBoolean, assertOptions, optionError } from '../options.js'
import type { TokenSettings } from './token-settings.js'

/** What `refresh` needs of an app client's settings. */
export type RefreshSettings = Pick<TokenSettings, 'refreshTokenRotation' | 'explicitAuthFlows'>

/** After a failure to read them, or where Cognito has just shown that they were changed. */
const PAUSE_MS = 60_000

/** @throws TypeError naming the option */
export function assertRefreshSettings(owner: string, settings: unknown): void {
  if (typeof settings !== 'object' || settings === null) {
    throw optionError(owner, 'tokenSettings', 'what describeTokenSettings gives', settings)
  }
  const { refreshTokenRotation, explicitAuthFlows }: Partial<RefreshSettings> = settings
  const rotation = 'tokenSettings.refreshTokenRotation'
  if (refreshTokenRotation === undefined)
    throw optionError(owner, rotation, 'what describeTokenSettings gives')
  assertOptions(`${owner}: ${rotation}`, refreshTokenRotation, ['enabled', 'retryGracePeriodSeconds'])
  const { enabled, retryGracePeriodSeconds } = refreshTokenRotation
  if (enabled === undefined) throw optionError(owner, `${rotation}.enabled`, 'true or false')
  assertOptionalBoolean(owner, `${rotation}.enabled`, enabled)
  assertInteger(owner, `${rotation}.retryGracePeriodSeconds`, retryGracePeriodSeconds, 0, 60)
  const flows: unknown = explicitAuthFlows
  if (!Array.isArray(flows) || !flows.every((flow) => typeof flow === 'string')) {
    throw optionError(owner, 'tokenSettings.explicitAuthFlows', 'an array of strings', flows)
  }
}

/**
 * The app client's settings, as far as refreshing depends on them: given, or read when they are first needed, by
 * one call that concurrent ones share. What cannot be read is unknown, and not asked for again for a minute.
 */
export class KeptSettings {
  readonly #read: () => Promise<RefreshSettings>
  readonly #observer: Observer | undefined
  #known: RefreshSettings | undefined
  #reading: Promise<RefreshSettings | undefined> | undefined
  #pausedAt: Moment | undefined
  #told = false

  constructor(
    read: () => Promise<RefreshSettings>,
    given: RefreshSettings | undefined,
    observer: Observer | undefined,
  ) {
    this.#read = read
    this.#known = given
    this.#observer = observer
  }

  /** The settings as far as they are known already. */
  get known(): RefreshSettings | undefined {
    return this.#known
  }

  /** The settings; undefined where they cannot be known now. */
  async get(): Promise<RefreshSettings | undefined> {
    if (this.#known !== undefined) return this.#known
    if (this.#pausedAt !== undefined && elapsedMs(this.#pausedAt) < PAUSE_MS) return undefined
    this.#reading ??= this.#readOnce().finally(() => {
      this.#reading = undefined
    })
    return this.#reading
  }

  /** Forgets them: Cognito has shown that they are others now. They are read again, but not at every call. */
  drop(): void {
    this.#known = undefined
    this.#pausedAt = takeMoment()
  }

  async #readOnce(): Promise<RefreshSettings | undefined> {
    try {
      this.#known = await this.#read()
      this.#told = false
      return this.#known
    } catch (thrown) {
      const error = thrown instanceof Error ? thrown : new Error(String(thrown))
      this.#pausedAt = takeMoment()
      if (!this.#told) {
        notify(this.#observer, { type: 'token_settings_unavailable', error, retryAfterMs: PAUSE_MS })
      }
      this.#told = true
      return undefined
    }
  }
}
