import {
  type CanActivate,
  Controller,
  type DynamicModule,
  type ExceptionFilter,
  Get,
  type HttpException,
  Module,
  UseGuards,
} from '@nestjs/common'
import type { Request } from 'express'
import type { FastifyRequest } from 'fastify'
import { describe, expectTypeOf, it } from 'vitest'
import { type CognitoAccessTokenClaims, type CognitoClaims, TokenVerifier } from '../../src/index.js'
import {
  Claims,
  type CognitoAuthException,
  CognitoAuthGuard,
  CognitoRevocationModule,
  type CognitoRevocationOptionsFactory,
  Groups,
  type GuardOptions,
  type NestRequest,
  OptionalAuth,
  type ProblemDetails,
  Public,
  Scopes,
  VerifyToken,
  verifyToken,
} from '../../src/middleware/nestjs/index.js'

const pool = { userPoolId: 'us-east-1_AbCdEfGhI', clientId: null, revocation: false } as const
const verifier = new TokenVerifier({ ...pool, tokenUse: 'access' })

describe('a guard', () => {
  it("is Nest's own kind", () => {
    expectTypeOf(verifyToken(verifier)).toEqualTypeOf<CanActivate>()
    expectTypeOf<CognitoAuthGuard>().toExtend<CanActivate>()
    UseGuards(CognitoAuthGuard, verifyToken(verifier, { scope: 'a/b' }))
  })

  it('is made with any verifier', () => {
    void [
      verifyToken(new TokenVerifier({ ...pool, tokenUse: 'id' })),
      verifyToken(new TokenVerifier({ ...pool, tokenUse: null })),
      // @ts-expect-error: a verifier is missing
      verifyToken(),
      // @ts-expect-error: these are options
      verifyToken({ ...pool, tokenUse: 'access' }),
      // @ts-expect-error: scope
      verifyToken(verifier, { scopes: 'openid' }),
    ]
  })

  it("gives the platform's request to the owner's functions", () => {
    expectTypeOf<NonNullable<GuardOptions['extractToken']>>().parameter(0).toEqualTypeOf<NestRequest>()
    verifyToken(verifier, { extractToken: (request) => request.headers.cookie })
    verifyToken(verifier, { skip: (request: FastifyRequest) => request.routeOptions.url === '/' })
    verifyToken(verifier, { extractToken: ({ query }: Request) => String(query.token) })
    verifyToken(verifier, { getRequest: (context) => context.switchToWs().getClient().request })
  })
})

describe('the module', () => {
  it('takes a verifier, options and a place', () => {
    const dynamic = CognitoRevocationModule.forRoot({
      verifier,
      tokenFrom: { cookie: 'token' },
      onRevocationUnavailable: 'accept',
      isGlobal: true,
      guardAllRoutes: false,
    })
    expectTypeOf(dynamic).toEqualTypeOf<DynamicModule>()
    Module({ imports: [dynamic] })
    // @ts-expect-error: a verifier is missing
    CognitoRevocationModule.forRoot({})
    // @ts-expect-error: isGlobal
    CognitoRevocationModule.forRoot({ verifier, global: true })
    // @ts-expect-error: closed by whom?
    CognitoRevocationModule.forRoot({ verifier: { verify: verifier.verify, close: true } })
  })

  it('takes a factory, a class or a provider', () => {
    class Options implements CognitoRevocationOptionsFactory {
      createCognitoRevocationOptions() {
        return { verifier, closeOnShutdown: true }
      }
    }
    class Config {
      readonly scope = 'orders/read'
    }
    CognitoRevocationModule.forRootAsync({ useClass: Options })
    CognitoRevocationModule.forRootAsync({ useExisting: Options, imports: [], isGlobal: true })
    CognitoRevocationModule.forRootAsync({
      inject: [Config],
      useFactory: async ({ scope }: Config) => ({ verifier, scope }),
    })
    // @ts-expect-error: makes no options
    CognitoRevocationModule.forRootAsync({ useClass: Config })
    // @ts-expect-error: no verifier
    CognitoRevocationModule.forRootAsync({ useFactory: () => ({}) })
  })
})

describe('the decorators', () => {
  it('go on classes, methods and parameters', () => {
    @Controller()
    @Scopes({ all: ['a/b', 'c/d'] })
    @Groups('admin', 'support')
    class Orders {
      @Public() @Get() one() {}
      @OptionalAuth() @Get() two(@Claims('sub') _sub: string | undefined) {}
      @VerifyToken({ onRevocationUnavailable: 'reject' }) @Get() three(@Claims() _claims: CognitoClaims) {}
      @Scopes('a/b') @Get() four(@Claims() claims: CognitoAccessTokenClaims) {
        return claims.client_id
      }
    }
    void Orders
  })

  it('take nothing else', () => {
    // @ts-expect-error: a claim's name
    Claims(5)
    // @ts-expect-error: strings, or one object
    Scopes({ all: ['a'] }, 'b')
    // @ts-expect-error: or 'accept'
    VerifyToken({ onRevocationUnavailable: 'ignore' })
    // @ts-expect-error: @Scopes is for that
    VerifyToken({ scope: 'a' })
    // @ts-expect-error: nothing at all
    Public(true)
  })
})

describe('what a filter and a handler see', () => {
  it('is typed', () => {
    expectTypeOf<CognitoAuthException>().toExtend<HttpException>()
    expectTypeOf<ReturnType<CognitoAuthException['getResponse']>>().toEqualTypeOf<ProblemDetails>()
    expectTypeOf<Request['auth']>().toEqualTypeOf<CognitoClaims | undefined>()
    const filter: ExceptionFilter<CognitoAuthException> = { catch: (exception) => exception.headers }
    void filter
  })
})
