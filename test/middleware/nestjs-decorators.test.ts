import {
  type ArgumentsHost,
  Controller,
  Get,
  Module,
  type PipeTransform,
  type Type,
  UseFilters,
  UseGuards,
} from '@nestjs/common'
import { ROUTE_ARGS_METADATA } from '@nestjs/common/constants.js'
import { ExternalContextCreator, NestFactory } from '@nestjs/core'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import {
  Claims,
  CognitoAuthGuard,
  CognitoRevocationModule,
  type CognitoRevocationModuleOptions,
  Groups,
  OptionalAuth,
  Public,
  type RouteDecorator,
  Scopes,
  VerifyToken,
  verifyToken,
} from '../../src/middleware/nestjs/index.js'
import { type Answer, call } from '../support/http.js'
import { onExpress } from './adapters/nestjs.js'
import {
  createVerifier,
  INVALID_TOKEN,
  insufficientScope,
  NO_TOKEN,
  replyOf,
  serve,
  storeThat,
  usePool,
} from './harness.js'

const poolOf = usePool()

const down = storeThat(() => Promise.reject(new Error('down')))

/** Serves controllers behind the module's guard. */
async function start(
  controllers: Type[],
  options: Partial<CognitoRevocationModuleOptions> = {},
): Promise<(path: string, claims?: object | string) => Promise<Answer>> {
  @Module({
    imports: [CognitoRevocationModule.forRoot({ verifier: createVerifier(poolOf()), ...options })],
    controllers,
  })
  class App {}
  const port = await serve(await onExpress(App))
  return (path, claims) => {
    const token = typeof claims === 'object' ? poolOf().minter.accessToken({ ...claims }) : claims
    return call(port, { path, headers: token === undefined ? {} : { Authorization: `Bearer ${token}` } })
  }
}

/** The answer's status to a request with these claims, or without a token, or with a bad one. */
async function statusOf(controllers: Type | Type[], path: string, claims?: object | string): Promise<number> {
  const ask = await start([controllers].flat())
  return (await ask(path, claims)).status
}

/** A controller with one route, decorated as given. */
function controllerWith(onClass: readonly RouteDecorator[], onMethod: readonly RouteDecorator[]): Type {
  class Decorated {
    first() {
      return 'first'
    }
  }
  const method = Object.getOwnPropertyDescriptor(Decorated.prototype, 'first') as PropertyDescriptor
  for (const decorate of [Get(), ...onMethod]) decorate(Decorated.prototype, 'first', method)
  for (const decorate of [Controller(), ...onClass]) (decorate as ClassDecorator)(Decorated)
  return Decorated
}

