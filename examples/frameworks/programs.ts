import type { Parts, Running } from './program.js'

/** The same program on each framework, loaded when it is played. */
export const PROGRAMS: Readonly<Record<string, () => Promise<{ start(parts: Parts): Promise<Running> }>>> = {
  express: () => import('./express.js'),
  fastify: () => import('./fastify.js'),
  hono: () => import('./hono.js'),
  koa: () => import('./koa.js'),
  nestjs: () => import('./nestjs.js'),
  fetch: () => import('./fetch.js'),
  'node-http': () => import('./node-http.js'),
}
