import { readFileSync } from 'node:fs'
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import { parse } from 'yaml'

interface Media {
  readonly schema: object
}
interface Answered {
  readonly $ref?: string
  readonly content?: Record<string, Media>
}
interface OpenApi {
  readonly paths: Record<string, Record<string, { responses: Record<string, Answered> }>>
  readonly components: { responses: Record<string, Answered>; schemas: Record<string, object> }
}

/** The protocol as it is written down. */
export const openapi: OpenApi = parse(
  readFileSync(new URL('../../docs/openapi.yaml', import.meta.url), 'utf8'),
)

const ajv = new Ajv2020({ strict: false, allErrors: true }).addSchema(openapi, 'openapi')

/** Fails where a value is not what a schema of the protocol says. */
export function assertSchema(name: string, value: unknown): void {
  check(`openapi#/components/schemas/${name}`, value, name)
}

function check(ref: string, value: unknown, what: string): void {
  const validate = ajv.getSchema(ref) as ValidateFunction | undefined
  if (validate === undefined) throw new Error(`There is no ${ref}`)
  if (!validate(value))
    throw new Error(`${what}: ${ajv.errorsText(validate.errors)}: ${JSON.stringify(value)}`)
}

/** Fails where an answer is not in the protocol: its status, its media type, its body. Gives the body. */
export async function assertConforms(method: string, path: string, response: Response): Promise<unknown> {
  const what = `${method} ${path} ${response.status}`
  const type = response.headers.get('content-type')?.replace(/;.*/, '') ?? ''
  const responses = openapi.paths[path]?.[method.toLowerCase()]?.responses
  // What is not in the document can only be refused.
  const isKnown = responses !== undefined && String(response.status) in responses
  const answered = isKnown ? responses?.[response.status] : openapi.components.responses.Problem
  if (!isKnown && response.status < 400) throw new Error(`${what} is not in the document`)
  if (type === 'text/event-stream') return undefined
  const text = await response.text()
  if (answered?.content === undefined) {
    if (text !== '') throw new Error(`${what} has a body`)
    return undefined
  }
  if (!(type in answered.content)) throw new Error(`${what} is of type ${type}`)
  const body: unknown = JSON.parse(text)
  if (!isKnown) assertSchema('Problem', body)
  else {
    const pointer = path.replaceAll('/', '~1')
    const at = `paths/${pointer}/${method.toLowerCase()}/responses/${response.status}/content/${type.replaceAll('/', '~1')}`
    check(`openapi#/${at}/schema`, body, what)
  }
  return body
}