describe('a route behind CognitoAuthGuard', () => {
  it('needs a token if no decorator says anything', async () => {
    const ask = await start([controllerWith([], [])])
    expect(replyOf(await ask('/'))).toEqual(NO_TOKEN)
    expect(await ask('/', {})).toMatchObject({ status: 200, text: 'first' })
  })

  const read = { scope: 'orders/read' }
  const write = { scope: 'orders/write' }
  const admin = { 'cognito:groups': ['admin'] }
  it.each<[string, RouteDecorator[], RouteDecorator[], number, number, number, number, number]>([
    // What is on the class, on the method; without a token, with a bad one, with scope read, write, in group admin.
    ['@Public', [], [Public()], 200, 200, 200, 200, 200],
    ['@Public on its class', [Public()], [], 200, 200, 200, 200, 200],
    ['@Public in a class with @Scopes', [Scopes('orders/read')], [Public()], 200, 200, 200, 200, 200],
    ['@Scopes in a @Public class', [Public()], [Scopes('orders/read')], 401, 401, 200, 403, 403],
    ['@Groups in a @Public class', [Public()], [Groups('admin')], 401, 401, 403, 403, 200],
    ['@VerifyToken in a @Public class', [Public()], [VerifyToken()], 401, 401, 200, 200, 200],
    ['@OptionalAuth in a @Public class', [Public()], [OptionalAuth()], 200, 401, 200, 200, 200],
    ['@OptionalAuth', [], [OptionalAuth()], 200, 401, 200, 200, 200],
    ['@OptionalAuth on its class', [OptionalAuth()], [], 200, 401, 200, 200, 200],
    ['@OptionalAuth and @Scopes', [], [OptionalAuth(), Scopes('orders/read')], 200, 401, 200, 403, 403],
    [
      '@OptionalAuth in a class with @Scopes',
      [Scopes('orders/read')],
      [OptionalAuth()],
      200,
      401,
      200,
      403,
      403,
    ],
    [
      '@Scopes in a class with @OptionalAuth',
      [OptionalAuth()],
      [Scopes('orders/read')],
      401,
      401,
      200,
      403,
      403,
    ],
    [
      '@VerifyToken in a class with @OptionalAuth',
      [OptionalAuth()],
      [VerifyToken()],
      401,
      401,
      200,
      200,
      200,
    ],
    ['@Public in a class with @OptionalAuth', [OptionalAuth()], [Public()], 200, 200, 200, 200, 200],
    ['@Scopes', [], [Scopes('orders/read')], 401, 401, 200, 403, 403],
    ['@Scopes on its class', [Scopes('orders/read')], [], 401, 401, 200, 403, 403],
    [
      "@Scopes in place of its class's",
      [Scopes('orders/read')],
      [Scopes('orders/write')],
      401,
      401,
      403,
      200,
      403,
    ],
    ['one of several @Scopes', [], [Scopes('orders/read', 'orders/write')], 401, 401, 200, 200, 403],
    [
      'all of several @Scopes',
      [],
      [Scopes({ all: ['orders/read', 'orders/write'] })],
      401,
      401,
      403,
      403,
      403,
    ],
    ['@Groups', [], [Groups('admin')], 401, 401, 403, 403, 200],
    ['one of several @Groups', [], [Groups('support', 'admin')], 401, 401, 403, 403, 200],
    ['all of several @Groups', [], [Groups({ all: ['support', 'admin'] })], 401, 401, 403, 403, 403],
    ['@Scopes in a class with @Groups', [Groups('admin')], [Scopes('orders/read')], 401, 401, 403, 403, 403],
  ])('answers with %s', async (_, onClass, onMethod, ...expected) => {
    const ask = await start([controllerWith(onClass, onMethod)])
    const answers = await Promise.all(
      [undefined, 'token', read, write, admin].map((claims) => ask('/', claims)),
    )
    expect(answers.map(({ status }) => status)).toEqual(expected)
  })

  it('names the scopes that its decorator asks for', async () => {
    const ask = await start([controllerWith([], [Scopes('orders/read', 'orders/write')])])
    expect(replyOf(await ask('/', {}))).toEqual(insufficientScope('orders/read orders/write'))
  })

  it("needs what the module's options ask for besides what its decorators do", async () => {
    const ask = await start([controllerWith([], [Scopes('orders/read')])], { scope: 'api/use' })
    const answers = await Promise.all(
      ['orders/read', 'api/use', 'orders/read api/use'].map((scope) => ask('/', { scope })),
    )
    expect(answers.map(({ status }) => status)).toEqual([403, 403, 200])
  })

  it.each([
    ['nothing', [], 200],
    ['@Scopes', [Scopes('orders/read')], 401],
    ['@VerifyToken', [VerifyToken()], 401],
  ])('under the option optional needs a token or not with %s', async (_, onMethod, status) => {
    const ask = await start([controllerWith([], onMethod)], { optional: true })
    expect((await ask('/')).status).toBe(status)
  })

  it('may let in what cannot be known now, or not, each on its own', async () => {
    @Controller()
    @VerifyToken({ onRevocationUnavailable: 'accept' })
    class Trains {
      @Get('timetable') timetable() {}
      @Get('tickets') @VerifyToken({ onRevocationUnavailable: 'reject' }) tickets() {}
      @Get('seats') @Scopes('orders/read') seats() {}
    }
    const verifier = createVerifier(poolOf(), { revocation: down })
    const ask = await start([Trains], { verifier })
    const statuses = ['/timetable', '/tickets', '/seats'].map(async (path) => (await ask(path, read)).status)
    expect(await Promise.all(statuses)).toEqual([200, 503, 200])
  })
})

