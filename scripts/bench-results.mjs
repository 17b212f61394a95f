// Keeps what benchmarks have measured: bench/results/node-<major>.json, and the same as Markdown to read.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { availableParallelism, cpus, release, totalmem, type } from 'node:os'

const folder = new URL('../bench/results/', import.meta.url)
/** What is compared, and what others are reached by. */
const LIBRARIES = [
  ...['aws-jwt-verify', 'fast-jwt', 'jose', 'jsonwebtoken', '@fastify/jwt', 'fastify'],
  ...['ioredis', 'iovalkey', 'redis', '@aws-sdk/client-dynamodb', 'dynalite'],
]

/** @typedef {import('../bench/measure.js').Figure} Figure */

/**
 * Where it was measured; of the machine nothing that would name it.
 * @typedef {object} Environment
 * @property {string} node
 * @property {{ cpu: string, cores: number, memoryGiB: number, system: string }} machine
 * @property {Record<string, string>} libraries by name, the version
 */

/**
 * What one benchmark has measured, in one run of it.
 * @typedef {object} Entry
 * @property {string} date
 * @property {Record<string, string>} servers that were started for it, by name, the version
 * @property {string} [skipped] what of it, and why
 * @property {Environment} environment
 * @property {Figure[]} figures
 */

/** @typedef {Record<string, Entry>} Results by benchmark */

/** @returns {Environment} */
export function describeEnvironment() {
  /** @param {string} name @returns {[string, string]} */
  const versionOf = (name) => {
    const file = new URL(`../node_modules/${name}/package.json`, import.meta.url)
    return [name, JSON.parse(readFileSync(file, 'utf8')).version]
  }
  return {
    node: process.versions.node,
    machine: {
      cpu: cpus()[0]?.model.trim() ?? 'unknown',
      cores: availableParallelism(),
      memoryGiB: Math.round(totalmem() / 2 ** 30),
      system: `${type()} ${release()}`,
    },
    libraries: Object.fromEntries(LIBRARIES.map(versionOf)),
  }
}

/**
 * Puts a benchmark's results in the place of its former ones; those of others stay as they are.
 * @param {Results} results
 * @param {string} benchmark
 * @param {Entry} entry
 * @returns {Results}
 */
export function mergeResults(results, benchmark, entry) {
  const figures = entry.figures.map((figure) => ({ ...figure, ...rounded(figure) }))
  const merged = Object.entries({ ...results, [benchmark]: { ...entry, figures } })
  return Object.fromEntries(merged.sort(([a], [b]) => (a < b ? -1 : 1)))
}

/**
 * Writes it into both files of this Node.js.
 * @param {string} benchmark
 * @param {Entry} entry
 */
export function saveResults(benchmark, entry) {
  const name = `node-${entry.environment.node.split('.')[0]}`
  const json = new URL(`${name}.json`, folder)
  mkdirSync(folder, { recursive: true })
  const results = mergeResults(readResults(json), benchmark, entry)
  writeFileSync(json, `${JSON.stringify(results, null, 2)}\n`)
  writeFileSync(new URL(`${name}.md`, folder), toMarkdown(results))
}

/**
 * One table for each benchmark, under where it was measured.
 * @param {Results} results
 * @returns {string}
 */
export function toMarkdown(results) {
  /** @type {Map<string, [string, Entry][]>} */
  const groups = new Map()
  for (const [benchmark, entry] of Object.entries(results)) {
    const place = JSON.stringify(entry.environment)
    groups.set(place, [...(groups.get(place) ?? []), [benchmark, entry]])
  }
  const figures = Object.values(results).flatMap((entry) => entry.figures)
  const judged = figures.filter(({ reached }) => reached !== undefined)
  const reached = judged.filter((figure) => figure.reached)
  const lines = [
    '# What the benchmarks measured',
    '',
    'Written by `npm run bench -- --save`, not by hand. Figures are medians of things that took turns in one run.',
    'A time is told with what it is compared with: as a ratio of it, or as how many times as fast as it.',
    `Of ${judged.length} figures with a bound, ${reached.length} are reached.`,
  ]
  for (const [place, entries] of groups) {
    /** @type {Environment} */
    const { node, machine, libraries } = JSON.parse(place)
    const { cpu, cores, memoryGiB, system } = machine
    lines.push('', `## Node.js ${node} on ${cell(cpu)}`, '')
    lines.push(`${cores} cores, ${memoryGiB} GiB of memory, ${cell(system)}.`)
    lines.push(`With ${named(libraries).join(', ')}.`)
    for (const [benchmark, entry] of entries) lines.push(...section(benchmark, entry))
  }
  return `${lines.join('\n')}\n`
}

/** @param {string} benchmark @param {Entry} entry */
function section(benchmark, { date, servers, skipped, figures }) {
  const circumstances = [date, ...named(servers), ...(skipped === undefined ? [] : [skipped])]
  const lines = ['', `### ${benchmark}`, '', circumstances.join(', '), '']
  lines.push('| what | measured | compared with | | to be | |', '| --- | ---: | ---: | --- | --- | --- |')
  let heading = ''
  for (const figure of figures) {
    if (figure.heading !== heading) lines.push(`| **${cell(figure.heading)}** | | | | | |`)
    heading = figure.heading
    lines.push(row(figure))
  }
  return lines
}

/** @param {Record<string, string>} versions */
function named(versions) {
  return Object.entries(versions).map(([name, version]) => `${name} ${version}`)
}

/** @param {Figure} figure */
function row({ name, value, reference, unit, ratio, speed, atMost, atLeast, reached }) {
  const bound =
    atMost !== undefined ? `at most ${atMost}` : atLeast !== undefined ? `at least ${atLeast}` : ''
  const compared = ratio !== undefined ? `ratio ${ratio}` : speed !== undefined ? `speed ${speed}` : ''
  const verdict = reached === undefined ? '' : reached ? 'reached' : '**not reached**'
  const other = reference === undefined ? '' : `${reference} ${unit}`
  return `| ${[cell(name), `${value} ${unit}`, other, compared, bound, verdict].join(' | ')} |`
}

/** @param {string} text */
function cell(text) {
  return text.replaceAll('|', '\\|')
}

/**
 * As exact as such a figure is. @param {Figure} figure
 * @returns {Partial<Figure>}
 */
function rounded({ value, reference, ratio, speed }) {
  return Object.fromEntries(
    Object.entries({ value, reference, ratio, speed }).flatMap(([name, number]) =>
      number === undefined ? [] : [[name, Number(number.toPrecision(4))]],
    ),
  )
}

/** @param {URL} file @returns {Results} */
function readResults(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code === 'ENOENT') return {}
    throw error
  }
}
