import { setTimeout as sleep } from 'node:timers/promises'
import {
  DescribeUserPoolClientCommand,
  UpdateUserPoolClientCommand,
} from '@aws-sdk/client-cognito-identity-provider'
import { CognitoConfigurationError, ConcurrentModificationError } from '../errors.js'
import { assertOptionalBoolean, assertOptionalSignal, assertOptions } from '../options.js'
import { untilAborted } from './abort.js'
import { keepAnswerBody } from './answer-body.js'
import {
  type AppClientChange,
  type CarriedSettings,
  type DescribedAppClient,
  differences,
  readAppClient,
} from './app-client-settings.js'
import type { CognitoApi } from './cognito-api.js'
import { type TokenSettings, toTokenSettings } from './token-settings.js'

export interface DescribeTokenSettingsInput {
  /** Ends the call; it then rejects with the signal's reason. */
  readonly signal?: AbortSignal
}

export interface EnableTokenRevocationInput {
  /** Tell what would be changed, and change nothing. Default false. */
  readonly dryRun?: boolean
  /** Ends the call; it then rejects with the signal's reason, and whether it took effect is unknown. */
  readonly signal?: AbortSignal
}

/** What `enableTokenRevocation` did, or would do. */
export interface EnableTokenRevocationResult {
  /** Whether the app client was changed: not by a dry run, nor where token revocation was on already. */
  readonly changed: boolean
  /** The settings that are changed, or on a dry run would be: EnableTokenRevocation, or nothing. */
  readonly changes: readonly AppClientChange[]
}

/** Attempts at an update in all, where others change the app client at the same time. */
const MAX_ATTEMPTS = 5
const FIRST_PAUSE_MS = 100

/** DescribeUserPoolClient: what it says of tokens. */
export async function describeTokenSettings(
  api: CognitoApi,
  input: DescribeTokenSettingsInput = {},
): Promise<TokenSettings> {
  assertOptions('describeTokenSettings', input, ['signal'])
  assertOptionalSignal('describeTokenSettings', input.signal)
  const { settings } = await describeAppClient(api, input.signal)
  return toTokenSettings('DescribeUserPoolClient', settings)
}

/** DescribeUserPoolClient, then UpdateUserPoolClient with every setting carried over. */
export async function enableTokenRevocation(
  api: CognitoApi,
  input: EnableTokenRevocationInput = {},
): Promise<EnableTokenRevocationResult> {
  assertOptions('enableTokenRevocation', input, ['dryRun', 'signal'])
  const { signal } = input
  assertOptionalSignal('enableTokenRevocation', signal)
  assertOptionalBoolean('enableTokenRevocation', 'dryRun', input.dryRun)
  for (let attempt = 1; ; attempt += 1) {
    const before = await describeAppClient(api, signal)
    const wanted: CarriedSettings = { ...before.settings, EnableTokenRevocation: true }
    const changes = differences(before.settings, wanted)
    if (changes.length === 0) return { changed: false, changes }
    assertComplete(before)
    if (input.dryRun === true) return { changed: false, changes }
    const expected = inSeconds(wanted)
    try {
      assertOutcome(expected, await updateAppClient(api, wanted, signal))
      return { changed: true, changes }
    } catch (error) {
      if (!(error instanceof ConcurrentModificationError) || attempt === MAX_ATTEMPTS) throw error
    }
    await untilAborted(sleep(FIRST_PAUSE_MS * 2 ** (attempt - 1) * (0.5 + Math.random() / 2)), signal)
  }
}

async function describeAppClient(
  api: CognitoApi,
  signal: AbortSignal | undefined,
): Promise<DescribedAppClient> {
  const command = new DescribeUserPoolClientCommand({ UserPoolId: api.userPoolId, ClientId: api.clientId })
  const body = keepAnswerBody(command)
  const output = await api.call('DescribeUserPoolClient', (sdk, options) => sdk.send(command, options), {
    signal,
  })
  return readAppClient('DescribeUserPoolClient', api, output.UserPoolClient, body())
}

async function updateAppClient(
  api: CognitoApi,
  settings: CarriedSettings,
  signal: AbortSignal | undefined,
): Promise<DescribedAppClient> {
  const command = new UpdateUserPoolClientCommand({
    ...settings,
    UserPoolId: api.userPoolId,
    ClientId: api.clientId,
  })
  const body = keepAnswerBody(command)
  const output = await api.call('UpdateUserPoolClient', (sdk, options) => sdk.send(command, options), {
    signal,
  })
  return readAppClient('UpdateUserPoolClient', api, output.UserPoolClient, body())
}

/** Refuses to write what would reset a setting that cannot be sent along. */
function assertComplete({ unknownFields }: DescribedAppClient): void {
  if (unknownFields === undefined) {
    throw new CognitoConfigurationError(
      "DescribeUserPoolClient: Cognito's answer could not be read as it came, so that an update might reset " +
        'settings unseen. Nothing was changed: use an AWS SDK client that runs its middleware',
    )
  }
  if (unknownFields.length === 0) return
  throw new CognitoConfigurationError(
    `DescribeUserPoolClient: the app client has settings that this version cannot carry over, and an update ` +
      `would reset: ${unknownFields.join(', ')}. Nothing was changed: update cognito-revocation and the AWS ` +
      'SDK, or turn on token revocation in the console',
  )
}

/** Compares what Cognito says the app client is now with what it was to become. */
function assertOutcome(expected: object, after: DescribedAppClient): void {
  const changed = differences(expected, inSeconds(after.settings)).map(({ field }) => field)
  const fields = [...changed, ...(after.unknownFields ?? [])]
  if (fields.length === 0) return
  const state = after.settings.EnableTokenRevocation === true ? 'on' : 'not on'
  throw new CognitoConfigurationError(
    `UpdateUserPoolClient: token revocation is ${state} now, and these settings are not what was sent: ` +
      `${fields.join(', ')}. Look at the app client, and set them right`,
  )
}

/** Validities by what they mean: Cognito may fill in a unit, or its default for 0. */
function inSeconds(settings: CarriedSettings): object {
  const { validity } = toTokenSettings('UpdateUserPoolClient', settings)
  return {
    ...settings,
    TokenValidityUnits: undefined,
    AccessTokenValidity: validity.accessTokenSeconds,
    IdTokenValidity: validity.idTokenSeconds,
    RefreshTokenValidity: validity.refreshTokenSeconds,
  }
}
