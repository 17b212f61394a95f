/** A member of the object's own. What somebody has put on Object.prototype is no claim of a token, nor of its header. */
export function ownMember<T extends object, Name extends keyof T>(
  object: T,
  name: Name,
): T[Name] | undefined {
  return Object.hasOwn(object, name) ? object[name] : undefined
}
