import type { IncomingMessage } from 'node:http'
import { TextDecoder } from 'node:util'
import { createParser, type EventSourceMessage } from 'eventsource-parser'
import { StoreProtocolError, StoreUnavailableError } from '../../errors.js'

/** Characters of one event; the service's own have at most half of that. */
const MAX_EVENT_LENGTH = 1_048_576

/**
 * The events of a stream, as they come. A slow reader holds the stream up, not this process's memory.
 *
 * @throws StoreUnavailableError where nothing came for too long, or the connection broke
 * @throws StoreProtocolError
 */
export async function* readEvents(
  response: IncomingMessage,
  silenceMs: number,
): AsyncGenerator<EventSourceMessage, void, undefined> {
  const { 'content-type': type = '', 'content-encoding': encoding } = response.headers
  if (!/^text\/event-stream\s*(;|$)/i.test(type) || encoding !== undefined) {
    response.destroy()
    throw new StoreProtocolError('The service answered with something else than a stream of events')
  }
  const events: EventSourceMessage[] = []
  let failure: Error | undefined
  const parser = createParser({
    maxBufferSize: MAX_EVENT_LENGTH,
    onEvent: (event) => events.push(event),
    // Without what the parser says, which quotes the stream.
    onError: () => {
      failure ??= new StoreProtocolError('The stream of events is malformed')
    },
  })
  const decoder = new TextDecoder('utf-8', { fatal: true })
  const chunks: AsyncIterator<Buffer> = response[Symbol.asyncIterator]()
  try {
    for (let waitsSince = performance.now(); ; ) {
      const leftMs = waitsSince + silenceMs - performance.now()
      const { value, done } = await nextWithin(chunks, leftMs, silenceMs)
      if (done) return
      parser.feed(decode(decoder, value))
      if (failure !== undefined) throw failure
      for (const event of events.splice(0)) {
        yield event
        // Comments, and bytes of an event that never ends, are no sign of life.
        waitsSince = performance.now()
      }
    }
  } finally {
    response.destroy()
  }
}

function decode(decoder: TextDecoder, chunk: Buffer): string {
  try {
    return decoder.decode(chunk, { stream: true })
  } catch (cause) {
    throw new StoreProtocolError('The stream of events is not UTF-8', { cause })
  }
}

async function nextWithin(
  chunks: AsyncIterator<Buffer>,
  leftMs: number,
  silenceMs: number,
): Promise<IteratorResult<Buffer>> {
  let timer: NodeJS.Timeout | undefined
  const silence = new Promise<never>((_, reject) => {
    const fail = () => reject(new StoreUnavailableError(`The service was silent for ${silenceMs} ms`))
    timer = setTimeout(fail, Math.max(0, leftMs)).unref()
  })
  const next = chunks.next()
  // Nobody may come to wait for it.
  next.catch(() => {})
  try {
    return await Promise.race([next, silence])
  } finally {
    clearTimeout(timer)
  }
}
