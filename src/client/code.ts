import { CodeMismatchError } from '../errors.js'
import { assertString } from '../options.js'

/**
 * A code as the user typed or pasted it in, without white space: "123 456" is 123456.
 *
 * @throws TypeError naming the input where there is none
 * @throws CodeMismatchError where it was nothing but white space
 */
export function readCode(owner: string, value: unknown): string {
  assertString(owner, 'code', value)
  const code = value.replace(/\s/g, '')
  if (code === '') throw new CodeMismatchError(`${owner}: the code is empty; ask the user again`)
  return code
}
