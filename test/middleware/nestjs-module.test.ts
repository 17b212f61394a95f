import {
  type CanActivate,
  Controller,
  type DynamicModule,
  Get,
  Inject,
  Injectable,
  Module,
  type Type,
  UseGuards,
} from '@nestjs/common'
import { APP_GUARD, NestFactory } from '@nestjs/core'
import { describe, expect, it, vi } from 'vitest'
import { NotReadyError, type TokenVerifier } from '../../src/index.js'
import {
  CognitoAuthGuard,
  CognitoRevocationModule,
  type CognitoRevocationModuleOptions,
  type CognitoRevocationOptionsFactory,
  Public,
  TOKEN_VERIFIER,
  verifyToken,
} from '../../src/middleware/nestjs/index.js'
import { call } from '../support/http.js'
import { onExpress, platforms } from './adapters/nestjs.js'
import { createVerifier, NO_TOKEN, replyOf, serve, usePool } from './harness.js'

const poolOf = usePool()

@Controller()
class Orders {
  @Get() list() {
    return 'orders'
  }
  @Public() @Get('health') health() {
    return 'well'
  }
}

function withModule(module: DynamicModule, more: { imports?: Type[]; controllers?: Type[] } = {}): Type {
  @Module({
    imports: [module, ...(more.imports ?? [])],
    controllers: more.controllers ?? [Orders],
  })
  class App {}
  return App
}

/** The statuses for a request without a token and one with a good one. */
async function statusesOf(app: Type, path = '/'): Promise<number[]> {
  const port = await serve(await onExpress(app))
  const headers = { Authorization: `Bearer ${poolOf().minter.accessToken()}` }
  const answers = await Promise.all([call(port, { path }), call(port, { path, headers })])
  return answers.map(({ status }) => status)
}

