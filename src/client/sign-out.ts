import {
  AdminGetUserCommand,
  AdminUserGlobalSignOutCommand,
  GlobalSignOutCommand,
} from '@aws-sdk/client-cognito-identity-provider'
import { createTimedSignal } from '../deadline.js'
import * as errors from '../errors.js'
import { assertInput, assertOptionalSignal, assertString } from '../options.js'
import { checkAuthorization } from '../tokens/claim-checks.js'
import { CLOCK_TOLERANCE_SECONDS, claimError } from '../tokens/claims.js'
import type { CallOptions } from './cognito-api.js'
import { type Audit, auditOf, type ClientContext, type RevocationInput, record } from './context.js'
import { attempt, cognitoOutcomeOf, describe, isPassing } from './outcome.js'

/** The scope under which a user may act on himself: of every token got by the API, not of every other. */
const SELF_SERVICE_SCOPE = 'aws.cognito.signin.user.admin'

/** How long the sign-out is put off for this. */
const LEARN_CLOCK_TIMEOUT_MS = 2_000

export interface GlobalSignOutInput extends RevocationInput {
  /** A live access token of the user, of this app client, with the scope aws.cognito.signin.user.admin. */
  readonly accessToken: string
}

export interface AdminGlobalSignOutInput extends RevocationInput {
  /** The username, or an alias that AdminGetUser takes (the sub, too). */
  readonly username: string
  /** The user's sub, if it is known: it is looked up otherwise. */
  readonly sub?: string
}

/** What a global sign-out did. */
export interface SignOutOutcome extends errors.PartialOutcome {
  readonly sub: string
  /** Epoch seconds: the user's tokens that were authenticated or issued until then are refused. */
  readonly cutoff: number
  /**
   * What Cognito leaves alive. The managed-login cookie signs the browser in again without a password, for an
   * hour by default: send the browser to `client.logoutUrl()`.
   */
  readonly notCleared: readonly ['managed_login_cookie']
}

/** GlobalSignOut: every session of the user whose access token this is. */
export async function globalSignOut(
  context: ClientContext,
  input: GlobalSignOutInput,
): Promise<SignOutOutcome> {
  assertInput('globalSignOut', input)
  const { accessToken, signal } = input
  assertString('globalSignOut', 'accessToken', accessToken)
  assertOptionalSignal('globalSignOut', signal)
  const audit = auditOf(input)
  signal?.throwIfAborted()
  const claims = await context.verifier.verify(accessToken)
  if (claims.token_use !== 'access') throw claimError('token_use', claims.token_use, 'access')
  // Cognito will ask for it too, but only after the first cutoff was written.
  checkAuthorization(claims, { scopes: [SELF_SERVICE_SCOPE], groups: [] })
  return signOut(
    context,
    claims.sub,
    audit,
    (call) =>
      context.api.call(
        'GlobalSignOut',
        (sdk, options) => sdk.send(new GlobalSignOutCommand({ AccessToken: accessToken }), options),
        { ...call, sensitive: [accessToken] },
      ),
    { signal, issuedAt: Math.floor(claims.iat) },
  )
}

/** AdminUserGlobalSignOut: every session of a user. */
export async function adminGlobalSignOut(
  context: ClientContext,
  input: AdminGlobalSignOutInput,
): Promise<SignOutOutcome> {
  const { api } = context
  assertInput('adminGlobalSignOut', input)
  assertString('adminGlobalSignOut', 'username', input.username)
  if (input.sub !== undefined) assertString('adminGlobalSignOut', 'sub', input.sub)
  assertOptionalSignal('adminGlobalSignOut', input.signal)
  const audit = auditOf(input)
  const { signal } = input
  signal?.throwIfAborted()
  const user = { UserPoolId: api.userPoolId, Username: input.username }
  if (input.sub !== undefined) await learnClock(context, user, signal)
  const sub = input.sub ?? (await subOf(context, user, signal))
  return signOut(
    context,
    sub,
    audit,
    (call) =>
      api.call(
        'AdminUserGlobalSignOut',
        (sdk, options) => sdk.send(new AdminUserGlobalSignOutCommand(user), options),
        call,
      ),
    { signal },
  )
}

