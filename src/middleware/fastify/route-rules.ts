import type { FastifyRequest } from 'fastify'
import { assertOptions, optionError } from '../../options.js'
import type { VerifyTokenOptions } from '../verify-token-options.js'

/** What one route asks for, each in the place of what the plugin was registered with. */
export type RouteRules = Pick<
  VerifyTokenOptions<FastifyRequest>,
  'scope' | 'groups' | 'optional' | 'onRevocationUnavailable'
>

/** `config.auth` of a route: its own rules, or that it is open to everybody, whose tokens are not looked at. */
export type RouteAuth = RouteRules | { readonly public: true }

const KNOWN = ['scope', 'groups', 'optional', 'onRevocationUnavailable']

/** The plugin's options with a route's laid over. What is undefined there stays. @throws TypeError naming the option */
export function withRules(
  owner: string,
  options: VerifyTokenOptions<FastifyRequest>,
  rules: RouteRules,
): VerifyTokenOptions<FastifyRequest> {
  assertOptions(owner, rules, KNOWN)
  const given = Object.entries(rules).filter(([, value]) => value !== undefined)
  return { ...options, ...Object.fromEntries(given) }
}

/** @throws TypeError naming the option, for a `public` that is not true, or not alone */
export function isPublic(owner: string, auth: RouteAuth): auth is { readonly public: true } {
  if (typeof auth !== 'object' || auth === null) return false
  const own = Object.entries(auth)
  const found = own.find(([name]) => name === 'public')
  if (found === undefined) return false
  if (found[1] !== true || own.length > 1) throw optionError(owner, 'public', 'true, and alone')
  return true
}