describe('a class that extends another', () => {
  @Public()
  @Controller('open')
  class Open {
    @Get() list() {}
    @Public() @Get('health') health() {}
  }

  it('does not inherit @Public', async () => {
    @Controller('closed')
    class Closed extends Open {}
    const ask = await start([Open, Closed])
    expect(await ask('/open')).toMatchObject({ status: 200 })
    expect(await ask('/closed')).toMatchObject({ status: 401 })
  })

  it('has what the inherited methods say themselves', async () => {
    @Controller('closed')
    class Closed extends Open {}
    expect(await statusOf(Closed, '/closed/health')).toBe(200)
  })

  it('does not inherit @OptionalAuth', async () => {
    @OptionalAuth()
    class Base {}
    @Controller()
    class Derived extends Base {
      @Get() list() {}
    }
    expect(await statusOf(Derived, '/')).toBe(401)
  })

  it("does not inherit an 'accept'", async () => {
    @VerifyToken({ onRevocationUnavailable: 'accept' })
    class Base {}
    @Controller()
    class Derived extends Base {
      @Get() list() {}
    }
    const ask = await start([Derived], { verifier: createVerifier(poolOf(), { revocation: down }) })
    expect(await ask('/', {})).toMatchObject({ status: 503 })
  })

  @Scopes('orders/read')
  @Groups('admin')
  class Restricted {
    @Get() list() {}
    @Get('one') @Scopes('orders/write') one() {}
  }

  it('inherits @Scopes and @Groups', async () => {
    @Controller()
    class Derived extends Restricted {}
    const ask = await start([Derived])
    const groups = { 'cognito:groups': ['admin'] }
    expect(await ask('/', groups)).toMatchObject({ status: 403 })
    expect(await ask('/', { ...groups, scope: 'orders/read' })).toMatchObject({ status: 200 })
    expect(await ask('/', { scope: 'orders/read' })).toMatchObject({ status: 403 })
  })

  it("may have @Scopes in place of its base's, of which @Groups stay", async () => {
    @Controller()
    @Scopes('orders/all')
    class Derived extends Restricted {}
    const ask = await start([Derived])
    expect(await ask('/', { scope: 'orders/all' })).toMatchObject({ status: 403 })
    const all = { scope: 'orders/all', 'cognito:groups': ['admin'] }
    expect(await ask('/', all)).toMatchObject({ status: 200 })
  })

  it('may be @Public itself, but for the inherited methods that ask for more', async () => {
    @Controller()
    @Public()
    class Derived extends Restricted {}
    const ask = await start([Derived])
    expect(await ask('/')).toMatchObject({ status: 200 })
    expect(await ask('/one')).toMatchObject({ status: 401 })
  })

  it('keeps the @Scopes of a method that it overrides without saying them again', async () => {
    @Controller()
    @Public()
    class Derived extends Restricted {
      @Get('one') override one() {}
    }
    const ask = await start([Derived])
    expect(await ask('/one')).toMatchObject({ status: 401 })
    const groups = { 'cognito:groups': ['admin'] }
    expect(await ask('/one', { ...groups, scope: 'orders/read' })).toMatchObject({ status: 403 })
    expect(await ask('/one', { ...groups, scope: 'orders/write' })).toMatchObject({ status: 200 })
  })

  it.each<[string, RouteDecorator]>([
    ['@Public', Public()],
    ['@OptionalAuth', OptionalAuth()],
  ])('is not opened by an inherited method with %s where it asks for a group itself', async (_, decorate) => {
    class Base {
      @decorate @Get() list() {}
    }
    @Groups('admin')
    class Between extends Base {}
    @Controller('derived')
    class Derived extends Between {}
    @Controller('admin')
    @Groups('admin')
    class Admin extends Base {}
    const ask = await start([Derived, Admin])
    for (const path of ['/derived', '/admin']) {
      expect(await ask(path)).toMatchObject({ status: 401 })
      expect(await ask(path, {})).toMatchObject({ status: 403 })
      expect(await ask(path, { 'cognito:groups': ['admin'] })).toMatchObject({ status: 200 })
    }
  })

  it('may be @Public, and leave an inherited method its @OptionalAuth', async () => {
    class Base {
      @OptionalAuth() @Get() list() {}
    }
    @Controller()
    @Public()
    class Derived extends Base {}
    expect(await statusOf(Derived, '/')).toBe(200)
    expect(await statusOf(Derived, '/', 'token')).toBe(401)
  })

  it('does not keep the @Public of a method that it overrides', async () => {
    @Controller()
    class Derived extends Open {
      @Get('health') override health() {}
    }
    expect(await statusOf(Derived, '/health')).toBe(401)
  })
})