async function subOf(
  { api }: ClientContext,
  user: { UserPoolId: string; Username: string },
  signal: AbortSignal | undefined,
): Promise<string> {
  const { UserAttributes } = await api.call(
    'AdminGetUser',
    (sdk, options) => sdk.send(new AdminGetUserCommand(user), options),
    { signal },
  )
  const sub = UserAttributes?.find(({ Name }) => Name === 'sub')?.Value
  if (!sub) throw new errors.CognitoError("AdminGetUser: Cognito's answer has no sub")
  return sub
}

/**
 * The first answer of Cognito's tells its clock. Without it, the first cutoff would have to be so early that a
 * process that is gone right after it leaves the newest sessions open. An AdminGetUser that is not allowed, or
 * fails, is no reason to leave the user signed in.
 */
async function learnClock(
  context: ClientContext,
  user: { UserPoolId: string; Username: string },
  signal: AbortSignal | undefined,
): Promise<void> {
  if (context.api.clock.nowSeconds() !== undefined) return
  const either = createTimedSignal(LEARN_CLOCK_TIMEOUT_MS, signal)
  await attempt(() => subOf(context, user, either.signal))
  either.release()
  signal?.throwIfAborted()
}

/**
 * Cutoff in the store, Cognito, cutoff again: before, so that a failure half-way leaves the sessions shut;
 * after, since a refresh in between gives tokens issued after the first cutoff. Cutoffs are in Cognito's clock:
 * the first, where that isn't known yet, is early rather than late, since no merge could undo a late one.
 *
 * @param options.issuedAt when a token of the user was issued, if that is known: by then, he was signed in
 */
async function signOut(
  context: ClientContext,
  sub: string,
  audit: Audit,
  callCognito: (options: CallOptions) => Promise<object>,
  { signal, issuedAt = 0 }: { signal: AbortSignal | undefined; issuedAt?: number },
): Promise<SignOutOutcome> {
  const { api, revokers } = context
  const recordUntil = (cutoff: number, cognitoConfirmed: boolean) =>
    record(context, ({ user }) => user.revokeUser(sub, { ...audit, cutoff, cognitoConfirmed }))

  const early = api.clock.ownSeconds() - CLOCK_TOLERANCE_SECONDS
  await recordUntil(api.clock.nowSeconds() ?? Math.max(early, issuedAt), true)
  const done = await attempt(() => callCognito({ signal }))
  context.successors.forget({ sub })
  const answeredAt = done.ok
    ? api.answeredAt(done.value)
    : Math.max(api.clock.nowSeconds() ?? api.clock.ownSeconds(), issuedAt)
  const cutoff = answeredAt ?? api.clock.ownSeconds()
  let after = await recordUntil(cutoff, done.ok)
  if (!after.ok) after = await recordUntil(cutoff, done.ok)
  if (done.ok && answeredAt === undefined) {
    after = {
      ok: false,
      error: new Error("Cognito's clock and this machine's are over 300 s apart: set the clock"),
    }
  }

  const outcome: SignOutOutcome = {
    sub,
    cutoff,
    store: !after.ok ? 'failed' : revokers ? 'recorded' : 'skipped',
    cognito: done.ok ? 'revoked' : cognitoOutcomeOf(done.error, signal),
    notCleared: ['managed_login_cookie'],
  }
  if (done.ok && after.ok) return outcome
  const cause = done.ok ? (after as { error: unknown }).error : done.error
  const mustMend = outcome.cognito === 'failed' && !isPassing(cause)
  throw new errors.RevocationIncompleteError(
    `Global sign-out: ${describe(outcome, cause)} ${mustMend ? 'Mend that, then complete' : 'Complete'} it with adminGlobalSignOut`,
    outcome,
    { cause },
  )
}
