import { type ExecutionContext, SetMetadata, type Type } from '@nestjs/common'
import type { Grants } from '../grants.js'
import { hasExplicitGuard } from './explicit-guard.js'

/** What the decorators of a class or of a method say of its routes. */
export interface RouteRules {
  readonly access?: 'public' | 'optional' | 'required'
  readonly scope?: Grants
  readonly groups?: Grants
  readonly onRevocationUnavailable?: 'reject' | 'accept'
}

/** What holds for one route. */
export type RouteDecision =
  | { readonly public: true }
  | {
      readonly public: false
      /** Undefined where no decorator says anything: as the guard's options have it. */
      readonly optional: boolean | undefined
      readonly grants: Pick<RouteRules, 'scope' | 'groups' | 'onRevocationUnavailable'>
    }

/** A handler, as Nest's ExecutionContext gives it. */
export type Handler = ReturnType<ExecutionContext['getHandler']>

/** The same in the ESM and in the CommonJS copy of this library. */
const ROUTE_RULES = Symbol.for('cognito-revocation.nestjs.routeRules')

/**
 * Adds rules to those of a class or a method. What says the same thing twice, or the opposite, is a mistake of which
 * one half would silently be lost.
 *
 * @throws TypeError naming the decorator, when the class is defined
 */
export function addRules(decorator: string, rules: RouteRules): MethodDecorator & ClassDecorator {
  return (target: object, key?: string | symbol, descriptor?: PropertyDescriptor) => {
    if (key !== undefined && typeof descriptor?.value !== 'function')
      throw new TypeError(`${decorator} belongs on a class or on a method`)
    const before = ownRules(target, key) ?? {}
    const twice = Object.keys(rules).some((rule) => Object.hasOwn(before, rule))
    const merged: RouteRules = { ...before, ...rules }
    if (twice || (merged.access === 'public' && Object.keys(merged).length > 1)) {
      const where = key === undefined ? (target as Type).name : String(key)
      throw new TypeError(`${decorator} contradicts or repeats another decorator of ${where}`)
    }
    // On the function, as Nest has it, which others copy when they wrap it; and on its place in the class, since
    // decorators above this one may put another function there.
    if (key !== undefined) Reflect.defineMetadata(ROUTE_RULES, merged, target, key)
    SetMetadata(ROUTE_RULES, merged)(target as Type, key as string, descriptor as PropertyDescriptor)
  }
}

/**
 * What holds for a handler of a class. The nearest decorator decides: the method's, then the class's. A method that
 * says anything but `@Public` or `@OptionalAuth` needs a token, whatever its class says. `@Public` has no effect where
 * `@UseGuards(CognitoAuthGuard)` is as near or nearer. What is inherited cannot let in who has no token: from a base
 * class, from an overridden method, or with a method of a base class if a class nearer than that says anything but
 * `@Public`.
 *
 * @param loosen false: `@Public`, `@OptionalAuth` and 'accept' have no say
 */
export function decideRoute(controller: Type, handler: Handler, loosen: boolean): RouteDecision {
  let guarded = false
  const levels = levelsOf(controller, handler).flatMap((level): RouteRules[] => {
    guarded ||= level.guarded
    const heeded = level.inherited || !loosen ? tightening(level.rules) : level.rules
    if (guarded && heeded.access === 'public') return [{ access: 'required' }]
    return Object.keys(heeded).length > 0 ? [heeded] : []
  })
  const [nearest] = levels
  if (nearest?.access === 'public') return { public: true }
  const { scope, groups, onRevocationUnavailable } = Object.assign({}, ...levels.toReversed()) as RouteRules
  return {
    public: false,
    optional: nearest && nearest.access === 'optional',
    grants: {
      ...(scope === undefined ? {} : { scope }),
      ...(groups === undefined ? {} : { groups }),
      ...(onRevocationUnavailable === undefined ? {} : { onRevocationUnavailable }),
    },
  }
}

interface Said {
  readonly rules: RouteRules
  /** Whether `@UseGuards(CognitoAuthGuard)` is there. */
  readonly guarded: boolean
}

type Level = Said & { readonly inherited: boolean }

/**
 * All that is said of a handler, the nearest first.
 *
 * @throws TypeError where rules of methods might be lost
 */
function levelsOf(controller: Type, handler: Handler): Level[] {
  const classes = lineage(controller)
  const key = keyOf(classes, handler)
  if (key === undefined && ownRules(handler) === undefined && classes.some(hasMethodThatSays)) {
    throw new TypeError(
      `${controller.name}: cannot tell which method this handler wraps, and so which decorators are its: give it the method's name or metadata`,
    )
  }
  const has = ({ prototype }: Type) => key !== undefined && Object.hasOwn(prototype, key)
  // What a base class says of its method cannot open what a class nearer than that asks for. A method that is not
  // found (-1) may be the furthest class's.
  const inherited = classes
    .slice(0, classes.findIndex(has))
    .map((each) => saidOf(each))
    .some(asks)
  return [
    { ...saidOf(handler), inherited },
    ...classes.filter(has).map(({ prototype }, index) => ({
      ...saidOf(prototype, key),
      inherited: inherited || index > 0,
    })),
    ...classes.map((each, index) => ({ ...saidOf(each), inherited: index > 0 })),
  ]
}

function saidOf(target: object, key?: string | symbol): Said {
  const decorated = key === undefined ? target : Object.getOwnPropertyDescriptor(target, key)?.value
  return { rules: ownRules(target, key) ?? {}, guarded: hasExplicitGuard(decorated) }
}

/** Whether it says more than `@Public`. */
function asks({ rules, guarded }: Said): boolean {
  return guarded || (rules.access !== 'public' && Object.keys(rules).length > 0)
}

function hasMethodThatSays({ prototype }: Type): boolean {
  return Reflect.ownKeys(prototype).some((key) => {
    const { rules, guarded } = saidOf(prototype, key)
    return guarded || Object.keys(rules).length > 0
  })
}

/** A class and those it extends, the nearest first. */
function lineage(controller: Type): Type[] {
  const classes: Type[] = []
  let next: unknown = controller
  while (typeof next === 'function' && next !== Function.prototype) {
    classes.push(next as Type)
    next = Object.getPrototypeOf(next)
  }
  return classes.filter(({ prototype }) => prototype !== undefined)
}

/** The name under which a class has the handler; where something has wrapped it since, its own name. */
function keyOf(classes: readonly Type[], handler: Handler): string | symbol | undefined {
  for (const { prototype } of classes) {
    const key = Reflect.ownKeys(prototype).find(
      (each) => Object.getOwnPropertyDescriptor(prototype, each)?.value === handler,
    )
    if (key !== undefined) return key
  }
  const name = handler.name.replace(/^(bound )+/, '')
  return classes.some(({ prototype }) => Object.hasOwn(prototype, name)) ? name : undefined
}

function tightening({ access, scope, groups, onRevocationUnavailable }: RouteRules): RouteRules {
  return {
    ...(access === 'required' ? { access } : {}),
    ...(scope === undefined ? {} : { scope }),
    ...(groups === undefined ? {} : { groups }),
    ...(onRevocationUnavailable === 'reject' ? { onRevocationUnavailable } : {}),
  }
}

function ownRules(target: object, key?: string | symbol): RouteRules | undefined {
  return key === undefined
    ? Reflect.getOwnMetadata(ROUTE_RULES, target)
    : Reflect.getOwnMetadata(ROUTE_RULES, target, key)
}