describe('a method that is wrapped', () => {
  /** What tracing and the like do, some with the metadata and the name, some without. */
  function wrapped(keep: (wrapper: object, original: object) => void): MethodDecorator {
    return (_target, _key, descriptor) => {
      const original = descriptor.value as () => unknown
      const wrapper = function (this: unknown) {
        return original.apply(this)
      }
      keep(wrapper, original)
      descriptor.value = wrapper as never
    }
  }

  it('by a decorator above still needs the @Scopes', async () => {
    @Controller()
    class Orders {
      @Get()
      @wrapped(() => {})
      @Scopes('orders/read')
      list() {}
    }
    expect(await statusOf(Orders, '/', {})).toBe(403)
  })

  it('in the instance still needs the @Scopes', async () => {
    @Controller()
    class Orders {
      constructor() {
        const { list } = this
        const wrapper = Object.defineProperty(() => list(), 'name', { value: 'list' })
        for (const key of Reflect.getMetadataKeys(list)) {
          if (!String(key).includes('cognito'))
            Reflect.defineMetadata(key, Reflect.getMetadata(key, list), wrapper)
        }
        this.list = wrapper
      }
      @Get() @Scopes('orders/read') list() {}
    }
    expect(await statusOf(Orders, '/', {})).toBe(403)
  })

  it('in the instance, with its metadata and another name, still needs the @Scopes', async () => {
    @Controller()
    class Orders {
      constructor() {
        const { list } = this
        const another = () => list()
        for (const key of Reflect.getMetadataKeys(list))
          Reflect.defineMetadata(key, Reflect.getMetadata(key, list), another)
        this.list = another
      }
      @Get() @Scopes('orders/read') list() {}
    }
    expect(await statusOf(Orders, '/', {})).toBe(403)
  })
})

describe('@UseGuards(CognitoAuthGuard)', () => {
  class Own extends CognitoAuthGuard {}
  const anywhere = UseGuards(CognitoAuthGuard) as RouteDecorator

  it.each<[string, RouteDecorator[], RouteDecorator[], number, number]>([
    // What is on the class, on the method; the status without a token, and with one.
    ['on a method in a @Public class', [Public()], [anywhere], 401, 200],
    ['of an own class', [Public()], [UseGuards(Own) as RouteDecorator], 401, 200],
    [
      'beside others',
      [Public()],
      [UseGuards({ canActivate: () => true }) as RouteDecorator, anywhere],
      401,
      200,
    ],
    ['beside @Public on a method', [], [Public(), anywhere], 401, 200],
    ['beside @Public on a class', [anywhere, Public()], [], 401, 200],
    ['and @Scopes in a @Public class', [Public()], [anywhere, Scopes('orders/read')], 401, 403],
    ['in a class with @OptionalAuth, which does not contradict it,', [OptionalAuth()], [anywhere], 200, 200],
    ['on the class of a @Public method', [anywhere], [Public()], 200, 200],
    [
      'not, but another guard,',
      [Public()],
      [UseGuards({ canActivate: () => true }) as RouteDecorator],
      200,
      200,
    ],
  ])('%s asks for a token, or does not', async (_, onClass, onMethod, without, withOne) => {
    const ask = await start([controllerWith(onClass, onMethod)])
    expect([(await ask('/')).status, (await ask('/', {})).status]).toEqual([without, withOne])
  })

  it('may have the guard itself instead of its class', async () => {
    const guard = new CognitoAuthGuard({ verifier: createVerifier(poolOf()) })
    const ask = await start([controllerWith([Public()], [UseGuards(guard) as RouteDecorator])])
    expect(await ask('/')).toMatchObject({ status: 401 })
  })

  it('leaves it to the option optional whether a token is needed', async () => {
    const ask = await start([controllerWith([], [anywhere])], { optional: true })
    expect(await ask('/')).toMatchObject({ status: 200 })
    expect(await ask('/', 'token')).toMatchObject({ status: 401 })
  })

  it('on a class is not opened by an inherited @Public method, nor by the @Public of a subclass of its method', async () => {
    class Base {
      @Public() @Get('health') health() {}
      @UseGuards(CognitoAuthGuard) @Get('one') one() {}
    }
    @Controller('guarded')
    @UseGuards(CognitoAuthGuard)
    class Guarded extends Base {}
    @Controller('open')
    @Public()
    class Open extends Base {
      @Get('one') override one() {}
    }
    const ask = await start([Guarded, Open])
    expect(await ask('/guarded/health')).toMatchObject({ status: 401 })
    expect(await ask('/open/one')).toMatchObject({ status: 401 })
    expect(await ask('/open/health')).toMatchObject({ status: 200 })
  })
})