describe('CognitoRevocationModule.forRoot', () => {
  it('guards every route of the application, in modules that do not know of it too', async () => {
    @Controller('elsewhere')
    class Elsewhere {
      @Get() get() {}
    }
    @Module({ controllers: [Elsewhere] })
    class Feature {}
    const app = withModule(CognitoRevocationModule.forRoot({ verifier: createVerifier(poolOf()) }), {
      imports: [Feature],
    })
    expect(await statusesOf(app)).toEqual([401, 200])
    expect(await statusesOf(app, '/elsewhere')).toEqual([401, 200])
    expect(await statusesOf(app, '/health')).toEqual([200, 200])
  })

  it('guards only where it is asked to with guardAllRoutes: false', async () => {
    @Controller('guarded')
    class Guarded {
      @UseGuards(CognitoAuthGuard) @Get() get() {}
    }
    const verifier = createVerifier(poolOf())
    const app = withModule(CognitoRevocationModule.forRoot({ verifier, guardAllRoutes: false }), {
      controllers: [Orders, Guarded],
    })
    expect(await statusesOf(app)).toEqual([200, 200])
    expect(await statusesOf(app, '/guarded')).toEqual([401, 200])
  })

  @Controller()
  @UseGuards(CognitoAuthGuard)
  class Guarded {
    @Get() get() {}
  }
  @Module({ controllers: [Guarded] })
  class Feature {}

  it('offers its guard to every module with isGlobal', async () => {
    const verifier = createVerifier(poolOf())
    const module = CognitoRevocationModule.forRoot({ verifier, isGlobal: true, guardAllRoutes: false })
    expect(await statusesOf(withModule(module, { imports: [Feature], controllers: [] }))).toEqual([401, 200])
  })

  it('offers its guard to no other module without: such an application does not start', async () => {
    const module = CognitoRevocationModule.forRoot({ verifier: createVerifier(poolOf()) })
    const app = withModule(module, { imports: [Feature], controllers: [] })
    await expect(onExpress(app)).rejects.toThrow(/CognitoAuthGuard/)
  })

  it('gives the verifier to whoever injects it', async () => {
    const verifier = createVerifier(poolOf())
    @Controller()
    class Inside {
      constructor(@Inject(TOKEN_VERIFIER) readonly verifier: TokenVerifier) {}
      @Public() @Get() get() {
        return { same: this.verifier === verifier }
      }
    }
    const app = withModule(CognitoRevocationModule.forRoot({ verifier }), { controllers: [Inside] })
    expect((await call(await serve(await onExpress(app)))).text).toBe('{"same":true}')
  })

  it.each([
    ['verifier', { verifier: undefined }],
    ['verifier', { verifier: {} }],
    ['closeOnShutdown', { closeOnShutdown: 'yes' }],
    ['closeOnShutdown', { verifier: { verify: async () => {} }, closeOnShutdown: true }],
    ['isGlobal', { isGlobal: 'yes' }],
    ['guardAllRoutes', { guardAllRoutes: null }],
    ['getRequest', { getRequest: 'req' }],
    ['scope', { scope: '' }],
    ['optional', { optional: 'yes' }],
    ['scopes', { scopes: 'orders/read' }],
  ])('refuses options with a TypeError that names %s: %j', (option, wrong) => {
    const options = { verifier: createVerifier(poolOf()), ...wrong } as CognitoRevocationModuleOptions
    expect(() => CognitoRevocationModule.forRoot(options)).toThrow(TypeError)
    expect(() => CognitoRevocationModule.forRoot(options)).toThrow(`option "${option}"`)
  })

  it.each([undefined, null, 'verifier'])('refuses what are no options: %j', (options) => {
    expect(() => CognitoRevocationModule.forRoot(options as never)).toThrow(
      new TypeError('CognitoRevocationModule: options must be an object'),
    )
  })

  it("guards after its importer's own APP_GUARD, before those of modules imported later and useGlobalGuards", async () => {
    const seen: [place: string, claims: boolean][] = []
    const spy = (place: string): CanActivate => ({
      canActivate: (context) => {
        seen.push([place, context.switchToHttp().getRequest().auth !== undefined])
        return true
      },
    })
    @Module({ providers: [{ provide: APP_GUARD, useValue: spy('later module') }] })
    class Later {}
    @Module({
      imports: [CognitoRevocationModule.forRoot({ verifier: createVerifier(poolOf()) }), Later],
      providers: [{ provide: APP_GUARD, useValue: spy('importer') }],
      controllers: [Orders],
    })
    class App {}
    const port = await serve(await onExpress(App, (app) => app.useGlobalGuards(spy('useGlobalGuards'))))
    await call(port, { headers: { Authorization: `Bearer ${poolOf().minter.accessToken()}` } })
    expect(seen).toEqual([
      ['importer', false],
      ['later module', true],
      ['useGlobalGuards', true],
    ])
  })
})

