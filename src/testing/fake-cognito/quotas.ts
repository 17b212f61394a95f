/**
 * Operations that share one of Cognito's quotas, by the names that Cognito has for these; `ChallengeResponse`, which
 * has none there, is three times UserAuthentication unless it is named.
 */
export type QuotaCategory =
  | 'UserAuthentication'
  | 'ChallengeResponse'
  | 'ClientAuthentication'
  | 'UserToken'
  | 'UserUpdate'
  | 'UserRead'
  | 'UserPoolClientRead'
  | 'UserPoolClientUpdate'

/** Requests per second, by quota. What is not named is without limit. */
export type Quotas = Readonly<Partial<Record<QuotaCategory, number>>>

const operationsOf: Readonly<Record<QuotaCategory, readonly string[]>> = {
  UserAuthentication: [
    ...['InitiateAuth', 'AdminInitiateAuth', 'GetTokensFromRefreshToken'],
    'POST /oauth2/token refresh_token',
  ],
  ChallengeResponse: ['RespondToAuthChallenge', 'AdminRespondToAuthChallenge'],
  ClientAuthentication: ['POST /oauth2/token client_credentials'],
  UserToken: ['RevokeToken', 'POST /oauth2/revoke'],
  UserUpdate: ['GlobalSignOut', 'AdminUserGlobalSignOut'],
  UserRead: ['GetUser', 'AdminGetUser'],
  UserPoolClientRead: ['DescribeUserPoolClient', 'ListUserPoolClientSecrets'],
  UserPoolClientUpdate: [
    'CreateUserPoolClient',
    'UpdateUserPoolClient',
    'AddUserPoolClientSecret',
    'DeleteUserPoolClientSecret',
  ],
}

const categories = new Map<string, QuotaCategory>(
  (Object.keys(operationsOf) as QuotaCategory[]).flatMap((category) =>
    operationsOf[category].map((operation) => [operation, category] as const),
  ),
)

const challengesPerAuthentication = 3

const windowMs = 1_000

/** Counts requests over the last second, whatever second of the clock that is. Refused ones don't count. */
export class QuotaGuard {
  readonly #quotas: Quotas
  readonly #now: () => number
  readonly #admitted = new Map<QuotaCategory, number[]>()

  /** @throws TypeError naming the quota */
  constructor(quotas: Quotas, now: () => number) {
    for (const [name, limit] of Object.entries(quotas)) {
      if (!Object.hasOwn(operationsOf, name)) {
        throw new TypeError(`quotas knows ${Object.keys(operationsOf).join(', ')}, but not ${name}`)
      }
      if (!(limit >= 1)) throw new TypeError(`quotas.${name} must be 1 or more, but is ${limit}`)
    }
    this.#quotas = quotas
    this.#now = now
  }

  /** Whether there is room for one more request for this operation (and OAuth grant), which then counts. */
  admit(operation: string, grant?: string): boolean {
    const category = categories.get(grant === undefined ? operation : `${operation} ${grant}`)
    const limit = category && this.#limitOf(category)
    if (category === undefined || limit === undefined) return true
    const now = this.#now()
    // A clock that was set back has left times ahead of it, which count no more.
    const recent = (this.#admitted.get(category) ?? []).filter((at) => at <= now && now - at < windowMs)
    const hasRoom = recent.length < limit
    this.#admitted.set(category, hasRoom ? [...recent, now] : recent)
    return hasRoom
  }

  #limitOf(category: QuotaCategory): number | undefined {
    const { UserAuthentication } = this.#quotas
    const limit = this.#quotas[category]
    if (limit !== undefined || category !== 'ChallengeResponse') return limit
    return UserAuthentication && UserAuthentication * challengesPerAuthentication
  }
}
