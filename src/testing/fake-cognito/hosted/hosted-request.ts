import { OAuthRefusal } from './oauth-refusal.js'

const formType = 'application/x-www-form-urlencoded'

/** A request to a hosted endpoint. */
export interface HostedRequest {
  readonly headers: Headers
  /** Of the address, or of the form that was posted. */
  readonly parameters: URLSearchParams
  /** Undefined where the address is all there is. */
  readonly contentType: string | undefined
}

/** Reads it; nothing is refused yet, so that the call is noted whatever it is. */
export async function readHostedRequest(request: Request): Promise<HostedRequest> {
  const { headers } = request
  if (request.method !== 'POST') {
    return { headers, parameters: new URL(request.url).searchParams, contentType: undefined }
  }
  const parameters = new URLSearchParams(await request.text())
  return { headers, parameters, contentType: headers.get('content-type') ?? '' }
}

/** @throws OAuthRefusal for what is no form, and for parameters that come twice (RFC 6749, section 3.2) */
export function assertForm({ contentType, parameters }: HostedRequest): void {
  const isForm = contentType === undefined || contentType.split(';')[0]?.trim() === formType
  if (!isForm) throw new OAuthRefusal('invalid_request', `Content-Type must be ${formType}`)
  const names = [...parameters.keys()]
  if (new Set(names).size < names.length) {
    throw new OAuthRefusal('invalid_request', 'A parameter is there twice')
  }
}

/** @throws OAuthRefusal if it is not there */
export function required(parameters: URLSearchParams, name: string): string {
  const value = parameters.get(name)
  if (value === null || value === '') throw new OAuthRefusal('invalid_request', `${name} is missing`)
  return value
}
