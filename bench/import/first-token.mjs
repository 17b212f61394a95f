// A process of `import-time`: imports what is asked for, verifies one token with it, and says how long that took from
// the first line on. What Node itself takes to start is the same for all, and not counted.
import { CANDIDATES } from './candidates.mjs'

const [name = '', type, input = ''] = process.argv.slice(2)
const candidate = CANDIDATES[name]
if (candidate === undefined) throw new Error(`There is no ${name}`)
const given = JSON.parse(input)

/** @type {import('./candidates.mjs').Load} */
let load = (specifier) => import(specifier)
if (type === 'commonjs') load = (await import('node:module')).createRequire(import.meta.url)

// Not `performance`, which Node loads when it is first asked for.
const startedAt = process.hrtime.bigint()
const sub = await candidate(load, given)
const tookMs = Number(process.hrtime.bigint() - startedAt) / 1e6
process.stdout.write(JSON.stringify({ sub, tookMs }))
