import { connect } from 'node:net'
import { connect as connectTls } from 'node:tls'

// As they are now: a test may put fake timers or a stopped clock in their place.
const { setTimeout: startTimer, clearTimeout: stopTimer } = globalThis

const ANSWER_WITHIN_MS = 10_000

/** Where a Redis is. A proxy's host and port can be put in place of its own: `{ ...redis, port: proxy.port }` */
export interface RedisAddress {
  readonly host: string
  readonly port: number
  readonly username?: string
  readonly password?: string
  readonly database?: number
  readonly tls?: boolean
}

export function parseRedisUrl(text: string): RedisAddress {
  // The text may hold a password, which an error of URL's would show.
  if (!URL.canParse(text)) throw new Error('REDIS_URL is not a URL')
  const { protocol, hostname, port, username, password, pathname } = new URL(text)
  if (!/^(redis|valkey)s?:$/.test(protocol) || hostname === '') {
    throw new Error('REDIS_URL must be redis://… or rediss://…')
  }
  const database = Number(pathname.slice(1))
  if (!Number.isInteger(database)) throw new Error('the path of REDIS_URL must be the number of a database')
  return {
    host: hostname.replace(/^\[(.*)\]$/, '$1'),
    port: port === '' ? 6379 : Number(port),
    ...(username !== '' && { username: decodeURIComponent(username) }),
    ...(password !== '' && { password: decodeURIComponent(password) }),
    ...(database !== 0 && { database }),
    ...(/^(rediss|valkeys):$/.test(protocol) && { tls: true }),
  }
}

export type RedisCommand = readonly (string | number | Buffer)[]

/** What Redis answers; errors are among it only inside arrays, as of EXEC. */
export type RedisReply = string | number | null | Error | RedisReply[]

/** Sends one command on a connection of its own, and gives the answer; an error is thrown with Redis's words. */
export function sendCommand(address: RedisAddress, ...command: RedisCommand): Promise<RedisReply> {
  return exchange(address, command, ANSWER_WITHIN_MS)
}

/** The same, with a time of the caller's own. */
export function exchange(
  address: RedisAddress,
  command: RedisCommand,
  withinMs: number,
): Promise<RedisReply> {
  const { host, port, username, password, database, tls } = address
  const commands: RedisCommand[] = [command]
  if (database !== undefined) commands.unshift(['SELECT', database])
  if (password !== undefined) {
    commands.unshift(username === undefined ? ['AUTH', password] : ['AUTH', username, password])
  }
  return new Promise((resolve, reject) => {
    const socket = tls ? connectTls({ host, port, servername: host }) : connect({ host, port })
    const settle = (action: () => void) => {
      stopTimer(timer)
      socket.destroy()
      action()
    }
    const fail = (message: string) => settle(() => reject(new Error(`${command[0]}: ${message}`)))
    const timer = startTimer(() => fail(`no answer for ${withinMs} ms`), withinMs)
    let received: Buffer = Buffer.alloc(0)
    let awaited = commands.length
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk])
      for (let parsed = parseReply(received, 0); parsed !== undefined; parsed = parseReply(received, 0)) {
        const { reply, end } = parsed
        received = received.subarray(end)
        awaited -= 1
        if (reply instanceof Error) return settle(() => reject(reply))
        if (awaited === 0) return settle(() => resolve(reply))
      }
    })
    socket.on('error', (error: NodeJS.ErrnoException) => fail(error.message || String(error.code)))
    socket.on('close', () => fail('the connection was closed'))
    socket.write(Buffer.concat(commands.map(encodeCommand)))
  })
}

function encodeCommand(command: RedisCommand): Buffer {
  const parts = command.map((part) => (Buffer.isBuffer(part) ? part : Buffer.from(String(part))))
  return Buffer.concat([
    Buffer.from(`*${parts.length}\r\n`),
    ...parts.flatMap((part) => [Buffer.from(`$${part.length}\r\n`), part, Buffer.from('\r\n')]),
  ])
}

/** The reply that starts there, and where it ends; undefined while it is incomplete. */
function parseReply(bytes: Buffer, start: number): { reply: RedisReply; end: number } | undefined {
  const lineEnd = bytes.indexOf('\r\n', start)
  if (lineEnd < 0) return undefined
  const line = bytes.toString('utf8', start + 1, lineEnd)
  const end = lineEnd + 2
  switch (String.fromCharCode(bytes[start] ?? 0)) {
    case '+':
      return { reply: line, end }
    case '-':
      return { reply: new Error(line), end }
    case ':':
      return { reply: Number(line), end }
    case '$':
      return parseBulk(bytes, end, Number(line))
    case '*':
      return parseArray(bytes, end, Number(line))
    default:
      throw new Error(`this is not Redis's protocol: ${line}`)
  }
}

function parseBulk(bytes: Buffer, start: number, length: number) {
  if (length < 0) return { reply: null, end: start }
  const end = start + length + 2
  return bytes.length < end ? undefined : { reply: bytes.toString('utf8', start, end - 2), end }
}

function parseArray(bytes: Buffer, start: number, length: number) {
  if (length < 0) return { reply: null, end: start }
  const reply: RedisReply[] = []
  let end = start
  while (reply.length < length) {
    const element = parseReply(bytes, end)
    if (element === undefined) return undefined
    reply.push(element.reply)
    end = element.end
  }
  return { reply, end }
}
