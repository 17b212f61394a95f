/**
 * How long it takes to import a library and to verify a first token with keys that are at hand, each time in a new
 * process: what a function pays at its cold start. Of this library the package is measured, as it is built; what is
 * older than src/ is built anew.
 * `node --expose-gc --import tsx bench/import-time.ts [--quick]`
 */
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { buildIfOlder } from './import/build.js'
import { heading, isQuick, median, reportRatio } from './measure.js'
import { takeTurns } from './redis/turns.js'
import { claimsOfSomebody, createMinter, pool } from './verifiers/tokens.js'

const rounds = isQuick ? 3 : 31
const program = fileURLToPath(new URL('./import/first-token.mjs', import.meta.url))
const AWS = 'aws-jwt-verify'
const NEST = 'aws-jwt-verify, Nest'

type Type = 'module' | 'commonjs'
/** What is imported, what it is compared with, and at most how many times as long it is to take. */
type Row = readonly [name: string, reference: string, atMost?: number]

const ours: readonly Row[] = [
  ['cognito-revocation', AWS, 1],
  ...['express', 'fastify', 'fetch', 'hono', 'koa', 'lambda', 'middy', 'node'].map(
    (entry) => [`cognito-revocation/${entry}`, AWS, 1] as const,
  ),
  ['cognito-revocation/nestjs', NEST, 1],
  ['cognito-revocation/client', AWS],
  ['node:crypto', AWS],
]
/** jose is an ES module only. */
const rows: Record<Type, readonly Row[]> = {
  module: [...ours, ...['jose', 'fast-jwt', 'jsonwebtoken'].map((name) => [name, AWS] as const)],
  commonjs: [...ours, ...['fast-jwt', 'jsonwebtoken'].map((name) => [name, AWS] as const)],
}

buildIfOlder()
const minter = await createMinter()
const claims = claimsOfSomebody()
const input = JSON.stringify({
  ...pool,
  issuer: minter.issuer,
  jwks: minter.jwks,
  token: minter.accessToken(claims),
})
// As somebody's process is started who has set nothing.
const { NODE_OPTIONS, NODE_COMPILE_CACHE, NODE_V8_COVERAGE, ...env } = process.env

async function firstToken(name: string, type: Type): Promise<number> {
  const { stdout } = await promisify(execFile)(process.execPath, [program, name, type, input], {
    env,
    timeout: 20_000,
  })
  const { sub, tookMs } = JSON.parse(stdout) as { sub: unknown; tookMs: number }
  if (sub !== claims.sub) throw new Error(`${name} did not verify the token`)
  return tookMs
}

for (const type of ['module', 'commonjs'] as const) {
  heading(`Import and first verified token, ${type === 'module' ? 'ES modules' : 'CommonJS'}`)
  const names = [...new Set(rows[type].flatMap(([name, reference]) => [reference, name]))]
  const of = await takeTurns(Object.fromEntries(names.map((name) => [name, () => firstToken(name, type)])), {
    rounds,
  })
  const medianOf = (name: string) => median(of[name] ?? [])
  for (const [name, reference, atMost] of rows[type]) {
    reportRatio(`${name}: of ${reference}`, [medianOf(name), medianOf(reference)], 'ms', atMost)
  }
}
