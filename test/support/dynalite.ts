import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { DynamoDBClient } from '@aws-sdk/client-dynamodb'

/** In a process of its own, so that it does not share the tests' event loop; it ends with its parent. */
const SERVER = `
const options = { createTableMs: 0, deleteTableMs: 0, updateTableMs: 0 }
const server = require('dynalite')(options).listen(0, '127.0.0.1', () => console.log(server.address().port))
process.stdin.on('end', () => process.exit()).resume()`

/** npm's dynalite: somebody else's reading of DynamoDB, over real HTTP on loopback. */
export class Dynalite {
  readonly endpoint: string
  readonly port: number
  readonly #process: ChildProcess

  private constructor(process: ChildProcess, port: number) {
    this.#process = process
    this.port = port
    this.endpoint = `http://127.0.0.1:${port}`
  }

  /** Starts it, with nothing in it. */
  static async start(): Promise<Dynalite> {
    const child = spawn(process.execPath, ['-e', SERVER], { stdio: ['pipe', 'pipe', 'inherit'] })
    const [line] = await Promise.race([
      once(child.stdout, 'data') as Promise<[Buffer]>,
      once(child, 'exit').then(() => {
        throw new Error('dynalite does not start')
      }),
    ])
    return new Dynalite(child, Number(line.toString()))
  }

  /** Freezes it, as a machine that hangs: connections stay open, nothing is answered. */
  freeze(): void {
    this.#process.kill('SIGSTOP')
  }

  thaw(): void {
    this.#process.kill('SIGCONT')
  }

  async stop(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return
    const exited = once(this.#process, 'exit')
    this.#process.kill('SIGKILL')
    await exited
  }
}

/** A client of a local endpoint. */
export function localClient(
  endpoint: string,
  more: ConstructorParameters<typeof DynamoDBClient>[0] = {},
): DynamoDBClient {
  return new DynamoDBClient({
    region: 'us-east-1',
    endpoint,
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    ...more,
  })
}
