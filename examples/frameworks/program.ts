import { once } from 'node:events'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Revoker, TokenVerifier } from 'cognito-revocation'
import type { CognitoTokenClient } from 'cognito-revocation/client'

/** What a program is made of: all of them with the same store. */
export interface Parts {
  readonly verifier: TokenVerifier<'access'>
  readonly client: CognitoTokenClient
  readonly revoker: Revoker
  /** 0: any that is free. */
  readonly port: number
}

/** A program that listens. */
export interface Running {
  readonly url: string
  close(): Promise<void>
}

/** A server of node:http, once it listens on this machine. */
export async function listening(server: Server): Promise<Running> {
  if (!server.listening) await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
