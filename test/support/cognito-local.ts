import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  AdminCreateUserCommand,
  AdminSetUserPasswordCommand,
  CognitoIdentityProviderClient,
  CreateUserPoolClientCommand,
  CreateUserPoolCommand,
} from '@aws-sdk/client-cognito-identity-provider'

const START = createRequire(import.meta.url).resolve('cognito-local/lib/bin/start.js')
const RUNNING = /Cognito Local running on http:\/\/127\.0\.0\.1:(\d+)/

export const CREDENTIALS = { accessKeyId: 'local', secretAccessKey: 'local' }

export interface LocalUser {
  /** The email address: it is what users of these pools sign in with. */
  readonly username: string
  readonly password: string
  /** What their tokens call them; it is also their real username. */
  readonly sub: string
}

/** npm's cognito-local: somebody else's reading of Cognito, in a process of its own on loopback. */
export class CognitoLocal {
  readonly url: string
  readonly sdk: CognitoIdentityProviderClient
  readonly #process: ChildProcess
  readonly #folder: string

  private constructor(process: ChildProcess, port: number, folder: string) {
    this.url = `http://127.0.0.1:${port}`
    this.sdk = new CognitoIdentityProviderClient({
      region: 'us-east-1',
      endpoint: this.url,
      credentials: CREDENTIALS,
    })
    this.#process = process
    this.#folder = folder
  }

  /** Starts it, with nothing in it. It writes its port into the issuer, so that it must be told one. */
  static async start(attempts = 5): Promise<CognitoLocal> {
    const folder = await mkdtemp(join(tmpdir(), 'cognito-local-'))
    const child = spawn(process.execPath, [START], {
      cwd: folder,
      env: { ...process.env, HOST: '127.0.0.1', PORT: String(await freePort()) },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    process.once('exit', () => child.kill())
    const port = await portOf(child)
    if (port !== undefined) return new CognitoLocal(child, port, folder)
    await rm(folder, { recursive: true, force: true })
    // Somebody else may have taken the port meanwhile.
    if (attempts > 1) return CognitoLocal.start(attempts - 1)
    throw new Error('cognito-local does not start')
  }

  /** The `iss` of a pool's tokens. */
  issuerOf(userPoolId: string): string {
    return `${this.url}/${userPoolId}`
  }

  async createPool(): Promise<string> {
    const { UserPool } = await this.sdk.send(
      new CreateUserPoolCommand({ PoolName: 'pool', UsernameAttributes: ['email'] }),
    )
    return given(UserPool?.Id)
  }

  async createClient(UserPoolId: string, { secret = false } = {}) {
    const { UserPoolClient } = await this.sdk.send(
      new CreateUserPoolClientCommand({ UserPoolId, ClientName: 'client', GenerateSecret: secret }),
    )
    const clientId = given(UserPoolClient?.ClientId)
    return secret ? { clientId, clientSecret: given(UserPoolClient?.ClientSecret) } : { clientId }
  }

  /** @param permanent whether the password is the user's own, or one to be changed at the first sign-in */
  async createUser(UserPoolId: string, { permanent = true } = {}): Promise<LocalUser> {
    const username = `user-${randomUUID()}@example.com`
    const password = `Password-${randomUUID()}`
    const user = { UserPoolId, Username: username }
    const { User } = await this.sdk.send(new AdminCreateUserCommand({ ...user, MessageAction: 'SUPPRESS' }))
    await this.sdk.send(
      new AdminSetUserPasswordCommand({ ...user, Password: password, Permanent: permanent }),
    )
    return { username, password, sub: given(User?.Username) }
  }

  async stop(): Promise<void> {
    this.sdk.destroy()
    if (this.#process.exitCode === null && this.#process.signalCode === null) {
      const exited = once(this.#process, 'exit')
      this.#process.kill()
      await exited
    }
    await rm(this.#folder, { recursive: true, force: true })
  }
}

/** The port it listens on, by its own word; undefined if it ended first. */
function portOf(child: ChildProcess): Promise<number | undefined> {
  return new Promise((resolve) => {
    let said = ''
    child.stdout?.on('data', (chunk: Buffer) => {
      // It goes on logging: what it says must be read, or it would be stuck one day.
      if (said.length > 10_000) return
      said += chunk.toString()
      const port = RUNNING.exec(said)?.[1]
      if (port !== undefined) resolve(Number(port))
    })
    child.stderr?.resume()
    child.once('error', () => resolve(undefined))
    child.once('exit', () => resolve(undefined))
  })
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new Error('there is no free port')
  return address.port
}

function given(value: string | undefined): string {
  if (value === undefined) throw new Error('cognito-local did not say it')
  return value
}