describe('a method that the instance binds', () => {
  it.each<[string, RouteDecorator[]]>([
    ['a class', []],
    ['a @Public class', [Public()]],
  ])('in %s still needs the @Scopes', async (_, onClass) => {
    class Orders {
      constructor() {
        this.list = this.list.bind(this).bind(this)
      }
      @Get() @Scopes('orders/read') list() {
        return 'orders'
      }
    }
    for (const decorate of [Controller(), ...onClass]) (decorate as ClassDecorator)(Orders)
    const ask = await start([Orders])
    expect(await ask('/')).toMatchObject({ status: 401 })
    expect(await ask('/', {})).toMatchObject({ status: 403 })
    expect(await ask('/', { scope: 'orders/read' })).toMatchObject({ status: 200, text: 'orders' })
  })

  it.each<[string, MethodDecorator]>([
    ['@Scopes', Scopes('orders/read')],
    ['@Public', Public()],
    ['@UseGuards(CognitoAuthGuard)', UseGuards(CognitoAuthGuard)],
  ])('by a function that says nothing of its %s is an error, which names the class', async (_, decorate) => {
    @Public()
    @Controller()
    class Orders {
      constructor() {
        const { list } = this
        this.list = (
          () => () =>
            list()
        )()
      }
      @Get() @decorate list() {}
    }
    const errors: unknown[] = []
    UseFilters({
      catch: (error: unknown, host: ArgumentsHost) => {
        errors.push(error)
        host.switchToHttp().getResponse().status(500).end()
      },
    })(Orders)
    expect(await statusOf(Orders, '/', { scope: 'orders/read' })).toBe(500)
    expect(errors).toEqual([expect.any(TypeError)])
    expect(String(errors[0])).toMatch(/Orders: cannot tell which method/)
  })

  it('by such a function is let be in a class none of whose methods says anything', async () => {
    @Public()
    @Controller()
    class Health {
      constructor() {
        const { get } = this
        this.get = (
          () => () =>
            get()
        )()
      }
      @Get() get() {}
    }
    expect(await statusOf(Health, '/')).toBe(200)
  })
})

describe('a decorator', () => {
  it.each<[string, RouteDecorator[]]>([
    ['@Public', [Public(), Scopes('a')]],
    ['@Public', [Public(), Groups('a')]],
    ['@Public', [Public(), OptionalAuth()]],
    ['@Public', [Public(), VerifyToken()]],
    ['@Public', [Public(), Public()]],
    ['@Scopes', [Scopes('a'), Public()]],
    ['@Scopes', [Scopes('a'), Scopes('b')]],
    ['@Groups', [Groups('a'), Groups('b')]],
    ['@OptionalAuth', [OptionalAuth(), VerifyToken()]],
    ['@VerifyToken', [VerifyToken(), VerifyToken({ onRevocationUnavailable: 'accept' })]],
  ])(
    '%s stops the application from starting beside one that it contradicts or repeats',
    (name, decorators) => {
      const [last, first] = decorators as [RouteDecorator, RouteDecorator]
      expect(() => controllerWith([first, last], [])).toThrow(`${name} contradicts`)
      expect(() => controllerWith([], [first, last])).toThrow(TypeError)
    },
  )

  it.each<[string, () => RouteDecorator]>([
    ['@Scopes', () => Scopes()],
    ['@Scopes', () => Scopes('')],
    ['@Scopes', () => Scopes('two scopes')],
    ['@Scopes', () => Scopes({ all: [] })],
    ['@Scopes', () => Scopes(['a'] as never, 'b')],
    ['@Groups', () => Groups()],
    ['@Groups', () => Groups('')],
    ['@Groups', () => Groups(undefined as never)],
    ['@Groups', () => Groups({ none: ['a'] } as never)],
    ['@VerifyToken', () => VerifyToken({ onRevocationUnavailable: 'ignore' as never })],
    ['@VerifyToken', () => VerifyToken({ scope: 'a' } as never)],
  ])('%s is refused with what it cannot mean', (name, create) => {
    expect(create).toThrow(TypeError)
    expect(create).toThrow(name)
  })

  it('is refused on what is no method', () => {
    class Some {}
    expect(() => Public()(Some.prototype, 'property', undefined as never)).toThrow(TypeError)
  })
})

