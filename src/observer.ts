import { channel } from 'node:diagnostics_channel'
import type { ErrorCode, PartialOutcome } from './errors.js'

/** What the library tells its owner. No event carries a token, secret, password or hash. */
export type ObserverEvent =
  /** A token was refused. `poolId` and `sub` are there once the signature had been verified. */
  | {
      readonly type: 'token_refused'
      readonly code: ErrorCode
      readonly poolId?: string
      readonly sub?: string
      readonly error: Error
    }
  /** A middleware answered a request itself, with this status; `error` is absent where no token was sent. */
  | { readonly type: 'request_refused'; readonly status: number; readonly error?: Error }
  /** A live connection was closed, since its token is over; `error`: why it could not be watched, or not be closed. */
  | {
      readonly type: 'connection_closed'
      readonly reason: 'revoked' | 'expired' | 'unavailable'
      readonly error?: Error
    }
  /** A logout did not end its session, or not wholly; `outcome` says what was done, where that is known. */
  | {
      readonly type: 'session_revocation_failed'
      readonly error: Error
      readonly outcome?: PartialOutcome
    }
  /**
   * A logout ended the session of an access token (`outcome`) that Cognito does not say to be of the refresh token.
   * `another`: the refresh token was of another session, which has ended too: its cookie was planted, or stale. `unknown`:
   * the refresh token is dead, and whose it was is the caller's word: its session may still be accepted. Either way
   * Cognito may go on refreshing the session in `outcome`, for nothing; `adminGlobalSignOut` ends it there.
   */
  | {
      readonly type: 'session_pairing_unconfirmed'
      readonly refreshTokenOf: 'another' | 'unknown'
      readonly outcome: PartialOutcome
    }
  /** The store could not answer; under `onRevocationUnavailable: 'accept'` the token went through. */
  | {
      readonly type: 'revocation_unavailable'
      readonly decision: 'rejected' | 'accepted'
      readonly error: Error
    }
  | { readonly type: 'jwks_fetched'; readonly jwksUri: string; readonly keys: number }
  | {
      readonly type: 'jwks_fetch_failed'
      readonly jwksUri: string
      readonly error: Error
      readonly retryAfterMs: number
    }
  /** A key of the JWKS is not one that Cognito signs with, and is not used. */
  | {
      readonly type: 'jwks_key_ignored'
      readonly jwksUri: string
      readonly kid: string | undefined
      readonly reason: string
    }
  /** Plain http to a host other than loopback, by `allowInsecureHttp`. */
  | { readonly type: 'insecure_http'; readonly url: string }
  /** A mirror's feed failed or fell silent. Look-ups go on; once it is too old, each asks the store. */
  | { readonly type: 'feed_failed'; readonly error: Error; readonly retryAfterMs: number }
  /** A mirror has read everything afresh. `lost`: so many entries that it knows the store no longer has. */
  | { readonly type: 'mirror_resynchronized'; readonly entries: number; readonly lost: number }
  /** A mirror has given back to the store what the store had lost. */
  | { readonly type: 'mirror_wrote_back'; readonly entries: number }
  /** A mirror could not give it back: it may lack the right to write, or the store is down again. */
  | { readonly type: 'mirror_write_back_failed'; readonly entries: number; readonly error: Error }
  /** A mirror has no room left: "not revoked" is asked of the store from now on. Raise maxEntries. */
  | { readonly type: 'mirror_full'; readonly maxEntries: number }
  /** What a mirror was given as a snapshot is no whole one: it reads everything. What was in it is refused all the same. */
  | { readonly type: 'mirror_snapshot_refused'; readonly error: Error }
  /** A store of a ReplicatedRevocationStore gave no answer to a look-up that counts; told once, until it does. */
  | { readonly type: 'replica_unavailable'; readonly replica: number; readonly error: Error }
  /** The feed of one of its stores failed: until it goes on where it was, its "not revoked" does not count. */
  | {
      readonly type: 'replica_feed_failed'
      readonly replica: number
      readonly error: Error
      readonly retryAfterMs: number
    }
  /** One of its stores has not recorded what was added: tried again, at most so many records a time. */
  | {
      readonly type: 'replica_write_failed'
      readonly replica: number
      readonly entries: number
      readonly error: Error
    }
  /** It has recorded them now. */
  | { readonly type: 'replica_write_completed'; readonly replica: number; readonly entries: number }
  /** It refuses them, too many are waiting, or they are over: not tried again, and in the other stores only. */
  | {
      readonly type: 'replica_write_dropped'
      readonly replica: number
      readonly entries: number
      readonly error: Error
    }
  /** One of its stores may have lost data: it is refilled, and its "not revoked" does not count until then. */
  | { readonly type: 'replica_lost_data'; readonly replica: number }
  /** It could not be refilled, or, without `writeBack`, lacks something still: tried again. */
  | {
      readonly type: 'replica_refill_failed'
      readonly replica: number
      readonly error: Error
      readonly retryAfterMs: number
    }
  /** It has been refilled, with so many entries. `complete`: no other store had lost any meanwhile. */
  | {
      readonly type: 'replica_refilled'
      readonly replica: number
      readonly entries: number
      readonly complete: boolean
    }
  /** The Redis server may evict keys, and with them revocations: set maxmemory-policy to noeviction. */
  | { readonly type: 'redis_may_evict'; readonly maxmemoryPolicy: string }
  /** The file of a `FileRevocationStore` was deleted or replaced while it was in use: what is there now is opened. */
  | { readonly type: 'file_replaced' }
  /** The service refused a request, with this status and `code`; `keyId` where the key was known. Never a key or body. */
  | {
      readonly type: 'service_request_refused'
      readonly status: number
      readonly code: string
      readonly keyId?: string
      readonly error?: Error
    }
  /** The service ended a stream of changes that its reader would have gone on with. He goes on from where he was. */
  | {
      readonly type: 'service_stream_ended'
      readonly keyId: string
      readonly reason: 'too_slow' | 'not_reading' | 'key_changed' | 'store_failed'
      /** Why the store failed. */
      readonly error?: Error
    }
  /** The service's own reading of the store's change feed failed, and with it every stream: told once for all. */
  | { readonly type: 'service_feed_failed'; readonly error: Error }
  /** Cognito did not take the first of an app client's two secrets, and the second is tried. */
  | { readonly type: 'client_secret_refused'; readonly error: Error }
  /** A refresh token came that was rotated away: stolen, or its successor was lost. `error`: what the callback threw. */
  | { readonly type: 'refresh_token_reused'; readonly sub?: string; readonly error?: Error }
  /** The app client's settings cannot be read: refreshing goes the way that is right without; told once, until they can. */
  | { readonly type: 'token_settings_unavailable'; readonly error: Error; readonly retryAfterMs: number }
  /** Cognito's Date is over 300 s from this machine's clock, and was not believed. Check the clock. */
  | { readonly type: 'clock_offset_ignored'; readonly offsetMs: number }

/** Receives every event, synchronously. What it throws is ignored. */
export type Observer = (event: ObserverEvent) => void

const events = channel('cognito-revocation')

/** Tells the observer, and every subscriber of the diagnostics channel `cognito-revocation`. */
export function notify(observer: Observer | undefined, event: ObserverEvent): void {
  if (events.hasSubscribers) events.publish(event)
  if (observer === undefined) return
  // An observer that fails, now or later, must not decide whether a token is accepted, nor end the process.
  try {
    Promise.resolve(observer(event)).catch(() => {})
  } catch {}
}
