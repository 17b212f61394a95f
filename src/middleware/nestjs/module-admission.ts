import { assertOptionalBoolean, assertOptions, optionError } from '../../options.js'
import type { CognitoRevocationModuleOptions } from './module-options.js'
import { RouteAdmission } from './route-admission.js'

/**
 * What the module's guard asks about requests.
 *
 * @throws TypeError naming the option
 */
export function moduleAdmission<Request>(
  options: CognitoRevocationModuleOptions<Request>,
): RouteAdmission<Request> {
  const owner = 'CognitoRevocationModule'
  assertOptions(owner, options, Object.keys(options ?? {}))
  const { verifier, closeOnShutdown, ...guard } = options
  if (typeof verifier?.verify !== 'function')
    throw optionError(owner, 'verifier', 'a TokenVerifier', verifier)
  assertOptionalBoolean(owner, 'closeOnShutdown', closeOnShutdown)
  if (closeOnShutdown && typeof verifier.close !== 'function')
    throw optionError(owner, 'closeOnShutdown', 'false where the verifier cannot be closed')
  return new RouteAdmission(owner, verifier, guard, true)
}
