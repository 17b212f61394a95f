import type { CognitoIdentityProviderClient } from '@aws-sdk/client-cognito-identity-provider'
import { onTestFinished } from 'vitest'
import type { CognitoTokenClient, CognitoTokenClientOptions } from '../../src/client/index.js'
import type { RevocationStore } from '../../src/revocation/store.js'
import { createSdk } from '../testing/harness.js'
import type { Scene } from './scene.js'

/** How a step fails. `gone`: the process is, and does nothing any more. */
export const FAILURES = [
  'refused',
  'no answer, before effect',
  'no answer, after effect',
  'gone, before effect',
  'gone, after effect',
] as const
export type Failure = (typeof FAILURES)[number]

/** How a step fails, if it does: by its name (`store`, or the operation at Cognito) and its number, from 1. */
export type Plan = (step: string, number: number) => Failure | undefined

const never = () => new Promise<never>(() => {})

/**
 * A client each of whose steps, which are writes to the store and calls to Cognito, can be made to fail. Its calls
 * go through the AWS SDK to the scene's Cognito, its writes to the scene's store.
 */
export class FailingSteps {
  readonly client: CognitoTokenClient
  /** The steps that were begun: `store`, or the operation at Cognito. */
  readonly begun: string[] = []
  readonly #scene: Scene
  readonly #plan: Plan
  #isPlaying = false
  #gone = false
  #announceGone: () => void = () => {}
  readonly #untilGone = new Promise<'gone'>((resolve) => {
    this.#announceGone = () => resolve('gone')
  })

  constructor(scene: Scene, plan: Plan, options: Partial<CognitoTokenClientOptions> = {}) {
    this.#scene = scene
    this.#plan = plan
    const sdk = createSdk(scene.cognito.url, { maxAttempts: 1 })
    onTestFinished(() => sdk.destroy())
    this.#gateCalls(sdk)
    const store: RevocationStore = {
      find: scene.store.find,
      add: (revocations) => this.#write(() => scene.store.add(revocations)),
    }
    this.client = scene.createClient({ sdk, store, storeTimeoutMs: 20, ...options })
  }

  /** How an action of the client ends: with a value, with an error, or never, since the process is gone. */
  async play(act: (client: CognitoTokenClient) => Promise<unknown>) {
    this.#isPlaying = true
    const ended = act(this.client).then(
      () => ({ end: 'resolved' as const, error: undefined }),
      (error: Error & Record<string, unknown>) => ({ end: 'rejected' as const, error }),
    )
    return Promise.race([ended, this.#untilGone.then((end) => ({ end, error: undefined }))])
  }

  #gateCalls(sdk: CognitoIdentityProviderClient): void {
    sdk.middlewareStack.add(
      (next, { commandName = '' }) =>
        async (args) => {
          const operation = commandName.replace(/Command$/, '')
          const failure = this.#begin(operation)
          if (this.#gone) return never()
          if (failure === 'gone, before effect') return this.#vanish()
          const { cognito } = this.#scene
          if (failure === 'refused') cognito.failNext(operation, 'TooManyRequestsException')
          if (failure?.startsWith('no answer')) {
            cognito.failNext(operation, 'socket hang up', { afterEffect: failure.endsWith('after effect') })
          }
          const answer = await next(args)
          return failure === 'gone, after effect' ? this.#vanish() : answer
        },
      { step: 'initialize', name: 'failing-steps' },
    )
  }

  async #write(add: () => Promise<void>): Promise<void> {
    const failure = this.#begin('store')
    if (this.#gone) return never()
    if (failure === 'refused') throw new Error('the store is down')
    if (failure?.endsWith('before effect')) return failure.startsWith('gone') ? this.#vanish() : never()
    await add()
    if (failure !== undefined) return failure.startsWith('gone') ? this.#vanish() : never()
  }

  #begin(step: string): Failure | undefined {
    if (this.#gone || !this.#isPlaying) return undefined
    this.begun.push(step)
    return this.#plan(step, this.begun.length)
  }

  #vanish(): Promise<never> {
    this.#gone = true
    this.#announceGone()
    return never()
  }
}
