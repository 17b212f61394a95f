/** Linear axes begin at 0, logarithmic ones at a power of ten. */
export type Scale = 'linear' | 'logarithmic'

export interface Axis {
  readonly ticks: readonly number[]
  /** Where on the axis a value is: 0 at its beginning, 1 at its end. */
  place(value: number): number
}

/** About so many ticks: each has a label that wants room. */
const LINEAR_TICKS = 5
/** Over so few powers of ten, what lies between them has labels as well. */
const FEW_DECADES = 2
/** What a logarithm may be off by: a thousand is still a power of ten. */
const TOLERANCE = 1e-9

/** An axis with room for all of them. @throws RangeError where one of them has no place on such an axis */
export function createAxis(values: readonly number[], scale: Scale): Axis {
  if (values.length === 0) throw new RangeError('A chart needs values')
  for (const value of values) {
    if (!Number.isFinite(value) || value < 0 || (value === 0 && scale === 'logarithmic')) {
      throw new RangeError(`${value} has no place on a ${scale} axis`)
    }
  }
  return scale === 'linear' ? linear(Math.max(...values)) : logarithmic(values)
}

const compact = new Intl.NumberFormat('en', { notation: 'compact', maximumSignificantDigits: 3 })

export function formatTick(value: number): string {
  return compact.format(value)
}

function linear(largest: number): Axis {
  const step = niceStep((largest || 1) / LINEAR_TICKS)
  const steps = Math.max(1, Math.ceil(largest / step - TOLERANCE))
  // Not by adding: 0.1 three times is not 0.3.
  const ticks = Array.from({ length: steps + 1 }, (_, index) => index * step)
  return { ticks, place: (value) => value / (steps * step) }
}

/** 1, 2 or 5 times a power of ten, and no less. */
function niceStep(atLeast: number): number {
  const decade = 10 ** Math.floor(Math.log10(atLeast))
  return [1, 2, 5].map((factor) => factor * decade).find((step) => step >= atLeast) ?? 10 * decade
}

function logarithmic(values: readonly number[]): Axis {
  const first = Math.floor(Math.log10(Math.min(...values)) + TOLERANCE)
  const last = Math.max(first + 1, Math.ceil(Math.log10(Math.max(...values)) - TOLERANCE))
  const factors = last - first <= FEW_DECADES ? [1, 2, 5] : [1]
  const ticks: number[] = []
  for (let decade = first; decade < last; decade++) {
    for (const factor of factors) ticks.push(factor * 10 ** decade)
  }
  ticks.push(10 ** last)
  return { ticks, place: (value) => (Math.log10(value) - first) / (last - first) }
}
