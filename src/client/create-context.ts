import { Revoker } from '../revocation/revoker.js'
import type { RevocationStore } from '../revocation/store.js'
import { TokenVerifier } from '../verifier.js'
import type { CheckedClientOptions } from './client-options.js'
import { CognitoApi } from './cognito-api.js'
import type { ClientContext, Revokers } from './context.js'
import { HostedEndpoints } from './hosted-endpoints.js'
import { Refresher } from './refresh.js'

/** Makes what the operations of a client share. */
export function createContext(options: CheckedClientOptions): ClientContext {
  const { userPoolId, clientId, store } = options
  const api = new CognitoApi(options)
  return {
    api,
    refresher: new Refresher(api, options.refreshFlow),
    hosted: new HostedEndpoints(options),
    revokeVia: options.revokeVia,
    verifier: new TokenVerifier({ ...pickVerifierOptions(options), userPoolId, clientId, tokenUse: null }),
    revokers: store === false ? undefined : createRevokers(store, options),
    storeTimeoutMs: options.storeTimeoutMs,
  }
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
