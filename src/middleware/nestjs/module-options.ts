import type { InjectionToken, ModuleMetadata, OptionalFactoryDependency, Type } from '@nestjs/common'
import type { Verifier } from '../verify-token-options.js'
import type { GuardOptions } from './guard-options.js'
import type { NestRequest } from './request-of.js'

/** Options of {@link CognitoRevocationModule}, its verifier among them. */
export interface CognitoRevocationModuleOptions<Request = NestRequest> extends GuardOptions<Request> {
  /** Verifies the tokens of every request. Can be injected elsewhere by {@link TOKEN_VERIFIER}. */
  readonly verifier: Verifier & { close?(): Promise<void> }
  /**
   * Close the verifier in onApplicationShutdown, once the server has stopped: for one that a factory made. At a signal
   * Nest calls that only after `app.enableShutdownHooks()`. Its store stays open in any case. Default false.
   */
  readonly closeOnShutdown?: boolean
}

/** What is decided before there are options: where the module and its guard are. */
export interface CognitoRevocationModulePlace {
  /** Offer the guard and the verifier to every module, without an import. Default false. */
  readonly isGlobal?: boolean
  /**
   * Set {@link CognitoAuthGuard} before every route of the application, as APP_GUARD: what shall be open says
   * `@Public()`. That goes for gateways and microservice handlers, too, which need `getRequest` or `@Public()`. False:
   * only where `@UseGuards(CognitoAuthGuard)` is. Default true, since a route without a guard would be open to all, and
   * nobody would notice.
   */
  readonly guardAllRoutes?: boolean
}

/** Makes the module's options; a class for `useClass` or `useExisting`. */
export interface CognitoRevocationOptionsFactory<Request = NestRequest> {
  createCognitoRevocationOptions():
    | CognitoRevocationModuleOptions<Request>
    | Promise<CognitoRevocationModuleOptions<Request>>
}

/** Options of `CognitoRevocationModule.forRootAsync`: one of `useFactory`, `useClass` and `useExisting`. */
export interface CognitoRevocationModuleAsyncOptions<Request = NestRequest>
  extends CognitoRevocationModulePlace,
    Pick<ModuleMetadata, 'imports'> {
  /** Providers that `useFactory` gets as its arguments. */
  readonly inject?: (InjectionToken | OptionalFactoryDependency)[]
  /** Makes the options. */
  readonly useFactory?: (
    // biome-ignore lint/suspicious/noExplicitAny: what is injected has any type, as in Nest's own FactoryProvider.
    ...injected: any[]
  ) => CognitoRevocationModuleOptions<Request> | Promise<CognitoRevocationModuleOptions<Request>>
  /** A class of which the module makes one, to make the options. */
  readonly useClass?: Type<CognitoRevocationOptionsFactory<Request>>
  /** A provider that makes the options. */
  readonly useExisting?: Type<CognitoRevocationOptionsFactory<Request>>
}

/** The injection token of the module's options. */
export const MODULE_OPTIONS = Symbol.for('cognito-revocation.nestjs.moduleOptions')

/**
 * The injection token of the verifier that the module was given.
 *
 * @example
 * import { TOKEN_VERIFIER } from 'cognito-revocation/nestjs'
 * class Sockets { constructor(@Inject(TOKEN_VERIFIER) readonly verifier: TokenVerifier<'access'>) {} }
 */
export const TOKEN_VERIFIER = Symbol.for('cognito-revocation.nestjs.tokenVerifier')
