// Runs the benchmarks, and sums up which figures were reached:
// npm run bench [-- name…] [--quick] [--strict]
// A name is how the names of files in bench/ begin: `mirror`, or `redis-find`. With --strict, a figure that is
// not reached is a failure.
import { spawn } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const folder = fileURLToPath(new URL('../bench/', import.meta.url))
/** What takes longer hangs. */
const END_WITHIN_MS = 20 * 60_000

// A benchmark's name says of what it is, then what it measures; the other files are what they share.
const all = readdirSync(folder)
  .filter((file) => /^[a-z]+(-[a-z]+)+\.ts$/.test(file))
  .map((file) => file.slice(0, -'.ts'.length))
  .sort()

const args = process.argv.slice(2)
const names = args.filter((arg) => !arg.startsWith('-'))
const wrong = [
  ...args.filter((arg) => arg.startsWith('-') && !['--quick', '--strict'].includes(arg)),
  ...names.filter((name) => !all.some((benchmark) => benchmark.startsWith(name))),
]
if (wrong.length > 0) {
  console.error(`bench: there is no ${wrong.join(', ')}. There are: ${all.join(', ')}; --quick, --strict.`)
  process.exit(2)
}
const chosen = all.filter(
  (benchmark) => names.length === 0 || names.some((name) => benchmark.startsWith(name)),
)

/**
 * @param {string} benchmark
 * @returns {Promise<{ output: string, failure: string | undefined }>}
 */
function run(benchmark) {
  const quick = args.includes('--quick') ? ['--quick'] : []
  const child = spawn(
    process.execPath,
    ['--expose-gc', '--import', 'tsx', `${folder}${benchmark}.ts`, ...quick],
    { cwd: fileURLToPath(new URL('..', import.meta.url)), stdio: ['ignore', 'pipe', 'inherit'] },
  )
  const end = () => child.kill('SIGTERM')
  const timer = setTimeout(end, END_WITHIN_MS)
  process.once('SIGTERM', end)
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text) => {
    output += text
    process.stdout.write(text)
  })
  return new Promise((resolve) => {
    /** @param {string | undefined} failure */
    const done = (failure) => {
      clearTimeout(timer)
      process.off('SIGTERM', end)
      resolve({ output, failure })
    }
    child.once('error', (error) => done(error.message))
    child.once('close', (code, signal) => done(code === 0 ? undefined : `ended with ${signal ?? code}`))
  })
}

/** @type {string[]} */
const summary = []
let missed = 0
let failed = 0
for (const benchmark of chosen) {
  console.log(`\n=== ${benchmark}`)
  const { output, failure } = await run(benchmark)
  const lines = output.split('\n').map((line) => line.trim().replaceAll(/\s+/g, ' '))
  const reached = lines.filter((line) => /(?<!NOT )reached$/.test(line))
  const notReached = lines.filter((line) => line.endsWith('NOT reached'))
  const skipped = lines.find((line) => line.startsWith('skipped: '))
  const figures = `${reached.length} of ${reached.length + notReached.length} figures reached`
  summary.push(`${benchmark}: ${failure ?? skipped ?? figures}`, ...notReached.map((line) => `  ${line}`))
  missed += notReached.length
  if (failure !== undefined) failed += 1
}

console.log(`\n=== Summary${args.includes('--quick') ? ' (--quick: its figures decide nothing)' : ''}`)
for (const line of summary) console.log(line)
process.exitCode = failed > 0 || (missed > 0 && args.includes('--strict')) ? 1 : 0
