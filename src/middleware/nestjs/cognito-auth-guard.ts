import { type CanActivate, type ExecutionContext, Inject, Injectable } from '@nestjs/common'
import { markGuard } from './explicit-guard.js'
import { moduleAdmission } from './module-admission.js'
import { type CognitoRevocationModuleOptions, MODULE_OPTIONS } from './module-options.js'
import type { RouteAdmission } from './route-admission.js'

/**
 * The guard of {@link CognitoRevocationModule}: with the module's verifier and options, and as a route's decorators
 * have it (`@Public`, `@OptionalAuth`, `@Scopes`, `@Groups`, `@VerifyToken`). The module sets it before all routes; with
 * `guardAllRoutes: false` it is set where it is wanted. `@UseGuards(CognitoAuthGuard)` on a class or a method asks for a
 * token in spite of a `@Public` there or further off: on a method, in spite of its class's. Routes of another user pool:
 * one verifier can have several `pools`; or `@Public()` keeps this guard away, and one of {@link verifyToken} takes its
 * place.
 *
 * @example
 * import { CognitoAuthGuard } from 'cognito-revocation/nestjs'
 * class Orders { @UseGuards(CognitoAuthGuard) @Get() list() {} }
 */
export class CognitoAuthGuard implements CanActivate {
  readonly #admission: RouteAdmission<never>

  /** @throws TypeError naming the option */
  constructor(options: CognitoRevocationModuleOptions<never>) {
    this.#admission = moduleAdmission(options)
  }

  /** @throws CognitoAuthException for a request that is refused */
  canActivate(context: ExecutionContext): Promise<boolean> {
    return this.#admission.authenticate(context)
  }
}

// Without decorator syntax and emitted types, so that it works under any compiler.
Injectable()(CognitoAuthGuard)
markGuard(CognitoAuthGuard)
Inject(MODULE_OPTIONS)(CognitoAuthGuard, undefined, 0)
