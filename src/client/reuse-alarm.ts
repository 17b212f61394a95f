import { withDeadline } from '../deadline.js'
import * as errors from '../errors.js'
import { notify, type Observer } from '../observer.js'
import { type Audit, auditOf, record, type SessionContext } from './context.js'
import { attempt, cognitoOutcomeOf, describe } from './outcome.js'
import type { RefreshInput } from './refresh-input.js'
import type {
  OnRefreshTokenReuse,
  RefreshTokenReuse,
  RefreshTokenReuseOutcome,
} from './refresh-token-reuse.js'
import { revokeAll } from './revoke.js'
import { claimsOfHints } from './verified-hints.js'

/** How long the owner's callback may take: longer than all that `revokeSession` waits for. */
const CALLBACK_TIMEOUT_MS = 60_000

/** Tells the owner of a reused refresh token, and lets him end its session. */
export class ReuseAlarm {
  readonly #context: SessionContext
  readonly #callback: OnRefreshTokenReuse | undefined
  readonly #observer: Observer | undefined

  constructor(
    context: SessionContext,
    callback: OnRefreshTokenReuse | undefined,
    observer: Observer | undefined,
  ) {
    this.#context = context
    this.#callback = callback
    this.#observer = observer
  }

  /** Gives what is to be thrown: the reuse, whatever becomes of the callback. */
  async raise(
    error: errors.RefreshTokenReuseError,
    input: RefreshInput,
  ): Promise<errors.RefreshTokenReuseError> {
    const reuse = await this.#describe(input)
    const { sub } = reuse
    const called = await attempt(async () =>
      withDeadline('onRefreshTokenReuse', CALLBACK_TIMEOUT_MS, Promise.resolve(this.#callback?.(reuse))),
    )
    const failure = called.ok ? undefined : toError(called.error)
    notify(this.#observer, {
      type: 'refresh_token_reused',
      ...(sub === undefined ? {} : { sub }),
      ...(failure && { error: failure }),
    })
    if (failure === undefined) return error
    const { cause } = error
    return new errors.RefreshTokenReuseError(
      `${error.message}. onRefreshTokenReuse failed (${failure.name}), so the session may not have been ended`,
      { cause },
    )
  }

  async #describe(input: RefreshInput): Promise<RefreshTokenReuse> {
    const { sessions, verifier } = this.#context
    const known = sessions.find(input.refreshToken)
    const all = await claimsOfHints(verifier, input)
    // What was issued before the session began is of another one.
    const said = all.filter(({ iat }) => iat >= (known?.startedAt ?? 0))
    const sub = known?.sub ?? said[0]?.sub
    const hinted = said.flatMap((claims) => (claims.sub === sub && claims.origin_jti) || [])
    const originJtis = [...new Set([...(known?.originJtis ?? []), ...hinted])]
    return {
      originJtis,
      sub,
      revokeSession: (audit = {}) =>
        revokeReused(this.#context, input.refreshToken, { originJtis, sub }, audit),
    }
  }
}

async function revokeReused(
  context: SessionContext,
  reused: string,
  { originJtis, sub }: Pick<RefreshTokenReuse, 'originJtis' | 'sub'>,
  input: Audit,
): Promise<RefreshTokenReuseOutcome> {
  const audit = auditOf(input)
  // Cognito may go on bringing tokens whatever it says, so the records are for as long as it can.
  const recordAll = () =>
    record(context, ({ session }) =>
      Promise.all(originJtis.map((origin_jti) => session.revokeSession({ origin_jti }, audit))),
    )
  let recorded = await recordAll()
  const newest = context.successors.newestOf(originJtis)
  const tokens = newest === undefined ? [reused] : [newest, reused]
  const revoked = await revokeAll(context, tokens, { via: context.revokeVia }, undefined)
  context.successors.forget({ originJtis })
  const cognito = !revoked.ok
    ? cognitoOutcomeOf(revoked.error, undefined)
    : newest === undefined
      ? 'unknown'
      : 'revoked'
  if (originJtis.length === 0 || sub === undefined) {
    throw new errors.SessionUnknownError(
      `revokeSession: which session the reused refresh token belongs to is not known, so its access and ID tokens stay acceptable until they expire. At Cognito: ${cognito}. Give accessToken or idToken along to refresh; adminGlobalSignOut ends all sessions of the user`,
      { store: 'skipped', cognito },
      revoked.ok ? undefined : { cause: revoked.error },
    )
  }
  if (!recorded.ok) recorded = await recordAll()
  const store = !recorded.ok ? 'failed' : context.revokers ? 'recorded' : 'skipped'
  const outcome = { originJtis, sub, store, cognito } as const
  // With neither a record nor a sure word of Cognito's nothing is certain to have ended.
  if (recorded.ok && revoked.ok && !(store === 'skipped' && cognito === 'unknown')) return outcome
  const cause = recorded.ok ? (revoked.ok ? undefined : revoked.error) : recorded.error
  throw new errors.RevocationIncompleteError(
    `revokeSession: ${describe(outcome, cause)} Call it again, or use adminGlobalSignOut`,
    outcome,
    { cause },
  )
}

function toError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error('something that is no Error was thrown')
}
