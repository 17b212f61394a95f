import type { FastifyReply, FastifyRequest } from 'fastify'
import { onlyCookie } from './only-cookie.js'

// `__Secure-`: browsers take it over https only (and from localhost). `__Host-` would keep sibling subdomains from
// setting it too, but demands Path=/, and then every route, log and error page of this host would get the refresh
// token. Instead, a request with two cookies of this name is refused. What stays: while somebody is logged out, a
// sibling subdomain can plant a refresh token of its owner's, and the page then comes up as signed in to that
// account. Show who is signed in, and let no sibling subdomain be somebody else's.
const NAME = '__Secure-refresh_token'
const ATTRIBUTES = { path: '/auth', httpOnly: true, secure: true, sameSite: 'strict' } as const

export function keepRefreshToken(reply: FastifyReply, refreshToken: string, maxAgeSeconds: number): void {
  reply.setCookie(NAME, refreshToken, { ...ATTRIBUTES, maxAge: maxAgeSeconds })
}

export function forgetRefreshToken(reply: FastifyReply): FastifyReply {
  return reply.clearCookie(NAME, ATTRIBUTES)
}

/** The refresh token of the request's cookie, if there is one. */
export function refreshTokenOf(request: FastifyRequest): string | undefined {
  return onlyCookie(request, NAME)
}
