import { withDeadline } from '../deadline.js'
import { RevocationLookup } from '../revocation/revocation-lookup.js'
import { Revoker } from '../revocation/revoker.js'
import type { RevocationStore } from '../revocation/store.js'
import { TokenVerifier } from '../verifier.js'
import { describeTokenSettings } from './app-client.js'
import type { CheckedClientOptions } from './client-options.js'
import { CognitoApi } from './cognito-api.js'
import type { ClientContext, Revokers, SessionContext } from './context.js'
import { HostedEndpoints } from './hosted-endpoints.js'
import { KeptSettings } from './kept-settings.js'
import { KnownSessions } from './known-sessions.js'
import { Refresher } from './refresh.js'
import { Successors } from './successors.js'

/** A refresh waits no longer for the store's word: verifiers have the last one. */
const MAX_LOOKUP_MS = 500

/** Makes what the operations of a client share. */
export function createContext(options: CheckedClientOptions): ClientContext {
  const { userPoolId, clientId, store, storeTimeoutMs } = options
  const api = new CognitoApi(options)
  const context: SessionContext = {
    api,
    hosted: new HostedEndpoints(options),
    revokeVia: options.revokeVia,
    verifier: new TokenVerifier({ ...pickVerifierOptions(options), userPoolId, clientId, tokenUse: null }),
    revokers: store === false ? undefined : createRevokers(store, options),
    lookup:
      store === false ? undefined : new RevocationLookup(store, Math.min(storeTimeoutMs, MAX_LOOKUP_MS)),
    storeTimeoutMs,
    sessions: new KnownSessions(clientId),
    successors: new Successors(),
  }
  // What is only preferred is not waited for as long as a call with all its retries may take.
  const read = () =>
    withDeadline('DescribeUserPoolClient', options.requestTimeoutMs, describeTokenSettings(api))
  const settings = new KeptSettings(read, options.tokenSettings, options.observer)
  return { ...context, refresher: new Refresher(context, settings, options) }
}

function createRevokers(store: RevocationStore, options: CheckedClientOptions): Revokers {
  const shared = { store, poolId: options.userPoolId, clock: options.clock }
  const validities = pick(options, ['accessTokenValiditySeconds', 'refreshTokenValiditySeconds'])
  return { session: new Revoker({ ...shared, ...validities }), user: new Revoker(shared) }
}

function pickVerifierOptions(options: CheckedClientOptions) {
  const shared = pick(options, ['issuer', 'jwksUri', 'jwks', 'allowInsecureHttp', 'clock', 'observer'])
  // A global sign-out needs no origin_jti; what does need it looks for itself.
  return { ...shared, revocation: options.store, allowUnrevocable: true }
}

/** Those of the options that are given: an option that is there but undefined would not be checked the same. */
function pick<T extends object, K extends keyof T>(options: T, names: readonly K[]): Pick<T, K> {
  return Object.fromEntries(
    names.flatMap((name) => (options[name] === undefined ? [] : [[name, options[name]]])),
  ) as Pick<T, K>
}
