import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'

// As they are now: a test may put fake timers or a stopped clock in their place.
const { setTimeout: startTimer, clearTimeout: stopTimer } = globalThis
const now = performance.now.bind(performance)

/** How many bytes one direction of one connection keeps back before its sender has to wait. */
const MAX_HELD_BYTES = 1024 * 1024
const RELISTEN_WITHIN_MS = 5000

/**
 * Ports below those that systems hand out to outgoing connections: a port that is free for a while is not
 * taken by some client's end, and a client that keeps trying it cannot end up connected to itself. Redis
 * Cluster's second port, 10000 above the first, is below them too.
 */
const FIRST_PORT = 10_000
const LAST_PORT = 21_999

export interface TcpProxyOptions {
  /** Where the connections lead; 127.0.0.1 by default. */
  readonly host?: string
  readonly port: number
}

export async function startTcpProxy(options: TcpProxyOptions): Promise<TcpProxy> {
  const server = createQuietServer()
  return new TcpProxy(server, await listenOnFreePort(server), options)
}

/** Listens on a port of 127.0.0.1 that nobody else listens on, and gives its number. */
export async function listenOnFreePort(server: Server): Promise<number> {
  for (let attempt = 1; ; attempt += 1) {
    const port = FIRST_PORT + Math.floor(Math.random() * (LAST_PORT - FIRST_PORT + 1))
    try {
      await listenOn(server, port)
      return port
    } catch (error) {
      if (!isPortTaken(error) || attempt === 50) throw error
    }
  }
}

/**
 * Stands between clients and a server, on loopback, and treats their bytes as a bad network would. Each way
 * of going wrong holds until `heal` or until another one is asked for, and is in force for the existing
 * connections as soon as its method is called, for new ones when its promise resolves.
 */
export class TcpProxy {
  readonly host = '127.0.0.1'
  readonly port: number
  /** How many connections were accepted ever. */
  total = 0
  readonly #target: { readonly host: string; readonly port: number }
  readonly #pairs = new Set<Pair>()
  #server: Server | undefined
  #network: Network = { held: false, lost: false, delayMs: 0 }
  #open = true
  #opening: Promise<void> | undefined
  #closed = false

  /** @param server listens on the port already */
  constructor(server: Server, port: number, { host = '127.0.0.1', port: targetPort }: TcpProxyOptions) {
    this.port = port
    this.#target = { host, port: targetPort }
    this.#listenWith(server)
  }

  /** How many clients are connected now: those that closed, or half-closed, do not count. */
  get connections(): number {
    return [...this.#pairs].filter((pair) => pair.hasClient).length
  }

  /** Destroys all connections and refuses new ones. */
  async cut(): Promise<void> {
    this.#open = false
    this.#server?.close()
    this.#server = undefined
    for (const pair of this.#pairs) pair.destroy()
  }

  /** Everything works again and what was held goes on its way; what was lost stays lost. */
  heal(): Promise<void> {
    return this.#become({ held: false, lost: false, delayMs: 0 })
  }

  /** Accepts and holds: no byte and no close gets through either way, until `heal` lets them. */
  hang(): Promise<void> {
    return this.#become({ held: true, lost: false, delayMs: 0 })
  }

  /** The connections there are, and those made until `heal`, are silent for ever, without being closed. */
  blackhole(): Promise<void> {
    return this.#become({ held: false, lost: true, delayMs: 0 })
  }

  /** Each direction is late by so many milliseconds; the order is kept. */
  delay(ms: number): Promise<void> {
    return this.#become({ held: false, lost: false, delayMs: ms })
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.cut()
  }

  async #become(network: Network): Promise<void> {
    this.#network = network
    for (const pair of this.#pairs) pair.follow(network)
    this.#open = !this.#closed
    this.#opening ??= this.#listenAgain().finally(() => {
      this.#opening = undefined
    })
    await this.#opening
  }

  async #listenAgain(): Promise<void> {
    const giveUpAt = now() + RELISTEN_WITHIN_MS
    while (this.#open && this.#server === undefined) {
      const server = createQuietServer()
      try {
        await listenOn(server, this.port)
      } catch (error) {
        if (!isPortTaken(error) || now() > giveUpAt) throw error
        await new Promise((resolve) => startTimer(resolve, 20))
        continue
      }
      // It may have been cut again meanwhile.
      if (this.#open) this.#listenWith(server)
      else server.close()
    }
  }

  #listenWith(server: Server): void {
    this.#server = server.on('connection', (client) => this.#accept(client))
  }

  #accept(client: Socket): void {
    this.total += 1
    const pair = new Pair(client, this.#target, this.#network)
    this.#pairs.add(pair)
    pair.onClosed = () => this.#pairs.delete(pair)
  }
}

interface Network {
  readonly held: boolean
  readonly lost: boolean
  readonly delayMs: number
}

