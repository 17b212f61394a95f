/** The fields that have a value: `{ ...defaults, ...withoutUndefined(given) }` keeps each default not given. */
export function withoutUndefined<T extends object>(given: T): T {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as T
}
