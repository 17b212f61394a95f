/** A TypeError that names the option. Strings are not shown: one may be a secret. */
export function optionError(owner: string, option: string, expected: string, value?: unknown): TypeError {
  const got = value === undefined ? '' : `, got ${describe(value)}`
  return new TypeError(`${owner}: option "${option}" must be ${expected}${got}`)
}

function describe(value: unknown): string {
  if (value === null || ['number', 'boolean', 'bigint'].includes(typeof value)) return String(value)
  if (Array.isArray(value))
    return value.length === 0 ? 'an empty array' : 'an array with something else in it'
  if (typeof value === 'string') return value === '' ? 'an empty string' : 'another string'
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`
}

/** Refuses anything but an object whose keys are all known: a misspelt option must not be a silent no. */
export function assertOptions(owner: string, options: unknown, known: readonly string[]): void {
  if (typeof options !== 'object' || options === null)
    throw new TypeError(`${owner}: options must be an object`)
  for (const option of Object.keys(options)) {
    if (!known.includes(option)) {
      throw new TypeError(`${owner}: unknown option "${option}"; known are ${known.join(', ')}`)
    }
  }
}

/** A finite number within the bounds, both inclusive. */
export function assertNumber(
  owner: string,
  option: string,
  value: unknown,
  min: number,
  max = Number.MAX_SAFE_INTEGER,
): void {
  if (typeof value !== 'number' || !(value >= min && value <= max)) {
    const range =
      max === Number.MAX_SAFE_INTEGER ? `a number of at least ${min}` : `a number from ${min} to ${max}`
    throw optionError(owner, option, range, value)
  }
}

/** A whole number within the bounds, both inclusive. */
export function assertInteger(
  owner: string,
  option: string,
  value: unknown,
  min: number,
  max?: number,
): void {
  assertNumber(owner, option, value, min, max)
  if (!Number.isInteger(value)) throw optionError(owner, option, 'a whole number')
}

/** True, false, or nothing. */
export function assertOptionalBoolean(owner: string, option: string, value: unknown): void {
  if (value !== undefined && typeof value !== 'boolean')
    throw optionError(owner, option, 'true or false', value)
}

/** A string that is not empty. */
export function assertString(
  owner: string,
  option: string,
  value: unknown,
  expected = 'a non-empty string',
): asserts value is string {
  if (typeof value !== 'string' || value === '') throw optionError(owner, option, expected, value)
}

/** A function, or nothing. */
export function assertOptionalFunction(owner: string, option: string, value: unknown): void {
  if (value !== undefined && typeof value !== 'function')
    throw optionError(owner, option, 'a function', value)
}

/** An AbortSignal, or nothing. */
export function assertOptionalSignal(owner: string, value: unknown): void {
  if (value !== undefined && !(value instanceof AbortSignal))
    throw optionError(owner, 'signal', 'an AbortSignal', value)
}

/** One string or several, none empty, as a list that nobody can change: errors show it. */
export function stringList(owner: string, option: string, value: unknown): readonly string[] {
  const list: readonly unknown[] = Array.isArray(value) ? value : [value]
  if (list.length === 0 || !list.every((item) => typeof item === 'string' && item !== '')) {
    throw optionError(owner, option, 'a non-empty string, or an array of at least one', value)
  }
  return Object.freeze([...(list as readonly string[])])
}

/** The one argument of an operation. */
export function assertInput(operation: string, input: unknown): void {
  if (typeof input !== 'object' || input === null) {
    throw new TypeError(`${operation}: the argument must be an object`)
  }
}

/** An object, as an option. */
export function assertObject(owner: string, option: string, value: unknown): asserts value is object {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw optionError(owner, option, 'an object', value)
  }
}

/** An object whose values are strings, as an option. */
export function assertStrings(
  owner: string,
  option: string,
  value: unknown,
): asserts value is Readonly<Record<string, string>> {
  assertObject(owner, option, value)
  if (!Object.values(value).every((each) => typeof each === 'string')) {
    throw optionError(owner, option, 'an object of strings', value)
  }
}
