import { elapsedMs, takeMoment } from '../clock.js'
import * as errors from '../errors.js'
import { assertInput, assertOptionalSignal } from '../options.js'
import { CLOCK_TOLERANCE_SECONDS } from '../tokens/claims.js'
import { auditOf, type ClientContext, type RevocationInput, record, type SessionContext } from './context.js'
import {
  type LearnedFrom,
  type LearnedSession,
  learnedSince,
  mayGoOn,
  type SessionId,
} from './learned-session.js'
import { type Attempt, attempt, cognitoOutcomeOf, describe, isPassing } from './outcome.js'
import { assertDevice, assertHints, assertRefreshToken } from './refresh-input.js'
import { type RevokeTokenOptions, revokeToken, revokeTokenOptions } from './revoke-token.js'
import { type SessionHints, SessionLearner } from './session-learner.js'

/** How often is looked for what refreshes brought in the meantime: after the first, Cognito gives none any more. */
const MAX_ROUNDS = 3

/** What `revokeRefreshToken` takes. */
export interface RevokeRefreshTokenInput extends SessionHints, RevocationInput, RevokeTokenOptions {}

/**
 * What revoking a refresh token did. With `via: 'endpoint'`, `cognito: 'revoked'` says that Cognito answered 200, as
 * it does to a token that is none: whether it was one is known only where `learnedFrom` is 'refresh'. It is
 * `unknown` where the token endpoint did not take the refresh token before.
 */
export interface RevokeOutcome extends errors.PartialOutcome {
  /** The session that was ended. */
  readonly originJti: string
  /** All its ids that are known: a refresh may have given it another. */
  readonly originJtis: readonly string[]
  readonly sub: string
  readonly learnedFrom: LearnedFrom
}

/**
 * Ends a session: learns which it is, records that, revokes at Cognito. If Cognito could not be made to, the
 * record is kept for as long as the refresh token can bring new tokens.
 */
export async function revokeRefreshToken(
  context: ClientContext,
  input: RevokeRefreshTokenInput,
): Promise<RevokeOutcome> {
  assertInput('revokeRefreshToken', input)
  const { refreshToken, signal } = input
  assertRefreshToken('revokeRefreshToken', refreshToken)
  assertOptionalSignal('revokeRefreshToken', signal)
  assertDevice('revokeRefreshToken', input)
  assertHints('revokeRefreshToken', input)
  const audit = auditOf(input)
  const how = revokeTokenOptions(context, input)
  signal?.throwIfAborted()
  let learned = await new SessionLearner(context, how.via).learn(input)
  if (learned.sessions.length === 0) return giveUp(context, learned, input, how)
  // The endpoint's 200 proves nothing of a refresh token that was not seen to work: its session may go on.
  const worked = learned.learnedFrom === 'refresh' || learned.refreshTokens.length === 0
  // Where Cognito's word is not sure, the record must do by itself. The endpoint does not tell what was rotated away.
  const isSure = !mayGoOn(learned) && (how.via === 'api' || learned.failure === undefined)
  const isProven = isSure && (how.via === 'api' || worked)
  const proves = isProven && learned.isNewest
  const isEnough = isProven || context.revokers !== undefined
  const atCognito = isSure && isEnough ? 'revoked' : 'unknown'

  const recordAll = (cognitoConfirmed: boolean) =>
    record(context, ({ session }) =>
      Promise.all(
        learned.sessions.map(({ origin_jti }) =>
          session.revokeSession({ origin_jti }, { ...audit, cognitoConfirmed }),
        ),
      ),
    )
  const startedAt = takeMoment()
  let recorded = await recordAll(proves)
  // What a refresh or this process's memory told cannot be learned again once Cognito has revoked: a process that is
  // gone by then would leave tokens that nobody can name.
  const isHinted = learned.learnedFrom === 'accessToken' || learned.learnedFrom === 'idToken'
  // A store that hangs would only hold up Cognito.
  const answered = elapsedMs(startedAt) < context.storeTimeoutMs
  if (!recorded.ok && !isHinted && answered) recorded = await recordAll(proves)
  let revoked = await revokeAll(context, learned.refreshTokens, how, signal)
  // What a refresh brought in the meantime, that was under way when the session was learned.
  let isSettled = false
  for (let round = 0; round < MAX_ROUNDS && !isSettled; round++) {
    const hasLanded = await context.refresher.landed([refreshToken, ...learned.refreshTokens], signal)
    const since = learnedSince(context, refreshToken, learned)
    isSettled = hasLanded && since === undefined
    if (since === undefined) break
    learned = since.all
    recorded = await recordAll(proves)
    const later = await revokeAll(context, since.refreshTokens, how, signal)
    if (revoked.ok) revoked = later
  }
  context.successors.forget({ originJtis: learned.sessions.map(({ origin_jti }) => origin_jti) })
  // A process that was frozen in between has a record that is over before the last tokens are.
  const isInTime = elapsedMs(startedAt) < CLOCK_TOLERANCE_SECONDS * 1000
  if (recorded.ok && revoked.ok && isInTime && isSettled && isEnough)
    return outcomeOf(learned, context.revokers ? 'recorded' : 'skipped', atCognito)

  // What Cognito has not revoked brings new tokens for as long as the refresh token lives.
  const again = await recordAll(revoked.ok && proves && isSettled)
  const store = !again.ok ? 'failed' : context.revokers ? 'recorded' : 'skipped'
  if (revoked.ok && again.ok && isEnough) return outcomeOf(learned, store, atCognito)
  const outcome = outcomeOf(learned, store, revoked.ok ? atCognito : cognitoOutcomeOf(revoked.error, signal))
  const cause = !revoked.ok ? revoked.error : again.ok ? learned.failure : again.error
  throw new errors.RevocationIncompleteError(
    `revokeRefreshToken: ${describe(outcome, cause)} ${remedyFor(outcome, cause, proves && isSettled)}`,
    outcome,
    { cause },
  )
}

