import { type DynamicModule, Inject, Module, type OnApplicationShutdown, type Provider } from '@nestjs/common'
import { APP_GUARD } from '@nestjs/core'
import { assertOptionalBoolean, assertOptions, optionError } from '../../options.js'
import { CognitoAuthGuard } from './cognito-auth-guard.js'
import { moduleAdmission } from './module-admission.js'
import {
  type CognitoRevocationModuleAsyncOptions,
  type CognitoRevocationModuleOptions,
  type CognitoRevocationModulePlace,
  type CognitoRevocationOptionsFactory,
  MODULE_OPTIONS,
  TOKEN_VERIFIER,
} from './module-options.js'
import type { NestRequest } from './request-of.js'

const NAME = 'CognitoRevocationModule'

/**
 * Authentication by Cognito's tokens for a NestJS application: a guard before every route, unless it is told
 * otherwise, and the verifier for whoever injects {@link TOKEN_VERIFIER}. For NestJS 11 and 12, on Express and on Fastify.
 *
 * Nest runs the guards of all routes in the order in which it meets them. Those that the importing module itself provides
 * as APP_GUARD come before this one: they find no claims, and run for requests that it will refuse. What needs the
 * claims comes after it: in a module that is imported after this one, by `app.useGlobalGuards`, or by `@UseGuards`.
 *
 * @example
 * import { CognitoRevocationModule } from 'cognito-revocation/nestjs'
 * const imports = [CognitoRevocationModule.forRoot({ verifier })]
 */
export class CognitoRevocationModule implements OnApplicationShutdown {
  readonly #options: CognitoRevocationModuleOptions<never>

  constructor(options: CognitoRevocationModuleOptions<never>) {
    this.#options = options
  }

  /**
   * The module, with a verifier that is there already.
   *
   * @throws TypeError naming the option
   */
  static forRoot<Request = NestRequest>(
    options: CognitoRevocationModuleOptions<Request> & CognitoRevocationModulePlace,
  ): DynamicModule {
    assertOptions(NAME, options, Object.keys(options ?? {}))
    const { isGlobal, guardAllRoutes, ...own } = options
    // Now, and not when Nest starts: the stack tells where.
    moduleAdmission(own)
    return moduleOf({ isGlobal, guardAllRoutes }, [{ provide: MODULE_OPTIONS, useValue: own }])
  }

  /**
   * The module, with a verifier that is made when Nest starts, of what is injected.
   *
   * @throws TypeError naming the option; Nest does not start if the options that are made are wrong
   * @example
   * import { CognitoRevocationModule } from 'cognito-revocation/nestjs'
   * CognitoRevocationModule.forRootAsync({
   *   imports: [ConfigModule],
   *   inject: [ConfigService],
   *   useFactory: (config: ConfigService) => ({ verifier: createVerifier(config), closeOnShutdown: true }),
   * })
   */
  static forRootAsync<Request = NestRequest>(
    options: CognitoRevocationModuleAsyncOptions<Request>,
  ): DynamicModule {
    const ways = ['useFactory', 'useClass', 'useExisting'] as const
    assertOptions(NAME, options, ['isGlobal', 'guardAllRoutes', 'imports', 'inject', ...ways])
    const { isGlobal, guardAllRoutes, imports = [], inject = [], useFactory, useClass, useExisting } = options
    if (ways.filter((way) => options[way] !== undefined).length !== 1)
      throw optionError(NAME, 'useFactory', 'there, or useClass, or useExisting: one of the three')
    const create =
      useFactory ??
      ((factory: CognitoRevocationOptionsFactory<Request>) => factory.createCognitoRevocationOptions())
    const ownOptions: Provider = {
      provide: MODULE_OPTIONS,
      inject: useFactory === undefined ? [useExisting ?? useClass ?? ''] : [...inject],
      useFactory: async (...injected: unknown[]) => {
        const made = await create(...(injected as [never]))
        moduleAdmission(made)
        return made
      },
    }
    const providers = useClass === undefined ? [ownOptions] : [ownOptions, useClass]
    return { ...moduleOf({ isGlobal, guardAllRoutes }, providers), imports }
  }

  /** Closes the verifier, with `closeOnShutdown`. */
  async onApplicationShutdown(): Promise<void> {
    const { verifier, closeOnShutdown } = this.#options
    if (closeOnShutdown) await verifier.close?.()
  }
}

// Without decorator syntax and emitted types, so that it works under any compiler.
Module({})(CognitoRevocationModule)
Inject(MODULE_OPTIONS)(CognitoRevocationModule, undefined, 0)

function moduleOf(place: Undefinable<CognitoRevocationModulePlace>, providers: Provider[]): DynamicModule {
  const { isGlobal = false, guardAllRoutes = true } = place
  assertOptionalBoolean(NAME, 'isGlobal', isGlobal)
  assertOptionalBoolean(NAME, 'guardAllRoutes', guardAllRoutes)
  const verifier: Provider = {
    provide: TOKEN_VERIFIER,
    inject: [MODULE_OPTIONS],
    useFactory: (options: CognitoRevocationModuleOptions) => options.verifier,
  }
  return {
    module: CognitoRevocationModule,
    global: isGlobal,
    providers: [
      ...providers,
      verifier,
      CognitoAuthGuard,
      // The provider itself, so that tests may put another in its place.
      ...(guardAllRoutes ? [{ provide: APP_GUARD, useExisting: CognitoAuthGuard }] : []),
    ],
    // `@UseGuards` makes a guard of its own in the module that it is used in, of the same options.
    exports: [CognitoAuthGuard, TOKEN_VERIFIER, MODULE_OPTIONS],
  }
}

type Undefinable<Options> = { readonly [Key in keyof Options]: Options[Key] | undefined }
