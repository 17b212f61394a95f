import { readFileSync } from 'node:fs'
import { Validator } from '@seriousme/openapi-schema-validator'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { PROBLEMS } from '../../src/stores/http/problem.js'
import { PATHS } from '../../src/stores/http/wire.js'
import { openapi } from '../support/openapi.js'

const text = readFileSync(new URL('../../docs/openapi.yaml', import.meta.url), 'utf8')

describe('docs/openapi.yaml', () => {
  it('is valid OpenAPI 3.1', async () => {
    const validator = new Validator()
    expect(await validator.validate(parse(text))).toEqual({ valid: true })
    expect(validator.version).toBe('3.1')
  })

  it('has every path of the protocol, and no other', () => {
    expect(Object.keys(openapi.paths).sort()).toEqual(Object.values(PATHS).sort())
  })

  it('has the code of every refusal, and no other', () => {
    const problem = openapi.components.schemas.Problem as { properties: { code: { enum: string[] } } }
    expect([...problem.properties.code.enum].sort()).toEqual(Object.keys(PROBLEMS).sort())
  })
})

describe('docs/http-service.md', () => {
  const page = readFileSync(new URL('../../docs/http-service.md', import.meta.url), 'utf8')

  it.each(Object.entries(PROBLEMS))('tells of %s and its status', (code, [status]) => {
    expect(page).toContain(`| ${status} | \`${code}\` |`)
  })
})