function remedyFor({ store, cognito, learnedFrom }: RevokeOutcome, cause: unknown, proves: boolean): string {
  if (store === 'failed' && learnedFrom === 'refresh') {
    // Another refresh would tell the session, but Cognito may allow none any more.
    const confirmed = cognito === 'revoked' && proves ? ', { cognitoConfirmed: true }' : ''
    return `Record it with Revoker.revokeSession({ origin_jti: outcome.originJti }${confirmed}), or use adminGlobalSignOut`
  }
  if (cause === undefined)
    return 'Call it with confirmPairing: true: a refresh shows whether the token is good'
  if (cause instanceof errors.RefreshTokenReuseError || cause instanceof errors.RefreshTokenInvalidError)
    return 'Use adminGlobalSignOut: Cognito takes the refresh token no more'
  if (cognito === 'unknown' && learnedFrom === 'refresh') {
    return 'Call it again to complete it; if that throws RefreshTokenRevokedError, it is complete'
  }
  if (cognito === 'failed' && !isPassing(cause)) return 'Mend that, then call it again to complete it'
  return 'Call it again to complete it'
}

/** The session is unknown: what Cognito can end is ended, and the caller is told what stays open. */
async function giveUp(
  context: ClientContext,
  learned: LearnedSession,
  { refreshToken, signal }: RevokeRefreshTokenInput,
  how: RevokeTokenOptions,
): Promise<never> {
  // What passes may be learned next time, but never once Cognito has revoked the refresh token.
  if (isPassing(learned.failure)) {
    throw new errors.SessionUnknownError(
      'revokeRefreshToken: Cognito could not be asked which session the refresh token belongs to. Nothing was done; call it again',
      { store: 'skipped', cognito: 'skipped' },
      { cause: learned.failure },
    )
  }
  const revoked = await revokeAll(
    context,
    learned.refreshTokens.length > 0 ? learned.refreshTokens : [refreshToken],
    how,
    signal,
  )
  // They may have no id to be found by.
  context.successors.forget({ sub: context.sessions.find(refreshToken)?.sub })
  // Cognito's word on it: that it could not be revoked either tells no more.
  const isInvalid = learned.failure instanceof errors.RefreshTokenInvalidError
  if (isInvalid && !(revoked.ok && how.via === 'api')) {
    // Where it could not be asked, "invalid" decides nothing: so it calls a session on a tracked device, too.
    const isAsked =
      revoked.ok || !(isPassing(revoked.error) || revoked.error instanceof errors.ForbiddenError)
    throw isAsked ? learned.failure : revoked.error
  }
  // The endpoint's 200 proves nothing of a token that no refresh has shown to be one.
  const isProven = !mayGoOn(learned) && (how.via === 'api' || learned.failure === undefined)
  const done = isProven ? 'revoked' : 'unknown'
  const cognito = revoked.ok ? done : cognitoOutcomeOf(revoked.error, signal)
  if (!revoked.ok && cognito === 'failed') throw revoked.error
  throw new errors.SessionUnknownError(
    `revokeRefreshToken: which session the refresh token belongs to cannot be learned, so its access and ID tokens stay acceptable until they expire; what Cognito could end is ended. At Cognito: ${cognito}. ${reasonOf(learned)}; adminGlobalSignOut ends all sessions of the user`,
    { store: 'skipped', cognito },
    { cause: learned.failure ?? (revoked.ok ? undefined : revoked.error) },
  )
}

/** Why a session could not be learned, as far as something can be done about it. */
function reasonOf({ failure }: LearnedSession): string {
  if (failure === undefined) return 'Check that EnableTokenRevocation is on for the app client'
  if (failure instanceof errors.RefreshTokenReuseError) {
    return 'It was rotated away, so that a successor of it may be alive'
  }
  if (failure instanceof errors.CognitoConfigurationError) return failure.message
  if (failure instanceof errors.RefreshTokenInvalidError) {
    return 'Where the user pool tracks devices, Cognito refreshes with deviceKey (DEVICE_KEY) only'
  }
  return 'Cognito refuses to refresh it: see cause'
}

/** Revokes each at Cognito, the successor of a rotation first; goes on after a failure, and tells the first. */
export async function revokeAll(
  context: Pick<SessionContext, 'api' | 'hosted'>,
  refreshTokens: readonly string[],
  how: RevokeTokenOptions,
  signal: AbortSignal | undefined,
): Promise<Attempt<undefined>> {
  const failures: unknown[] = []
  let anyRevoked = false
  for (const token of refreshTokens) {
    const done = await attempt(() => revokeToken(context, token, how, signal))
    if (done.ok || done.error instanceof errors.RefreshTokenRevokedError) anyRevoked = true
    // Once its successor is revoked, Cognito may no longer know the original: then it is as good as revoked.
    else if (!(anyRevoked && isDeadToken(done.error))) failures.push(done.error)
  }
  return failures.length === 0 ? { ok: true, value: undefined } : { ok: false, error: failures[0] }
}

function isDeadToken(error: unknown): boolean {
  return error instanceof errors.WrongClientError || error instanceof errors.RefreshTokenInvalidError
}

function outcomeOf(
  { sessions, learnedFrom }: LearnedSession,
  store: RevokeOutcome['store'],
  cognito: RevokeOutcome['cognito'],
): RevokeOutcome {
  const originJtis = sessions.map(({ origin_jti }) => origin_jti)
  return {
    originJti: originJtis[0] as string,
    originJtis,
    sub: (sessions[0] as SessionId).sub,
    learnedFrom,
    store,
    cognito,
  }
}
