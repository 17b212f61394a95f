import Koa from 'koa'
import { verifyToken } from '../../../src/middleware/koa/index.js'
import type { Adapter } from './adapter.js'

export const Koa3: Adapter = {
  name: 'Koa 3',
  listener(verifier, options) {
    const app = new Koa()
    app.use(async (ctx, next) => {
      try {
        await next()
      } catch (error) {
        ctx.status = 500
        ctx.body = { handedOn: String(error) }
      }
    })
    app.use(verifyToken(verifier, options))
    app.use((ctx) => {
      ctx.body = { auth: ctx.state.auth ?? null }
    })
    return app.callback()
  },
}
