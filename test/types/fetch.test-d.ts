import { describe, expectTypeOf, it } from 'vitest'
import { type CognitoAccessTokenClaims, type CognitoIdTokenClaims, TokenVerifier } from '../../src/index.js'
import { type VerifyTokenOptions, verifyToken, withToken } from '../../src/middleware/fetch/index.js'

const pool = { userPoolId: 'us-east-1_AbCdEfGhI', clientId: null, revocation: false } as const
const verifier = new TokenVerifier({ ...pool, tokenUse: 'access' })
const idVerifier = new TokenVerifier({ ...pool, tokenUse: 'id' })

/** A framework's own kind of request, such as NextRequest. */
class OwnRequest extends Request {
  readonly own: number = 1
}

describe('what verifyToken finds', () => {
  it('is claims, by tokenUse, once there is no response', async () => {
    const { claims, response } = await verifyToken(verifier)(new Request('http://localhost'))
    expectTypeOf(response).toEqualTypeOf<Response | undefined>()
    if (response) return
    expectTypeOf(claims).toEqualTypeOf<CognitoAccessTokenClaims>()
    const other = await verifyToken(idVerifier, { scope: 'a/b', optional: false })(
      new Request('http://localhost'),
    )
    if (other.response === undefined) expectTypeOf(other.claims).toEqualTypeOf<CognitoIdTokenClaims>()
  })

  it('must be looked at first', async () => {
    const { claims } = await verifyToken(verifier)(new Request('http://localhost'))
    // @ts-expect-error: possibly undefined
    expectTypeOf(claims.sub).toEqualTypeOf<string>()
  })

  it('may be no claims where authentication is optional or skipped', async () => {
    const options: VerifyTokenOptions<Request> = {}
    for (const authenticate of [
      verifyToken(verifier, { optional: true }),
      verifyToken(verifier, { skip: () => true }),
      verifyToken(verifier, options),
    ]) {
      const { claims, response } = await authenticate(new Request('http://localhost'))
      if (response) return
      expectTypeOf(claims).toEqualTypeOf<CognitoAccessTokenClaims | undefined>()
    }
  })

  it('cannot be written into', async () => {
    const { claims } = await verifyToken(verifier)(new Request('http://localhost'))
    // @ts-expect-error: readonly
    if (claims) claims.sub = 'somebody else'
  })
})

describe('a handler withToken', () => {
  it('is given the claims, by tokenUse', () => {
    const handle = withToken(verifier, (request, claims) => {
      expectTypeOf(request).toEqualTypeOf<Request>()
      expectTypeOf(claims).toEqualTypeOf<CognitoAccessTokenClaims>()
      return new Response()
    })
    expectTypeOf(handle(new Request('http://localhost'))).toEqualTypeOf<Promise<Response>>()
  })

  it('must take it that there are none where authentication is optional or skipped', () => {
    withToken(
      verifier,
      (_, claims) => {
        expectTypeOf(claims).toEqualTypeOf<CognitoAccessTokenClaims | undefined>()
        return new Response()
      },
      { optional: true },
    )
    const handler = (_: Request, claims: CognitoAccessTokenClaims) => new Response(claims.sub)
    void [
      withToken(verifier, handler),
      // @ts-expect-error: claims may be undefined
      withToken(verifier, handler, { optional: true }),
      // @ts-expect-error: claims may be undefined
      withToken(verifier, handler, { skip: () => true }),
      // @ts-expect-error: these are claims of an ID token
      withToken(idVerifier, handler),
    ]
  })

  it("keeps the framework's own kinds of request and context", () => {
    const handle = withToken(
      verifier,
      async (request: OwnRequest, _claims, { params }: { params: Promise<{ id: string }> }) => {
        expectTypeOf(request.own).toEqualTypeOf<number>()
        return new Response((await params).id)
      },
    )
    expectTypeOf(handle).parameters.toEqualTypeOf<[OwnRequest, { params: Promise<{ id: string }> }]>()
  })

  it('goes where servers take one', () => {
    type Serve = (handler: (request: Request, info: { port: number }) => Response | Promise<Response>) => void
    expectTypeOf<Serve>().toBeCallableWith(withToken(verifier, () => new Response()))
  })

  it('must give a response', () => {
    // @ts-expect-error: nothing is given
    withToken(verifier, () => {})
  })
})

describe('the options', () => {
  it('cannot be misspelt, and have no other values than are meant', () => {
    // @ts-expect-error: scope
    verifyToken(verifier, { scopes: 'openid' })
    // @ts-expect-error: scope
    withToken(verifier, () => new Response(), { scopes: 'openid' })
    // @ts-expect-error: an async function gives no token
    verifyToken(verifier, { extractToken: async () => 'token' })
  })

  it('give the request to extractToken', () => {
    verifyToken(verifier, { extractToken: (request) => request.headers.get('X-Token') })
  })
})
