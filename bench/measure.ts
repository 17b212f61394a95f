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

/** Prints a figure, and whether it is as low as it is to be. */
export function report(name: string, value: number, unit: string, atMost?: number): void {
  const figure = `${format(value)} ${unit}`.padStart(14)
  const verdict =
    atMost === undefined ? '' : `at most ${format(atMost)}: ${value <= atMost ? 'reached' : 'NOT reached'}`
  console.log(`  ${name.padEnd(52)}${figure}   ${verdict}`.trimEnd())
}

/** Prints two medians, and whether the first is as small a part of the second as it is to be. */
export function reportRatio(
  name: string,
  [value, reference]: readonly [number, number],
  unit: string,
  atMost?: number,
): void {
  const ratio = value / reference
  const figures = `${format(value)} of ${format(reference)} ${unit}`.padStart(24)
  const verdict =
    atMost === undefined ? '' : `at most ${atMost}: ${ratio <= atMost ? 'reached' : 'NOT reached'}`
  console.log(`  ${name.padEnd(42)}${figures}   ratio ${ratio.toFixed(2)}   ${verdict}`.trimEnd())
}

export function heading(text: string): void {
  console.log(`\n${text}`)
}

function format(value: number): string {
  return value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0)
}