describe('@Claims', () => {
  const upperCase: PipeTransform = { transform: (value: string) => value.toUpperCase() }

  @Controller()
  class Me {
    @Get('all') all(@Claims() claims: unknown) {
      return { claims }
    }
    @Get('sub') sub(@Claims('sub') sub: unknown) {
      return { sub }
    }
    @Get('pipe') pipe(@Claims('sub', upperCase) sub: unknown) {
      return { sub }
    }
    @Get('none') none(@Claims('constructor') claim: unknown) {
      return { claim }
    }
    @OptionalAuth() @Get('optional') optional(@Claims() claims: unknown, @Claims('sub') sub: unknown) {
      return { claims: String(claims), sub: String(sub) }
    }
    @Public() @Get('public') public(@Claims('sub') sub: unknown) {
      return { sub }
    }
  }

  it.each([
    ['all of them', '/all', { claims: { sub: 'jane', token_use: 'access' } }],
    ['one', '/sub', { sub: 'jane' }],
    ['one through a pipe', '/pipe', { sub: 'JANE' }],
    ['those of a token that was optional', '/optional', { claims: '[object Object]', sub: 'jane' }],
  ])('gives %s', async (_, path, expected) => {
    const answer = await (await start([Me]))(path, { sub: 'jane' })
    expect(JSON.parse(answer.text)).toMatchObject(expected)
  })

  it('gives undefined for a claim that the token does not have', async () => {
    expect(await (await start([Me]))('/none', {})).toMatchObject({ status: 200, text: '{}' })
  })

  it('gives undefined where a token was optional and there was none', async () => {
    expect((await (await start([Me]))('/optional')).text).toBe('{"claims":"undefined","sub":"undefined"}')
  })

  it('gives frozen claims', async () => {
    const seen: unknown[] = []
    @Controller()
    class Frozen {
      @Get() get(@Claims() claims: unknown) {
        seen.push(Object.isFrozen(claims))
      }
    }
    await (await start([Frozen]))('/', {})
    expect(seen).toEqual([true])
  })

  it('is an error of the application where no guard has verified the request', async () => {
    const ask = await start([Me])
    expect(await ask('/public', {})).toMatchObject({ status: 500 })
    expect((await ask('/public', {})).text).not.toContain('jane')
  })

  it('is not taken in by claims of an earlier guard where a later one finds no token', async () => {
    const earlier = {
      canActivate: (context: { switchToHttp(): { getRequest(): object } }) => {
        Object.assign(context.switchToHttp().getRequest(), { auth: { sub: 'somebody' } })
        return true
      },
    }
    @Controller()
    @UseGuards(earlier, verifyToken(createVerifier(poolOf()), { optional: true }))
    class Two {
      @Get() get(@Claims('sub') sub: unknown) {
        return { sub: sub ?? null }
      }
    }
    expect((await (await start([Two], { optional: true }))('/')).text).toBe('{"sub":null}')
  })
})

