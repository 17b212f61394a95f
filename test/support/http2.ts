import { once } from 'node:events'
import { createServer, type Http2ServerRequest, type Http2ServerResponse } from 'node:http2'
import { type AddressInfo, connect } from 'node:net'
import { onTestFinished } from 'vitest'

/**
 * Sends header fields over HTTP/2 as they are, also such as no client would send, and gives the status that the
 * listener answers with.
 */
export async function http2StatusOf(
  listener: (request: Http2ServerRequest, response: Http2ServerResponse) => void,
  fields: readonly (readonly [string, string])[],
): Promise<number> {
  let tellStatus = (_status: number) => {}
  const status = new Promise<number>((resolve) => {
    tellStatus = resolve
  })
  const server = createServer((incoming, response) => {
    response.on('finish', () => tellStatus(response.statusCode))
    listener(incoming, response)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
  onTestFinished(async () => {
    const closed = once(server, 'close')
    socket.destroy()
    server.close()
    await closed
  })
  socket.on('error', () => {}).write(http2Request(fields))
  return status
}

/** The bytes of a client that opens an HTTP/2 connection with one request. */
function http2Request(fields: readonly (readonly [string, string])[]): Buffer {
  const pseudo = [
    [':method', 'GET'],
    [':scheme', 'http'],
    [':path', '/'],
    [':authority', '127.0.0.1'],
  ] as const
  const block = Buffer.concat([...pseudo, ...fields].map(literalField))
  return Buffer.concat([
    Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
    frame({ type: 0x4, flags: 0, stream: 0, payload: Buffer.alloc(0) }),
    frame({ type: 0x1, flags: 0x5, stream: 1, payload: block }),
  ])
}

function frame(parts: { type: number; flags: number; stream: number; payload: Buffer }): Buffer {
  const head = Buffer.alloc(9)
  head.writeUIntBE(parts.payload.length, 0, 3)
  head[3] = parts.type
  head[4] = parts.flags
  head.writeUInt32BE(parts.stream, 5)
  return Buffer.concat([head, parts.payload])
}

/** A literal header field without indexing (RFC 7541, section 6.2.2), spelt out. */
function literalField([name, value]: readonly [string, string]): Buffer {
  return Buffer.concat([Buffer.from([0]), literal(name), literal(value)])
}

function literal(text: string): Buffer {
  const bytes = Buffer.from(text, 'latin1')
  if (bytes.length < 127) return Buffer.concat([Buffer.from([bytes.length]), bytes])
  const length = [127]
  let rest = bytes.length - 127
  for (; rest >= 128; rest = Math.floor(rest / 128)) length.push((rest % 128) + 128)
  return Buffer.concat([Buffer.from([...length, rest]), bytes])
}
