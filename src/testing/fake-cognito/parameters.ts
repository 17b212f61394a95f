import { CognitoException, invalidParameter } from './exceptions.js'

/** An operation's parameters, read with the refusals that Cognito has for missing and mistyped ones. */
export class Parameters {
  readonly #values: Readonly<Record<string, unknown>>

  constructor(values: Readonly<Record<string, unknown>>) {
    this.#values = values
  }

  /** A string that must be there. */
  string(name: string): string {
    const value = this.optionalString(name)
    if (value === undefined || value === '') {
      const constraint = value === '' ? 'have length greater than or equal to 1' : 'not be null'
      throw invalidParameter(
        `1 validation error detected: Value at '${lowerFirst(name)}' failed to satisfy constraint: ` +
          `Member must ${constraint}`,
      )
    }
    return value
  }

  optionalString(name: string): string | undefined {
    const value = this.#values[name]
    if (value === undefined || value === null) return undefined
    if (typeof value !== 'string') throw notConvertible(value, 'String')
    return value
  }

  optionalInteger(name: string): number | undefined {
    const value = this.#values[name] ?? undefined
    if (value === undefined) return undefined
    if (typeof value !== 'number' || !Number.isInteger(value)) throw notConvertible(value, 'Integer')
    return value
  }

  optionalBoolean(name: string): boolean | undefined {
    const value = this.#values[name] ?? undefined
    if (value === undefined) return undefined
    if (typeof value !== 'boolean') throw notConvertible(value, 'Boolean')
    return value
  }

  optionalStrings(name: string): readonly string[] | undefined {
    const value = this.#values[name] ?? undefined
    if (value === undefined) return undefined
    if (!Array.isArray(value)) throw notConvertible(value, 'List')
    return value.map((item: unknown) => {
      if (typeof item !== 'string') throw notConvertible(item, 'String')
      return item
    })
  }

  /** A structure's fields, to be read in the same way. */
  optionalStructure(name: string): Parameters | undefined {
    const value = this.#values[name] ?? undefined
    if (value === undefined) return undefined
    if (typeof value !== 'object' || Array.isArray(value)) throw notConvertible(value, 'Structure')
    return new Parameters(value as Readonly<Record<string, unknown>>)
  }

  /** Whatever was sent under a name. */
  raw(name: string): unknown {
    return this.#values[name]
  }

  /** `AuthParameters` or `ChallengeResponses`: a map from string to string, empty where it was left out. */
  authParameters(name = 'AuthParameters'): AuthParameters {
    const value = this.#values[name] ?? {}
    if (typeof value !== 'object' || Array.isArray(value)) throw notConvertible(value, 'Map')
    for (const entry of Object.values(value)) {
      if (typeof entry !== 'string') throw notConvertible(entry, 'String')
    }
    return new AuthParameters(value as Readonly<Record<string, string>>)
  }
}

/** The parameters of a flow, or the responses to a challenge. */
export class AuthParameters {
  readonly #values: Readonly<Record<string, string>>

  constructor(values: Readonly<Record<string, string>>) {
    this.#values = values
  }

  required(name: string): string {
    const value = this.optional(name)
    if (value === undefined || value === '') throw invalidParameter(`Missing required parameter ${name}`)
    return value
  }

  optional(name: string): string | undefined {
    return this.#values[name]
  }

  /** Those whose names begin with `userAttributes.`, by the rest of their names. */
  userAttributes(): ReadonlyMap<string, string> {
    const prefix = 'userAttributes.'
    const entries = Object.entries(this.#values).filter(([name]) => name.startsWith(prefix))
    return new Map(entries.map(([name, value]) => [name.slice(prefix.length), value]))
  }
}

// Names the type only: the value may be a secret.
function notConvertible(value: unknown, type: string): CognitoException {
  const actual = Array.isArray(value) ? 'ARRAY' : (typeof value).toUpperCase()
  return new CognitoException('SerializationException', `${actual}_VALUE can not be converted to a ${type}`)
}

function lowerFirst(name: string): string {
  return name.charAt(0).toLowerCase() + name.slice(1)
}