describe('@Claims', () => {
  it('does not take what others put on the request for claims', async () => {
    @Controller()
    class Open {
      @Public() @Get() get(@Claims('sub') sub: unknown) {
        return { sub }
      }
    }
    @Module({
      imports: [CognitoRevocationModule.forRoot({ verifier: createVerifier(poolOf()) })],
      controllers: [Open],
    })
    class App {}
    const handler = await onExpress(App, (app) =>
      app.use((request: object, _response: unknown, next: () => void) => {
        Object.assign(request, { auth: { sub: 'somebody' } })
        next()
      }),
    )
    expect(await call(await serve(handler))).toMatchObject({ status: 500 })
  })

  it("knows the claims from a guard of this library's other copy, as of CommonJS beside ESM", async () => {
    vi.resetModules()
    const copy = await import('../../src/middleware/nestjs/index.js')
    expect(copy.verifyToken).not.toBe(verifyToken)
    @Controller()
    class Me {
      @Public() @UseGuards(copy.verifyToken(createVerifier(poolOf()))) @Get() me(
        @Claims('sub') sub: unknown,
      ) {
        return { sub }
      }
    }
    expect((await (await start([Me]))('/', { sub: 'jane' })).text).toBe('{"sub":"jane"}')
  })

  it('gives each of the resolvers of one GraphQL request the claims of its own guard', async () => {
    const guardOf = (header: string) => verifyToken(createVerifier(poolOf()), { tokenFrom: { header } })
    class Resolver {
      @UseGuards(guardOf('x-first')) first(@Claims('sub') sub: unknown) {
        return sub
      }
      @UseGuards(guardOf('x-second')) second(@Claims('sub') sub: unknown) {
        return sub
      }
      field(@Claims('sub') sub: unknown) {
        return sub
      }
    }
    @Module({ providers: [Resolver] })
    class App {}
    const app = await NestFactory.createApplicationContext(App, { logger: false })
    onTestFinished(() => app.close())
    const resolver = app.get(Resolver)
    const token = (sub: string) => poolOf().minter.accessToken({ sub })
    const req = { headers: { 'x-first': token('jane'), 'x-second': token('joe') } }
    const resolve = (name: 'first' | 'second' | 'field'): Promise<unknown> => {
      const params = { exchangeKeyForValue: () => undefined }
      const creator = app.get(ExternalContextCreator)
      const args = [resolver, resolver[name], name, ROUTE_ARGS_METADATA, params] as const
      return creator.create(...args, undefined, undefined, undefined, 'graphql')({}, {}, { req }, { name })
    }
    await expect(resolve('field')).rejects.toThrow(TypeError)
    expect(await Promise.all([resolve('first'), resolve('second')])).toEqual(['jane', 'joe'])
    expect(['jane', 'joe']).toContain(await resolve('field'))
  })
})

describe('a guard of verifyToken', () => {
  const guarded = (onClass: RouteDecorator[], onMethod: RouteDecorator[], optional = false): Type => {
    const controller = controllerWith(onClass, onMethod)
    UseGuards(verifyToken(createVerifier(poolOf()), { optional, groups: 'admin' }))(controller)
    return controller
  }
  const startGuarded = async (controller: Type) => {
    @Module({ controllers: [controller] })
    class App {}
    const port = await serve(await onExpress(App))
    return (claims?: object) =>
      call(
        port,
        claims ? { headers: { Authorization: `Bearer ${poolOf().minter.accessToken({ ...claims })}` } } : {},
      )
  }
  const admin = { 'cognito:groups': ['admin'] }

  it('needs no module', async () => {
    const ask = await startGuarded(guarded([], []))
    expect(replyOf(await ask())).toEqual(NO_TOKEN)
    expect(replyOf(await ask({}))).toEqual(insufficientScope())
    expect(await ask(admin)).toMatchObject({ status: 200 })
    expect(replyOf(await ask({ iat: 1 }))).toEqual(INVALID_TOKEN)
  })

  it.each<[string, RouteDecorator[], RouteDecorator[]]>([
    ['@Public', [], [Public()]],
    ['@Public on the class', [Public()], []],
    ['@OptionalAuth', [], [OptionalAuth()]],
  ])('pays no heed to %s, which is said of the module', async (_, onClass, onMethod) => {
    expect(await (await startGuarded(guarded(onClass, onMethod)))()).toMatchObject({ status: 401 })
  })

  it('may be of another user pool than the guard before all routes, which @Public keeps away', async () => {
    const controller = guarded([Public()], [])
    const elsewhere = createVerifier(poolOf(), { clientId: 'another-client' })
    const ask = await start([controller], { verifier: elsewhere })
    expect(await ask('/', admin)).toMatchObject({ status: 200 })
    expect(await ask('/')).toMatchObject({ status: 401 })
  })

  it('heeds @Scopes on top of its own options', async () => {
    const ask = await startGuarded(guarded([], [Scopes('orders/read')]))
    expect(await ask(admin)).toMatchObject({ status: 403 })
    expect(await ask({ scope: 'orders/read' })).toMatchObject({ status: 403 })
    expect(await ask({ ...admin, scope: 'orders/read' })).toMatchObject({ status: 200 })
  })

  it('needs a token for @Scopes though its option is optional', async () => {
    expect(await (await startGuarded(guarded([], [], true)))()).toMatchObject({ status: 200 })
    expect(await (await startGuarded(guarded([], [Scopes('orders/read')], true)))()).toMatchObject({
      status: 401,
    })
  })
})
