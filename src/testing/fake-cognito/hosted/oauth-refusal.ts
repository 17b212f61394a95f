/** A refusal as OAuth has it: an error's name, what to say of it, its HTTP status. */
export class OAuthRefusal extends Error {
  readonly error: string
  readonly status: number

  constructor(error: string, description?: string, status = statusOf(error)) {
    super(description ?? '')
    this.error = error
    this.status = status
  }
}

function statusOf(error: string): number {
  if (error === 'invalid_token') return 401
  return error === 'server_error' ? 500 : 400
}
