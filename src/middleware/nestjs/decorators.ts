import { optionError } from '../../options.js'
import { type Grants, grantsNeeded } from '../grants.js'
import { addRules, type RouteRules } from './route-rules.js'

/** A decorator of a controller (or resolver, or gateway), or of one of its methods. */
export type RouteDecorator = MethodDecorator & ClassDecorator

/** What a route can have otherwise than the guard's options say. */
export interface RouteOptions {
  /** What to do while it cannot be known whether a token is revoked. Default: as the guard's options have it. */
  readonly onRevocationUnavailable?: 'reject' | 'accept'
}

/**
 * Lets everybody in: {@link CognitoAuthGuard} does not look at tokens here. On a class it holds for its methods, but
 * for those with a decorator of their own that asks for a token, `@UseGuards(CognitoAuthGuard)` among them; it has no
 * effect beside that. A class's is not inherited by subclasses. A method's is, unless the subclass, or a class between,
 * has a decorator other than `@Public`, or overrides the method. A guard of {@link verifyToken} pays no heed to it.
 *
 * @throws TypeError beside another decorator of this library on the same class or method
 * @example
 * import { Public } from 'cognito-revocation/nestjs'
 * class HealthController { @Public() @Get('health') health() {} }
 */
export function Public(): RouteDecorator {
  return addRules('@Public', { access: 'public' })
}

/**
 * Lets requests without a token in, without claims; never one with a bad token, nor one whose token lacks the scopes
 * and groups that are asked for. Inherited as {@link Public} is, and a guard of {@link verifyToken} pays no heed to it:
 * that has an option `optional`.
 *
 * @throws TypeError beside `@Public` or `@VerifyToken` on the same class or method
 * @example
 * import { Claims, OptionalAuth } from 'cognito-revocation/nestjs'
 * class Shop { @OptionalAuth() @Get('products') products(@Claims('sub') sub: string | undefined) {} }
 */
export function OptionalAuth(): RouteDecorator {
  return addRules('@OptionalAuth', { access: 'optional' })
}

/**
 * Asks for one of several scopes, or with `{ all: [...] }` for all. A method's replace its class's, and if it is
 * inherited those of the subclass; those that the guard's options or the verifier ask for come on top. It also asks for a
 * token, where the class is `@Public`.
 *
 * @throws TypeError for what is no scope, or twice on the same class or method
 * @example
 * import { Scopes } from 'cognito-revocation/nestjs'
 * class Orders { @Get() @Scopes('orders/read', 'orders/write') list() {} }
 * class Stock { @Post() @Scopes({ all: ['stock/read', 'stock/write'] }) add() {} }
 */
export function Scopes(...scopes: readonly string[] | readonly [Grants]): RouteDecorator {
  const scope = asGrants(scopes)
  grantsNeeded('@Scopes', { scope })
  return addRules('@Scopes', { scope })
}

/**
 * Asks for membership in one of several groups (`cognito:groups`), or with `{ all: [...] }` in all. A method's replace
 * its class's, and if it is inherited those of the subclass; those that the guard's options or the verifier ask for come
 * on top. It also asks for a token, where the class is `@Public`.
 *
 * @throws TypeError for what is no group, or twice on the same class or method
 * @example
 * import { Groups } from 'cognito-revocation/nestjs'
 * class Orders { @Delete(':id') @Groups('admin') remove() {} }
 */
export function Groups(...groups: readonly string[] | readonly [Grants]): RouteDecorator {
  const asked = asGrants(groups)
  grantsNeeded('@Groups', { groups: asked })
  return addRules('@Groups', { groups: asked })
}

/**
 * Asks for a token, where the class or the guard's options would do without one; and says what this route does while
 * it cannot be known whether it is revoked. An 'accept' is inherited as {@link Public} is; guards of
 * {@link verifyToken} do not heed it.
 *
 * @throws TypeError naming the option, or beside `@Public` or `@OptionalAuth` on the same class or method
 * @example
 * import { VerifyToken } from 'cognito-revocation/nestjs'
 * class Trains { @Get() @VerifyToken({ onRevocationUnavailable: 'accept' }) timetable() {} }
 */
export function VerifyToken(options: RouteOptions = {}): RouteDecorator {
  const { onRevocationUnavailable, ...unknown } = options
  const [option] = Object.keys(unknown)
  if (option !== undefined) throw new TypeError(`@VerifyToken: unknown option "${option}"`)
  const rules: RouteRules = { access: 'required' }
  if (onRevocationUnavailable === undefined) return addRules('@VerifyToken', rules)
  if (!['reject', 'accept'].includes(onRevocationUnavailable))
    throw optionError('@VerifyToken', 'onRevocationUnavailable', "'reject' or 'accept'")
  return addRules('@VerifyToken', { ...rules, onRevocationUnavailable })
}

function asGrants(args: readonly string[] | readonly [Grants]): Grants {
  const [first] = args
  return args.length === 1 && first !== undefined ? first : (args as readonly string[])
}
