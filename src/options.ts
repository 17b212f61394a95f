/** A TypeError that names the option. Values are described by their type only: one may be a secret. */
export function optionError(owner: string, option: string, expected: string, value?: unknown): TypeError {
  const got =
    value === undefined
      ? ''
      : `, got ${value === null ? 'null' : Array.isArray(value) ? 'an array' : `a ${typeof value}`}`
  return new TypeError(`${owner}: option "${option}" must be ${expected}${got}`)
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
export function assertString(owner: string, option: string, value: unknown): asserts value is string {
  if (typeof value !== 'string' || value === '') throw optionError(owner, option, 'a non-empty string', value)
}

/** A function, or nothing. */
export function assertOptionalFunction(owner: string, option: string, value: unknown): void {
  if (value !== undefined && typeof value !== 'function')
    throw optionError(owner, option, 'a function', value)
}
