/**
 * What the benchmarks share. A machine's speed changes from minute to minute, so a figure counts only beside
 * another of the same run: things to compare take turns, and the median of each is told.
 */

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? Number.NaN)) / 2
}

/**
 * Runs each in turn, so many rounds and one before that does not count, each round beginning with another.
 *
 * @returns by name, the median of what its runs returned
 */
export function interleave<Name extends string>(
  runs: Readonly<Record<Name, () => number>>,
  { rounds }: { readonly rounds: number },
): Record<Name, number> {
  const names = Object.keys(runs) as Name[]
  const results = Object.fromEntries(names.map((name) => [name, [] as number[]])) as Record<Name, number[]>
  for (let round = 0; round <= rounds; round++) {
    for (let turn = 0; turn < names.length; turn++) {
      const name = names[(round + turn) % names.length] as Name
      const result = runs[name]()
      if (round > 0) results[name].push(result)
    }
  }
  return Object.fromEntries(names.map((name) => [name, median(results[name])])) as Record<Name, number>
}

/** How many nanoseconds each of so many took. */
export function nanosecondsEach(count: number, run: () => void): number {
  const start = process.hrtime.bigint()
  run()
  return Number(process.hrtime.bigint() - start) / count
}

/** How many milliseconds it took. */
export function milliseconds(run: () => void): number {
  return nanosecondsEach(1, run) / 1e6
}

/** A full collection of garbage; needs `--expose-gc`. */
export function collectGarbage(): void {
  if (globalThis.gc === undefined) throw new Error('Run it with --expose-gc')
  globalThis.gc()
}

/** Of what is young only: what survives two of them is old. */
export function collectYoung(): void {
  globalThis.gc?.({ type: 'minor' })
}

/** `--quick`: a few seconds' worth, to see that it works. Its figures decide nothing. */
export const isQuick = process.argv.includes('--quick')

/** `--save`: what was measured is kept in bench/results. */
export const isSaving = process.argv.includes('--save')

/** A figure of a benchmark, as scripts/bench.mjs keeps it. */
export interface Figure {
  readonly heading: string
  readonly name: string
  readonly value: number
  readonly unit: string
  /** What it is compared with, of the same run and in the same unit. */
  readonly reference?: number | undefined
  /** How much of the reference it is. */
  readonly ratio?: number | undefined
  /** How many times the reference is of it. */
  readonly speed?: number | undefined
  /** What the ratio is to be, or else the value. */
  readonly atMost?: number | undefined
  /** What the speed is to be. */
  readonly atLeast?: number | undefined
  readonly reached?: boolean | undefined
}

let currentHeading = ''

/** Prints a figure, and whether it is as low as it is to be. */
export function report(name: string, value: number, unit: string, atMost?: number): void {
  const figure = `${format(value)} ${unit}`.padStart(14)
  const reached = atMost === undefined ? undefined : value <= atMost
  const verdict = atMost === undefined ? '' : `at most ${format(atMost)}: ${inWords(reached)}`
  print(`  ${name.padEnd(52)}${figure}   ${verdict}`, { name, value, unit, atMost, reached })
}

/** Prints two medians, and whether the first is as small a part of the second as it is to be. */
export function reportRatio(
  name: string,
  [value, reference]: readonly [number, number],
  unit: string,
  atMost?: number,
): void {
  const ratio = value / reference
  const reached = atMost === undefined ? undefined : ratio <= atMost
  const verdict = atMost === undefined ? '' : `at most ${atMost}: ${inWords(reached)}`
  const line = `${compared(name, value, reference, unit)}   ratio ${ratio.toFixed(2)}   ${verdict}`
  print(line, { name, value, reference, ratio, unit, atMost, reached })
}

/** Prints two medians of times, and whether the first is as many times as quick as the second as it is to be. */
export function reportSpeed(
  name: string,
  [value, reference]: readonly [number, number],
  unit: string,
  atLeast?: number,
): void {
  const times = reference / value
  const reached = atLeast === undefined ? undefined : times >= atLeast
  const verdict = atLeast === undefined ? '' : `at least ${atLeast}: ${inWords(reached)}`
  const line = `${compared(name, value, reference, unit)}   speed ${times.toFixed(2)}   ${verdict}`
  print(line, { name, value, reference, speed: times, unit, atLeast, reached })
}

export function heading(text: string): void {
  currentHeading = text
  console.log(`\n${text}`)
}

function compared(name: string, value: number, reference: number, unit: string): string {
  return `  ${name.padEnd(42)}${`${format(value)} of ${format(reference)} ${unit}`.padStart(24)}`
}

function print(line: string, figure: Omit<Figure, 'heading'>): void {
  console.log(line.trimEnd())
  // To scripts/bench.mjs, which may keep it.
  process.send?.({ figure: { heading: currentHeading, ...figure } })
}

function inWords(reached: boolean | undefined): string {
  return reached ? 'reached' : 'NOT reached'
}

function format(value: number): string {
  return value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0)
}