/** A client's connection and the one to the server that belongs to it. */
class Pair {
  hasClient = true
  onClosed: () => void = () => {}
  readonly #client: Socket
  readonly #target: { readonly host: string; readonly port: number }
  readonly #toServer: Lane
  readonly #toClient: Lane
  #server: Socket | undefined
  #network: Network

  constructor(client: Socket, target: { readonly host: string; readonly port: number }, network: Network) {
    this.#client = client
    this.#target = target
    this.#network = network
    this.#toServer = new Lane(network)
    this.#toClient = new Lane(network)
    this.#toClient.leadTo(client)
    this.#toServer.startFrom(client)
    for (const event of ['end', 'close'] as const) {
      client.once(event, () => {
        this.hasClient = false
      })
    }
    client.once('close', () => this.#forgetIfClosed())
    this.follow(network)
  }

  follow(network: Network): void {
    // What is lost once is lost for good, also when the network is well again.
    this.#network = this.#network.lost ? this.#network : network
    if (!this.#network.held && !this.#network.lost) this.#connect()
    this.#toServer.follow(this.#network)
    this.#toClient.follow(this.#network)
  }

  destroy(): void {
    this.hasClient = false
    this.#toServer.stop()
    this.#toClient.stop()
    this.#client.destroy()
    this.#server?.destroy()
  }

  /** Only now, so that a server that was replaced while all was held is not asked in vain before. */
  #connect(): void {
    if (this.#server !== undefined || this.#client.destroyed) return
    this.#server = connect({ ...this.#target, allowHalfOpen: true, noDelay: true })
    this.#toServer.leadTo(this.#server)
    this.#toClient.startFrom(this.#server)
    this.#server.once('close', () => this.#forgetIfClosed())
  }

  #forgetIfClosed(): void {
    if (this.#client.destroyed && this.#server?.destroyed !== false) this.onClosed()
  }
}

type Parcel = { readonly sentAt: number } & (
  | { readonly bytes: Buffer }
  /** How the sender ended: by a FIN, or by an error after which nothing can be sent to it either. */
  | { readonly end: 'closed' | 'broken' }
)

/** One direction of a connection: a queue between a socket that sends and one that receives. */
class Lane {
  readonly #queue: Parcel[] = []
  #heldBytes = 0
  #network: Network
  #from: Socket | undefined
  #to: Socket | undefined
  #full = false
  #stopped = false
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(network: Network) {
    this.#network = network
  }

  startFrom(from: Socket): void {
    this.#from = from
    from.on('data', (bytes) => this.#take({ sentAt: now(), bytes }))
    from.once('end', () => this.#take({ sentAt: now(), end: 'closed' }))
    from.on('error', () => this.#take({ sentAt: now(), end: 'broken' }))
  }

  leadTo(to: Socket): void {
    this.#to = to
    to.on('drain', () => {
      this.#full = false
      this.#deliver()
    })
    to.once('close', () => this.stop())
  }

  follow(network: Network): void {
    this.#network = network
    if (network.lost) this.stop()
    else this.#deliver()
  }

  /** From here on all that comes is thrown away; reading goes on, to notice when the sender is gone. */
  stop(): void {
    this.#stopped = true
    this.#queue.length = 0
    this.#heldBytes = 0
    stopTimer(this.#timer)
    this.#from?.resume()
  }

  #take(parcel: Parcel): void {
    if (this.#stopped) return
    this.#queue.push(parcel)
    if ('bytes' in parcel) this.#heldBytes += parcel.bytes.length
    if (this.#heldBytes >= MAX_HELD_BYTES) this.#from?.pause()
    this.#deliver()
  }

  #deliver(): void {
    stopTimer(this.#timer)
    while (!this.#network.held && !this.#full && !this.#stopped && this.#to !== undefined) {
      const [next] = this.#queue
      if (next === undefined) return
      const dueInMs = next.sentAt + this.#network.delayMs - now()
      if (dueInMs > 0) {
        // Rounded up: a timer may fire a little early, and would then only be set again.
        this.#timer = startTimer(() => this.#deliver(), Math.ceil(dueInMs))
        return
      }
      this.#queue.shift()
      this.#pass(next, this.#to)
    }
  }

  #pass(parcel: Parcel, to: Socket): void {
    if ('bytes' in parcel) {
      this.#heldBytes -= parcel.bytes.length
      if (this.#heldBytes < MAX_HELD_BYTES) this.#from?.resume()
      this.#full = !to.write(parcel.bytes)
    } else if (parcel.end === 'closed') {
      to.end()
    } else {
      to.destroy()
    }
  }
}

function createQuietServer(): Server {
  return createServer({ allowHalfOpen: true, noDelay: true }).on('error', () => {})
}

async function listenOn(server: Server, port: number): Promise<void> {
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
}

function isPortTaken(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'EADDRINUSE'
}
