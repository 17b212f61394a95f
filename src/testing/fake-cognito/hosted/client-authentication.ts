import type { AppClient } from '../app-client.js'
import { equalSecrets } from '../client-secrets.js'
import type { Pool } from '../pool.js'
import type { HostedRequest } from './hosted-request.js'
import { OAuthRefusal } from './oauth-refusal.js'

/**
 * The app client that asks: by HTTP Basic with the plain base64 of id and secret, by both in the form, or, where
 * it has no secret, by its id in the form. Either of two secrets is good.
 *
 * @param status of the refusal, in which endpoints differ
 */
export function authenticateClient(pool: Pool, request: HostedRequest, status: number): AppClient {
  const { parameters, headers } = request
  const basic = readBasic(headers.get('authorization'))
  const inForm = { id: parameters.get('client_id'), secret: parameters.get('client_secret') }
  const refusal = new OAuthRefusal('invalid_client', undefined, status)
  if (basic === null) throw refusal
  if (basic !== undefined && (inForm.secret !== null || (inForm.id ?? basic.id) !== basic.id)) {
    throw new OAuthRefusal('invalid_request', 'The client authenticates in two ways')
  }
  const { id, secret } = basic ?? inForm
  const client = id === null ? undefined : pool.clients.find(id)
  if (client === undefined) throw refusal
  if (client.secrets.length === 0 && secret === null) return client
  if (secret === null || !client.secrets.map((each) => equalSecrets(secret, each)).includes(true))
    throw refusal
  return client
}

/** Undefined where there is none, null where it is none that can be read. */
function readBasic(header: string | null): { id: string; secret: string } | undefined | null {
  if (header === null) return undefined
  const encoded = /^Basic ([A-Za-z0-9+/]+={0,2})$/.exec(header)?.[1]
  const [id, ...rest] = Buffer.from(encoded ?? '', 'base64')
    .toString('utf8')
    .split(':')
  return !id || rest.length === 0 ? null : { id, secret: rest.join(':') }
}
