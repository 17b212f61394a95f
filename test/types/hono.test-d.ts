import { type Context, Hono, type MiddlewareHandler } from 'hono'
import { createFactory } from 'hono/factory'
import { describe, expectTypeOf, it } from 'vitest'
import {
  type CognitoAccessTokenClaims,
  type CognitoClaims,
  type CognitoIdTokenClaims,
  TokenVerifier,
} from '../../src/index.js'
import { type AuthEnv, type VerifyTokenOptions, verifyToken } from '../../src/middleware/hono/index.js'

const pool = { userPoolId: 'us-east-1_AbCdEfGhI', clientId: null, revocation: false } as const
const verifier = new TokenVerifier({ ...pool, tokenUse: 'access' })
const idVerifier = new TokenVerifier({ ...pool, tokenUse: 'id' })

describe('the middleware of verifyToken', () => {
  it("is Hono's own kind", () => {
    expectTypeOf(verifyToken(verifier)).toEqualTypeOf<MiddlewareHandler<AuthEnv<CognitoAccessTokenClaims>>>()
    const handler: MiddlewareHandler = verifyToken(verifier)
    new Hono().use('/api/*', handler, verifyToken(verifier, { scope: ['a/b', 'a/c'] }))
  })

  it('is made with any verifier', () => {
    void [
      verifyToken(new TokenVerifier({ ...pool, tokenUse: null })),
      verifyToken(new TokenVerifier({ revocation: false, pools: [{ ...pool, tokenUse: 'access' }] })),
      // @ts-expect-error: a verifier is missing
      verifyToken(),
      // @ts-expect-error: these are options
      verifyToken({ ...pool, tokenUse: 'access' }),
    ]
  })
})

describe("a context's auth", () => {
  it('is there, by tokenUse, in handlers of the same chain', () => {
    new Hono().get('/', verifyToken(verifier), (c) => {
      expectTypeOf(c.get('auth')).toEqualTypeOf<CognitoAccessTokenClaims>()
      expectTypeOf(c.var.auth.client_id).toEqualTypeOf<string>()
      return c.text(c.var.auth.sub)
    })
    new Hono().use(verifyToken(idVerifier)).get('/', (c) => {
      expectTypeOf(c.get('auth')).toEqualTypeOf<CognitoIdTokenClaims>()
      expectTypeOf(c.var.auth.aud).toEqualTypeOf<string>()
      return c.text('')
    })
    createFactory().createHandlers(verifyToken(verifier), (c) => c.text(c.get('auth').client_id))
  })

  it('may be missing where authentication is optional or skipped', () => {
    for (const options of [{ optional: true }, { skip: () => true }] as const) {
      new Hono().get('/', verifyToken(verifier, options), (c) => {
        expectTypeOf(c.get('auth')).toEqualTypeOf<CognitoAccessTokenClaims | undefined>()
        // @ts-expect-error: possibly undefined
        return c.text(c.var.auth.sub)
      })
    }
    const options: VerifyTokenOptions<Context> = {}
    new Hono().get('/', verifyToken(verifier, options), (c) => {
      expectTypeOf(c.get('auth')).toEqualTypeOf<CognitoAccessTokenClaims | undefined>()
      return c.text('')
    })
  })

  it('may be missing in handlers that were not chained', () => {
    const app = new Hono()
    app.use(verifyToken(verifier))
    app.get('/', (c) => {
      expectTypeOf(c.get('auth')).toEqualTypeOf<CognitoClaims | undefined>()
      expectTypeOf(c.var.auth).toEqualTypeOf<CognitoClaims | undefined>()
      return c.text(c.get('auth')?.sub ?? '')
    })
  })

  it("goes with an application's own variables and bindings", () => {
    interface Env {
      Bindings: { stage: string }
      Variables: { user: number }
    }
    new Hono<Env>().get('/', verifyToken(verifier), (c) => {
      expectTypeOf(c.var.user).toEqualTypeOf<number>()
      expectTypeOf(c.env.stage).toEqualTypeOf<string>()
      return c.text(c.var.auth.client_id)
    })
    new Hono<AuthEnv<CognitoAccessTokenClaims>>().use(verifyToken(verifier)).get('/', (c) => {
      return c.text(c.get('auth').client_id)
    })
  })

  it("is an application's own where it says so, in c.get", () => {
    new Hono<{ Variables: { auth: string } }>().get('/', (c) => {
      expectTypeOf(c.get('auth')).toEqualTypeOf<string>()
      return c.text('')
    })
  })

  it('cannot be written into', () => {
    new Hono().get('/', verifyToken(verifier), (c) => {
      // @ts-expect-error: readonly
      c.var.auth.sub = 'somebody else'
      return c.text('')
    })
  })
})

describe('the options of verifyToken', () => {
  it('cannot be misspelt, and have no other values than are meant', () => {
    // @ts-expect-error: scope
    verifyToken(verifier, { scopes: 'openid' })
    // @ts-expect-error: a boolean
    verifyToken(verifier, { optional: 'yes' })
    // @ts-expect-error: an async function gives no token
    verifyToken(verifier, { extractToken: async () => 'token' })
  })

  it("give Hono's context to extractToken and skip", () => {
    verifyToken(verifier, { extractToken: (c) => c.req.header('X-Token'), skip: (c) => c.req.path === '/' })
    expectTypeOf<NonNullable<VerifyTokenOptions<Context>['skip']>>().parameter(0).toEqualTypeOf<Context>()
  })
})
