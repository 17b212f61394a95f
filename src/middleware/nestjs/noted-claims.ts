import type { ExecutionContext } from '@nestjs/common'
import type { CognitoClaims } from '../../tokens/claims.js'
import { requestOf } from './request-of.js'

/** That a guard let a request go on: with the claims of its token, if it had one. */
interface Note {
  readonly claims: CognitoClaims | undefined
}

const NOTES = Symbol.for('cognito-revocation.nestjs.notes')
/** By request, and by call of a GraphQL resolver. One for the ESM and the CommonJS copy of this library. */
const notes: WeakMap<object, Note> = Reflect.get(globalThis, NOTES) ?? new WeakMap()
Reflect.set(globalThis, NOTES, notes)

/** Puts the claims on the request, as `auth`, and notes them besides, where no other middleware writes. */
export function noteClaims(context: ExecutionContext, request: object, claims: CognitoClaims | undefined) {
  Object.assign(request, { auth: claims })
  const note: Note = { claims }
  notes.set(request, note)
  const call = resolverCallOf(context)
  if (call !== undefined) notes.set(call, note)
}

/** What a guard noted of this call, or else of its request; undefined if no guard has looked at it. */
export function notedClaims(context: ExecutionContext): Note | undefined {
  const call = resolverCallOf(context)
  return (call && notes.get(call)) ?? notes.get(requestOf(context))
}

/** @throws TypeError where something else is in the place of the claims, which could be taken for them */
export function assertNoForeignAuth(type: string, request: object): void {
  const { auth } = request as { readonly auth?: unknown }
  if (auth === undefined || auth === notes.get(request)?.claims) return
  throw new TypeError(
    `What getRequest gave for this '${type}' context has an auth that no guard put there: of a Socket.IO client give its request, not its handshake`,
  )
}

/** GraphQL's `info`: one request calls several resolvers at once, which may have different guards. */
function resolverCallOf(context: ExecutionContext): object | undefined {
  const info = context.getType<string>() === 'graphql' ? context.getArgByIndex<unknown>(3) : undefined
  return typeof info === 'object' && info !== null ? info : undefined
}
