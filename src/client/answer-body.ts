import type {
  DescribeUserPoolClientCommand,
  UpdateUserPoolClientCommand,
} from '@aws-sdk/client-cognito-identity-provider'

/** Far more than the settings of an app client can take, with every list full. */
const MAX_BODY_BYTES = 1024 * 1024

/**
 * Keeps the answer to a command as it comes over the wire, since the AWS SDK drops the fields that its version
 * does not know.
 *
 * @returns gives the JSON of the last answer; undefined where none was seen
 */
export function keepAnswerBody(
  command: DescribeUserPoolClientCommand | UpdateUserPoolClientCommand,
): () => unknown {
  let bytes: Uint8Array | undefined
  const { middlewareStack } = command as Pick<DescribeUserPoolClientCommand, 'middlewareStack'>
  middlewareStack.add(
    (next) => async (args) => {
      const result = await next(args)
      const response = result.response as { body?: unknown } | undefined
      if (response !== undefined) {
        bytes = await readBody(response.body)
        response.body = bytes
      }
      return result
    },
    // Low is next to the network: the SDK reads the body after this.
    { step: 'deserialize', priority: 'low', name: 'keep-answer-body' },
  )
  return () => (bytes === undefined ? undefined : parse(bytes))
}

/** Undefined where it is no JSON: the parser's error would quote the answer. */
function parse(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8'))
  } catch {
    return undefined
  }
}

async function readBody(body: unknown): Promise<Uint8Array> {
  if (body instanceof Uint8Array) return body
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of asChunks(body)) {
    size += chunk.length
    if (size > MAX_BODY_BYTES) throw new Error(`The answer is over ${MAX_BODY_BYTES} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

/** Node's streams and those of fetch can be iterated; what cannot is nothing that a request handler gives. */
function asChunks(body: unknown): AsyncIterable<Uint8Array> {
  if (typeof body === 'object' && body !== null && Symbol.asyncIterator in body) {
    return body as AsyncIterable<Uint8Array>
  }
  throw new Error('The answer has no body that can be read')
}
