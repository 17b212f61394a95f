import type { RequestListener, ServerResponse } from 'node:http'
import { verifyToken } from '../../src/middleware/node/index.js'
import { MemoryRevocationStore } from '../../src/revocation/memory-store.js'
import type { RevocationStore } from '../../src/revocation/store.js'
import {
  createAwsJwtVerify,
  createFastJwt,
  createJose,
  createOurs,
  type PublicKeys,
  type Verify,
  type VerifySync,
} from '../verifiers/candidates.js'
import { createMirror, IN_MEMORY, revokeSessions } from '../verifiers/revocations.js'
import { BODY } from './answer.js'

/** What looks at the tokens of a node:http server, if anything. */
export type Guard =
  | 'unprotected'
  | 'verifyToken, mirror'
  | 'verifyToken, memory store'
  | 'fast-jwt, cache'
  | 'fast-jwt'
  | 'aws-jwt-verify'
  | 'jose'

/** How many revocations the mirror holds; the memory store, fewer. */
export const REVOCATIONS = 1_000_000

/** Makes listeners that answer a request with a good token: each of them has seen no token yet. */
export async function guard(kind: Guard, keys: PublicKeys): Promise<() => RequestListener> {
  switch (kind) {
    case 'unprotected':
      return () => (_, response) => answer(response)
    case 'verifyToken, mirror': {
      const mirror = await createMirror(REVOCATIONS)
      return () => byMiddleware(keys, mirror)
    }
    case 'verifyToken, memory store': {
      const store = new MemoryRevocationStore()
      await revokeSessions(store, IN_MEMORY)
      return () => byMiddleware(keys, store)
    }
    case 'fast-jwt, cache':
      return () => atOnce(createFastJwt(keys, { cache: true }))
    case 'fast-jwt':
      return () => atOnce(createFastJwt(keys, { cache: false }))
    case 'aws-jwt-verify':
      return () => later(createAwsJwtVerify(keys).verify)
    case 'jose':
      return () => later(createJose(keys))
  }
}

function byMiddleware(keys: PublicKeys, revocation: RevocationStore): RequestListener {
  const middleware = verifyToken(createOurs(keys, revocation))
  return (request, response) => {
    middleware(request, response, (error) => {
      if (error !== undefined) throw error
      answer(response)
    })
  }
}

function atOnce(verify: VerifySync): RequestListener {
  return (request, response) => {
    try {
      verify(tokenOf(request.headers.authorization))
    } catch {
      return refuse(response)
    }
    answer(response)
  }
}

function later(verify: Verify): RequestListener {
  return async (request, response) => {
    try {
      await verify(tokenOf(request.headers.authorization))
    } catch {
      return refuse(response)
    }
    answer(response)
  }
}

/** The least that can be done to get at it. */
function tokenOf(authorization = ''): string {
  return authorization.slice('Bearer '.length)
}

const HEADERS = { 'content-type': 'application/json', 'content-length': BODY.length }

function answer(response: ServerResponse): void {
  response.writeHead(200, HEADERS).end(BODY)
}

function refuse(response: ServerResponse): void {
  response.writeHead(401).end()
}
