import { Refusal } from './refusal.js'

/** How much of a body is read, and for how long. */
export interface BodyLimits {
  readonly maxBodyBytes: number
  readonly bodyTimeoutMs: number
}

/**
 * Reads a body of JSON. Counts what arrives, whatever Content-Length says.
 *
 * @throws Refusal
 */
export async function readJson(
  request: Request,
  { maxBodyBytes, bodyTimeoutMs }: BodyLimits,
): Promise<unknown> {
  const { headers } = request
  const type = headers.get('content-type') ?? ''
  const isJson = /^application\/json\s*(;\s*charset="?utf-8"?\s*)?$/i.test(type)
  if (!isJson || (headers.get('content-encoding') ?? 'identity') !== 'identity') {
    throw new Refusal('media_type_unsupported')
  }
  if (Number(headers.get('content-length')) > maxBodyBytes) throw new Refusal('body_too_large')
  const reader = request.body?.getReader()
  if (reader === undefined) throw new Refusal('body_malformed')
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Refusal('request_timeout')), bodyTimeoutMs).unref()
  })
  // Nobody may come to wait for it.
  late.catch(() => {})
  const chunks: Uint8Array[] = []
  try {
    for (let bytes = 0; ; ) {
      const { value, done } = await Promise.race([reader.read(), late])
      if (done) break
      bytes += value.byteLength
      if (bytes > maxBodyBytes) throw new Refusal('body_too_large')
      chunks.push(value)
    }
  } catch (error) {
    // Not cancelled: that would end the connection before the answer is read.
    throw error instanceof Refusal ? error : new Refusal('body_malformed', { cause: error })
  } finally {
    clearTimeout(timer)
  }
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks)))
  } catch {
    // Without what the parser says, which quotes the body.
    throw new Refusal('body_malformed')
  }
}
