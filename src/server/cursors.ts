import { createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto'
import { CURSOR, MAX_CURSOR_LENGTH } from '../stores/http/wire.js'
import type { ApiKey } from './api-keys.js'

const ALGORITHM = 'aes-256-gcm'
const SALT_BYTES = 16
const TAG_BYTES = 16

/**
 * A store's cursor as a client gets it, encrypted for this key and its pools: it may tell of what others do.
 * Undefined where it is too long to send.
 */
export function sealCursor(key: ApiKey, cursor: string): string | undefined {
  const salt = randomBytes(SALT_BYTES)
  const cipher = createCipheriv(ALGORITHM, ...secretsOf(key, salt), { authTagLength: TAG_BYTES })
  const text = Buffer.concat([cipher.update(cursor, 'utf8'), cipher.final(), cipher.getAuthTag()])
  const sealed = `${salt.toString('base64url')}.${text.toString('base64url')}`
  return sealed.length <= MAX_CURSOR_LENGTH ? sealed : undefined
}

/** The store's cursor; undefined for what this key was not given. */
export function openCursor(key: ApiKey, sealed: string): string | undefined {
  if (sealed.length > MAX_CURSOR_LENGTH || !CURSOR.test(sealed)) return undefined
  const [salt = Buffer.alloc(0), text = Buffer.alloc(0)] = sealed
    .split('.')
    .map((part) => Buffer.from(part, 'base64url'))
  if (salt.length !== SALT_BYTES || text.length < TAG_BYTES) return undefined
  const decipher = createDecipheriv(ALGORITHM, ...secretsOf(key, salt), { authTagLength: TAG_BYTES })
  decipher.setAuthTag(text.subarray(-TAG_BYTES))
  try {
    return Buffer.concat([decipher.update(text.subarray(0, -TAG_BYTES)), decipher.final()]).toString()
  } catch {
    return undefined
  }
}

/** Key and initialization vector of one cursor. Of one key for all, random vectors would repeat after months. */
function secretsOf({ cursorKey }: ApiKey, salt: Buffer): [key: Buffer, iv: Buffer] {
  return [createHmac('sha256', cursorKey).update(salt).digest(), Buffer.alloc(12)]
}
