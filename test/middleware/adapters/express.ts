import { createRequire } from 'node:module'
import express5, { type Express, type NextFunction, type Request, type Response } from 'express'
import { verifyToken } from '../../../src/middleware/express/index.js'
import type { Adapter } from './adapter.js'

// It has no types of its own; for what is used here those of Express 5 are right.
const express4 = createRequire(import.meta.url)('express4') as typeof express5

export const Express5: Adapter = expressAdapter('Express 5', express5)
export const Express4: Adapter = expressAdapter('Express 4', express4)

function expressAdapter(name: string, createApp: () => Express): Adapter {
  return {
    name,
    listener(verifier, options) {
      const app = createApp().disable('x-powered-by').disable('etag')
      app.use(verifyToken(verifier, options))
      app.use((request, response) => {
        response.json({ auth: request.auth ?? null })
      })
      app.use((error: unknown, _request: Request, response: Response, _next: NextFunction) => {
        response.status(500).json({ handedOn: String(error) })
      })
      return app
    },
  }
}
