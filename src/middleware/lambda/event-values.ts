/** One value a name, as Lambda events carry headers and queries. Test events of AWS's console may have null. */
export type EventValues = Readonly<Record<string, string | undefined>> | null | undefined

/** Every value of a name. */
export type EventMultiValues = Readonly<Record<string, readonly string[] | undefined>> | null | undefined

/** Where an event has headers. */
export interface EventHeaders {
  readonly headers?: EventValues
  readonly multiValueHeaders?: EventMultiValues
}

/** Every value of a header, whose name is in lower case here and in any case in the event. */
export function headerValues({ headers, multiValueHeaders }: EventHeaders, name: string): readonly string[] {
  return allValues(headers, multiValueHeaders, (key) => key.toLowerCase() === name)
}

/** Every value of a query parameter. Their names differ by case. */
export function queryValues(
  query: EventValues,
  multiValueQuery: EventMultiValues,
  name: string,
): readonly string[] {
  return allValues(query, multiValueQuery, (key) => key === name)
}

/** Where an event has both maps, the single one repeats the last of a name's values, or joins them with commas. */
function allValues(
  single: EventValues,
  multiple: EventMultiValues,
  isName: (key: string) => boolean,
): readonly string[] {
  const several = valuesIn(multiple, isName)
  return several.length > 0 ? several : valuesIn(single, isName)
}

function valuesIn(map: EventValues | EventMultiValues, isName: (key: string) => boolean): readonly string[] {
  const entries = Object.entries(map ?? {}).filter(([key]) => isName(key))
  return entries.flatMap(([, value]) => value).filter((value) => typeof value === 'string')
}
