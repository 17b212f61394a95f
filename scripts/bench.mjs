// Runs the benchmarks, and sums up which figures were reached:
// npm run bench [-- name…] [--quick] [--strict] [--save]
// A name is how the names of files in bench/ begin: `mirror`, or `redis-find`. With --strict, a figure that is
// not reached is a failure. With --save, they are kept in bench/results/.
import { spawn } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describeEnvironment, saveResults } from './bench-results.mjs'

const folder = fileURLToPath(new URL('../bench/', import.meta.url))
/** What takes longer hangs. */
const END_WITHIN_MS = 20 * 60_000
/** How long it may take to clean up, once it is told to end. */
const CLEAN_UP_WITHIN_MS = 10_000
const FLAGS = ['--quick', '--strict', '--save']

// A benchmark's name says of what it is, then what it measures; the other files are what they share.
const all = readdirSync(folder)
  .filter((file) => /^[a-z]+(-[a-z]+)+\.ts$/.test(file))
  .map((file) => file.slice(0, -'.ts'.length))
  .sort()

const args = process.argv.slice(2)
const names = args.filter((arg) => !arg.startsWith('-'))
const wrong = [
  ...args.filter((arg) => arg.startsWith('-') && !FLAGS.includes(arg)),
  ...names.filter((name) => !all.some((benchmark) => benchmark.startsWith(name))),
]
if (wrong.length > 0) {
  console.error(`bench: there is no ${wrong.join(', ')}. There are: ${all.join(', ')}; ${FLAGS.join(', ')}.`)
  process.exit(2)
}
if (args.includes('--quick') && args.includes('--save')) {
  console.error('bench: what --quick measures decides nothing, and is not to be saved.')
  process.exit(2)
}
const chosen = all.filter(
  (benchmark) => names.length === 0 || names.some((name) => benchmark.startsWith(name)),
)

/** @typedef {import('../bench/measure.js').Figure} Figure */
/** @typedef {{ figure?: Figure, server?: { name: string, version: string } }} Message */

/**
 * What a benchmark says of itself.
 * @typedef {object} Outcome
 * @property {Figure[]} figures
 * @property {Record<string, string>} servers that it has started, by name, the version
 * @property {string | undefined} skipped what, and why
 * @property {string | undefined} failure
 */

/**
 * @param {string} benchmark
 * @returns {Promise<Outcome>}
 */
function run(benchmark) {
  const flags = ['--quick', '--save'].filter((flag) => args.includes(flag))
  const child = spawn(
    process.execPath,
    ['--expose-gc', '--import', 'tsx', `${folder}${benchmark}.ts`, ...flags],
    { cwd: fileURLToPath(new URL('..', import.meta.url)), stdio: ['ignore', 'pipe', 'inherit', 'ipc'] },
  )
  /** @type {NodeJS.Timeout | undefined} */
  let kill
  const end = () => {
    child.kill('SIGTERM')
    kill = setTimeout(() => child.kill('SIGKILL'), CLEAN_UP_WITHIN_MS)
  }
  const timer = setTimeout(end, END_WITHIN_MS)
  process.once('SIGTERM', end)
  /** @type {Pick<Outcome, 'figures' | 'servers'>} */
  const told = { figures: [], servers: {} }
  // What else runs in it may send messages of its own.
  child.on('message', (/** @type {Message | null} */ message) => {
    if (message?.figure !== undefined) told.figures.push(message.figure)
    if (message?.server !== undefined) told.servers[message.server.name] = message.server.version
  })
  let output = ''
  child.stdout?.setEncoding('utf8').on('data', (text) => {
    output += text
    process.stdout.write(text)
  })
  return new Promise((resolve) => {
    /** @param {string | undefined} failure */
    const done = (failure) => {
      clearTimeout(timer)
      clearTimeout(kill)
      process.off('SIGTERM', end)
      resolve({ ...told, skipped: /^skipped: .*/m.exec(output)?.[0], failure })
    }
    child.once('error', (error) => done(error.message))
    // All that it has sent is there by then.
    child.once('close', (code, signal) => done(code === 0 ? undefined : `ended with ${signal ?? code}`))
  })
}

/** @param {Figure} figure */
function inWords({ heading, name, value, unit, ratio, speed, atMost, atLeast }) {
  const compared = ratio ?? speed
  const what = compared === undefined ? `${Number(value.toPrecision(3))} ${unit}` : compared.toFixed(2)
  const bound = atMost === undefined ? `at least ${atLeast}` : `at most ${atMost}`
  return `  ${heading}: ${name}: ${what}, ${bound}: NOT reached`
}

/** @type {string[]} */
const summary = []
let isOver = false
process.once('SIGTERM', () => {
  isOver = true
})
let missed = 0
let failed = 0
for (const benchmark of chosen) {
  if (isOver) break
  console.log(`\n=== ${benchmark}`)
  const { figures, servers, skipped, failure } = await run(benchmark)
  const reached = figures.filter((figure) => figure.reached === true)
  const notReached = figures.filter((figure) => figure.reached === false)
  const count = `${reached.length} of ${reached.length + notReached.length} figures reached`
  const said = [failure, skipped, figures.length > 0 ? count : undefined].filter((part) => part !== undefined)
  summary.push(`${benchmark}: ${said.join('; ')}`, ...notReached.map(inWords))
  missed += notReached.length
  if (failure !== undefined) failed += 1
  else if (args.includes('--save') && figures.length > 0) {
    const date = new Date().toISOString().slice(0, 10)
    const environment = describeEnvironment()
    saveResults(benchmark, { date, servers, ...(skipped && { skipped }), environment, figures })
  }
}

console.log(`\n=== Summary${args.includes('--quick') ? ' (--quick: its figures decide nothing)' : ''}`)
for (const line of summary) console.log(line)
process.exitCode = failed > 0 || (missed > 0 && args.includes('--strict')) ? 1 : 0