describe('CognitoRevocationModule.forRootAsync', () => {
  @Module({
    providers: [{ provide: 'VERIFIER', useFactory: () => createVerifier(poolOf()) }],
    exports: ['VERIFIER'],
  })
  class Verifiers {}

  @Injectable()
  class Options implements CognitoRevocationOptionsFactory {
    createCognitoRevocationOptions() {
      return { verifier: createVerifier(poolOf()) }
    }
  }

  it('takes a factory and what it injects', async () => {
    const module = CognitoRevocationModule.forRootAsync({
      imports: [Verifiers],
      inject: ['VERIFIER', { token: 'ABSENT', optional: true }],
      useFactory: async (verifier: TokenVerifier, absent: unknown) => ({
        verifier,
        optional: absent !== undefined,
      }),
    })
    expect(await statusesOf(withModule(module))).toEqual([401, 200])
  })

  it('takes a class', async () => {
    const module = CognitoRevocationModule.forRootAsync({ useClass: Options })
    expect(await statusesOf(withModule(module))).toEqual([401, 200])
  })

  it('takes a provider of another module', async () => {
    @Module({ providers: [Options], exports: [Options] })
    class OptionsModule {}
    const module = CognitoRevocationModule.forRootAsync({ imports: [OptionsModule], useExisting: Options })
    expect(await statusesOf(withModule(module))).toEqual([401, 200])
  })

  it('guards only where it is asked to with guardAllRoutes: false', async () => {
    const module = CognitoRevocationModule.forRootAsync({ useClass: Options, guardAllRoutes: false })
    expect(await statusesOf(withModule(module))).toEqual([200, 200])
  })

  it.each([
    ['nothing', () => undefined],
    ['no verifier', () => ({})],
    ['a misspelt option', () => ({ verifier: createVerifier(poolOf()), scopes: 'a' })],
    [
      'a place, which is decided before',
      () => ({ verifier: createVerifier(poolOf()), guardAllRoutes: false }),
    ],
  ])('does not let the application start with a factory that gives %s', async (_, useFactory) => {
    const module = CognitoRevocationModule.forRootAsync({ useFactory: useFactory as never })
    await expect(onExpress(withModule(module))).rejects.toThrow(TypeError)
  })

  it.each([
    ['useFactory', {}],
    ['useFactory', { useFactory: () => ({}), useClass: Options }],
    ['isGlobal', { useClass: Options, isGlobal: 1 }],
    ['verifier', { useClass: Options, verifier: {} }],
  ])('refuses options with a TypeError that names %s', (option, options) => {
    expect(() => CognitoRevocationModule.forRootAsync(options as never)).toThrow(TypeError)
    expect(() => CognitoRevocationModule.forRootAsync(options as never)).toThrow(`option "${option}"`)
  })
})

describe('the verifier, when the application is closed,', () => {
  async function closeApp(closeOnShutdown?: boolean) {
    const verifier = createVerifier(poolOf())
    const options = { verifier, ...(closeOnShutdown === undefined ? {} : { closeOnShutdown }) }
    const module = CognitoRevocationModule.forRootAsync({ useFactory: () => options })
    const app = await NestFactory.createApplicationContext(withModule(module), { logger: false })
    await app.close()
    return verifier.verify(poolOf().minter.accessToken())
  }

  it('stays open, since it was handed in', async () => {
    expect(await closeApp()).toHaveProperty('sub')
  })

  it('is closed with closeOnShutdown', async () => {
    await expect(closeApp(true)).rejects.toThrow(NotReadyError)
  })
})

describe.each(platforms)('verifyToken on %s', (_, platform) => {
  it('can guard all routes without a module', async () => {
    @Module({ controllers: [Orders] })
    class App {}
    const guard: CanActivate = verifyToken(createVerifier(poolOf()))
    const port = await serve(await platform(App, (app) => app.useGlobalGuards(guard)))
    expect(replyOf(await call(port))).toEqual(NO_TOKEN)
    const headers = { Authorization: `Bearer ${poolOf().minter.accessToken()}` }
    expect(await call(port, { headers })).toMatchObject({ status: 200, text: 'orders' })
  })
})

describe('the options of verifyToken', () => {
  it.each([
    ['getRequest', { getRequest: {} }],
    ['scope', { scope: [] }],
    ['verifier', { verifier: {} }],
    ['isGlobal', { isGlobal: true }],
  ])('are refused with a TypeError that names %s', (option, options) => {
    const create = () => verifyToken(createVerifier(poolOf()), options as never)
    expect(create).toThrow(TypeError)
    expect(create).toThrow(`"${option}"`)
  })

  it.each([null, 'orders/read', 5])('are refused if they are no object: %j', (options) => {
    expect(() => verifyToken(createVerifier(poolOf()), options as never)).toThrow(TypeError)
  })

  it('need a verifier before them', () => {
    expect(() => verifyToken(undefined as never)).toThrow(TypeError)
  })

  it('tell the observer of what is refused', async () => {
    const observer = vi.fn()
    @Module({ controllers: [Orders] })
    class App {}
    const guard = verifyToken(createVerifier(poolOf()), { observer })
    await call(await serve(await onExpress(App, (app) => app.useGlobalGuards(guard))))
    expect(observer.mock.calls).toEqual([[{ type: 'request_refused', status: 401 }]])
  })
})
