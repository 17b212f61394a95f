// Koa 3, without a router
import { revokeSessionHandler, verifyToken } from 'cognito-revocation/koa'
import Koa from 'koa'
import { listening, type Parts, type Running } from './program.js'

export function start({ verifier, client, revoker, port }: Parts): Promise<Running> {
  const app = new Koa()
  const logOut = revokeSessionHandler(client, { revoker })
  app.use(async (ctx, next) => {
    if (ctx.path === '/health') ctx.body = { status: 'ok' }
    // Before `verifyToken`: people log out with an expired access token, too. In earnest behind a rate limit.
    else if (ctx.path === '/logout') await logOut(ctx)
    else await next()
  })

  app.use(verifyToken(verifier)) // whatever is added from here on
  const sellersOnly = verifyToken(verifier, { groups: 'sales' })
  app.use(async (ctx) => {
    const { auth } = ctx.state
    if (ctx.path === '/me') ctx.body = { sub: auth?.sub }
    if (ctx.path === '/orders')
      await sellersOnly(ctx, async () => {
        ctx.body = { orders: [], seller: auth?.sub }
      })
  })
  return listening(app.listen(port, '127.0.0.1'))
}
