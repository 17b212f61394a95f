import { createParamDecorator, type ExecutionContext, type PipeTransform, type Type } from '@nestjs/common'
import { notedClaims } from './noted-claims.js'

type Pipe = PipeTransform | Type<PipeTransform>

/**
 * The verified claims of the request's token, frozen; or one of them by its name, undefined if the token has none such.
 * Undefined, too, where the request could go on without a token (`@OptionalAuth`, `optional`, `skip`) and had none.
 *
 * Throws, when the handler is called, where no guard of this library has looked at the request at all: on a `@Public`
 * route, above all. An undefined `sub` would be no condition at all to many a database. What others put into
 * `request.auth` is not looked at. For `http` and `graphql` contexts; elsewhere the claims are in `auth` of what
 * `getRequest` gave.
 *
 * In GraphQL the claims are those of the resolver's own guard, where `request.auth` has those of whichever came last. A
 * field's resolver, for which Nest runs no guard by default, and a `@Public` one get the latter.
 *
 * @example
 * import { Claims } from 'cognito-revocation/nestjs'
 * class Users { @Get('me') me(@Claims() claims: CognitoAccessTokenClaims) {} }
 * class Orders { @Get() list(@Claims('sub') sub: string) {} }
 */
export const Claims: (nameOrPipe?: string | Pipe, ...pipes: Pipe[]) => ParameterDecorator =
  createParamDecorator<string | Pipe | undefined>((name, context) => claimsOf(context, name))

function claimsOf(context: ExecutionContext, name: unknown): unknown {
  const note = notedClaims(context)
  if (note === undefined) {
    throw new TypeError(
      '@Claims: no guard has verified this request: use CognitoAuthGuard, and @OptionalAuth() instead of @Public()',
    )
  }
  const { claims } = note
  if (name === undefined || claims === undefined) return claims
  return Object.getOwnPropertyDescriptor(claims, String(name))?.value
}
