import { timingSafeEqual } from 'node:crypto'
import { CURSOR, MAX_CURSOR_LENGTH } from '../stores/http/wire.js'
import { type ApiKey, signCursor } from './api-keys.js'

/** A store's cursor as a client gets it, signed for this key and its pools; undefined where it is too long to send. */
export function sealCursor(key: ApiKey, cursor: string): string | undefined {
  const text = Buffer.from(cursor).toString('base64url')
  const sealed = `${text || '-'}.${signCursor(key, cursor).toString('base64url')}`
  return sealed.length <= MAX_CURSOR_LENGTH ? sealed : undefined
}

/** The store's cursor; undefined for what this key was not given. */
export function openCursor(key: ApiKey, sealed: string): string | undefined {
  if (sealed.length > MAX_CURSOR_LENGTH || !CURSOR.test(sealed)) return undefined
  const [text = '', signature = ''] = sealed.split('.')
  const cursor = text === '-' ? '' : Buffer.from(text, 'base64url').toString()
  const given = Buffer.from(signature, 'base64url')
  const expected = signCursor(key, cursor)
  return given.length === expected.length && timingSafeEqual(given, expected) ? cursor : undefined
}
