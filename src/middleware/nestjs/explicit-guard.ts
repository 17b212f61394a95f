import { SetMetadata, type Type, UseGuards } from '@nestjs/common'

/** The same in the ESM and in the CommonJS copy of this library. */
const MARK = Symbol.for('cognito-revocation.nestjs.guard')

/** Where Nest keeps what `@UseGuards` was given: found out by using it, since the key is Nest's own affair. */
const GUARDS: unknown = guardsKey()

/** Marks CognitoAuthGuard, and classes that extend it, for {@link hasExplicitGuard}. */
export const markGuard = SetMetadata(MARK, true)

/** Whether a class or a method has `@UseGuards(CognitoAuthGuard)`, or one that extends it, or an instance of these. */
export function hasExplicitGuard(target: unknown): boolean {
  const guards: unknown = typeof target === 'function' ? Reflect.getOwnMetadata(GUARDS, target) : undefined
  return Array.isArray(guards) && guards.some(isMarked)
}

function isMarked(guard: Type | object): boolean {
  const type = typeof guard === 'function' ? guard : guard.constructor
  return typeof type === 'function' && Reflect.getMetadata(MARK, type) === true
}

function guardsKey(): unknown {
  const method = () => {}
  UseGuards({ canActivate: () => true })({}, 'method', { value: method })
  return Reflect.getOwnMetadataKeys(method)[0]
}
