import Koa, { type Context, type DefaultState, type Middleware } from 'koa'
import { describe, expectTypeOf, it } from 'vitest'
import {
  type CognitoAccessTokenClaims,
  type CognitoClaims,
  type CognitoIdTokenClaims,
  TokenVerifier,
} from '../../src/index.js'
import { type AuthState, type VerifyTokenOptions, verifyToken } from '../../src/middleware/koa/index.js'

const pool = { userPoolId: 'us-east-1_AbCdEfGhI', clientId: null, revocation: false } as const
const verifier = new TokenVerifier({ ...pool, tokenUse: 'access' })

describe('the middleware of verifyToken', () => {
  it("is Koa's own kind", () => {
    const middleware: Middleware = verifyToken(verifier)
    new Koa().use(middleware)
    // As routers take them, with a context of their own.
    const ofRoute: Middleware<{ requestId: string }, { params: object }> = verifyToken(verifier)
    new Koa<{ requestId: string }, { params: object }>().use(ofRoute)
    new Koa().use((ctx, next) => verifyToken(verifier)(ctx, next))
  })

  it('goes into every app', () => {
    new Koa().use(verifyToken(verifier)).use(verifyToken(verifier, { scope: 'a/b' }))
    interface State {
      requestId: string
    }
    interface Extra {
      log(text: string): void
    }
    const app = new Koa<State, Extra>()
    app.use(verifyToken(verifier)).use((ctx) => {
      expectTypeOf(ctx.state.requestId).toEqualTypeOf<string>()
      expectTypeOf(ctx.state.auth).toEqualTypeOf<CognitoAccessTokenClaims | undefined>()
      ctx.log('done')
      // @ts-expect-error: nothing of that name
      ctx.logs('done')
    })
  })

  it('is made with any verifier', () => {
    void [
      verifyToken(new TokenVerifier({ ...pool, tokenUse: 'id' })),
      verifyToken(new TokenVerifier({ ...pool, tokenUse: null })),
      // @ts-expect-error: a verifier is missing
      verifyToken(),
      // @ts-expect-error: these are options
      verifyToken({ ...pool, tokenUse: 'access' }),
    ]
  })
})

describe("a context's state.auth", () => {
  it('is there or not', () => {
    expectTypeOf<DefaultState['auth']>().toEqualTypeOf<CognitoClaims | undefined>()
    expectTypeOf<Context['state']['auth']>().toEqualTypeOf<CognitoClaims | undefined>()
    new Koa().use((ctx) => {
      expectTypeOf(ctx.state.auth).toEqualTypeOf<CognitoClaims | undefined>()
      // @ts-expect-error: possibly undefined
      ctx.body = ctx.state.auth.sub
    })
  })

  it("is of the verifier's use of tokens, in the middlewares that follow on it", () => {
    new Koa<AuthState<CognitoIdTokenClaims>>()
      .use(verifyToken(new TokenVerifier({ ...pool, tokenUse: 'id' })))
      .use((ctx) => {
        expectTypeOf(ctx.state.auth).toEqualTypeOf<CognitoIdTokenClaims | undefined>()
      })
    new Koa().use(verifyToken(verifier)).use((ctx) => {
      expectTypeOf(ctx.state.auth).toExtend<CognitoAccessTokenClaims | undefined>()
    })
  })

  it('cannot be written into', () => {
    const { auth } = {} as Required<AuthState>
    // @ts-expect-error: readonly
    auth.sub = 'somebody else'
  })
})

describe('the options of verifyToken', () => {
  it('cannot be misspelt', () => {
    // @ts-expect-error: optional
    verifyToken(verifier, { passthrough: true })
    // @ts-expect-error: an async function gives no token
    verifyToken(verifier, { extractToken: async () => 'token' })
  })

  it("give Koa's context to extractToken and skip", () => {
    expectTypeOf<NonNullable<VerifyTokenOptions<Context>['skip']>>().parameter(0).toEqualTypeOf<Context>()
    verifyToken(verifier, { extractToken: (ctx) => ctx.cookies.get('token') })
    verifyToken(verifier, { skip: (ctx) => ctx.path === '/health' })
  })
})
