import { steadyClock, systemClock } from '../../clock.js'
import { NotReadyError } from '../../errors.js'
import {
  assertRevocation,
  purgeableAt,
  type Revocation,
  type RevocationMatch,
} from '../../revocation/revocation.js'
import type { ChangeBatch, ChangesOptions, RevocationStore } from '../../revocation/store.js'
import type { TokenIdentity } from '../../tokens/token-identity.js'
import { isTransient, storeError } from './file-errors.js'
import { readFeed } from './file-feed.js'
import { type CheckedFileOptions, checkFileOptions, type FileRevocationStoreOptions } from './file-options.js'
import { GroupCommits } from './group-commits.js'
import { NewsBell } from './news-bell.js'
import { encodeRecord } from './records.js'
import { PAGE_SIZE } from './revocation-database.js'
import { SharedFile } from './shared-file.js'

/**
 * The durable embedded default: revocations in a file, for the processes of one machine. What was acknowledged
 * survives a crash of the process, of the system, and a power cut.
 *
 * The file is one of SQLite, by `node:sqlite` from Node.js 22.13 on, else by the package
 * `@photostructure/sqlite`, which needs no compiler: install it on Node.js 20. It must be on a disk of this
 * machine, not on a network file system.
 *
 * `add` waits for the disk, and the event loop with it (adds of one turn share one wait); `find` is some ten
 * microseconds. The file is opened at first use, and made where it is not there.
 *
 * @example
 * import { TokenVerifier } from 'cognito-revocation'
 * import { FileRevocationStore } from 'cognito-revocation/file'
 * const store = new FileRevocationStore({ path: '/var/lib/my-service/revocations.db' })
 * await store.ready()
 * const verifier = new TokenVerifier({ userPoolId, clientId, tokenUse: 'access', revocation: store })
 */
export class FileRevocationStore implements RevocationStore {
  readonly #options: CheckedFileOptions
  readonly #file: SharedFile
  readonly #commits: GroupCommits
  readonly #bell = new NewsBell()
  readonly #closing = new AbortController()
  /** Slower to believe in a later time than the clock that cutoffs are checked by. */
  readonly #purgeClock = steadyClock()

  /** @throws TypeError naming the option */
  constructor(options: FileRevocationStoreOptions) {
    const checked = checkFileOptions(options)
    const { path, busyTimeoutMs, pollIntervalMs, maxEntries, feedLength, observer } = checked
    this.#options = checked
    this.#file = new SharedFile({ path, busyTimeoutMs, believeForMs: pollIntervalMs, observer })
    this.#commits = new GroupCommits(async (calls, since) => {
      const forgetBefore = this.#purgeClock() / 1000 - purgeableAt({ expiresAt: 0 })
      const limits = { maxEntries, feedLength, forgetBefore }
      const outcomes = await this.#file.write((database) => database.add(calls, limits), { since })
      this.#bell.ring()
      return outcomes
    })
  }

  /**
   * Resolves when all are on the disk. Up to 1,000 records are one transaction: all of them, or none.
   *
   * @throws TypeError if a record is invalid, CutoffInFutureError: then nothing is recorded
   * @throws StoreFullError where `maxEntries` is reached, or the disk is full
   * @throws StoreUnavailableError, StoreProtocolError: the outcome is unknown, add again
   */
  async add(revocations: readonly Revocation[]): Promise<void> {
    const nowSeconds = systemClock() / 1000
    for (const revocation of revocations) assertRevocation(revocation, nowSeconds)
    // Written down at once, as they were checked: they are the caller's, who may change them.
    const records = revocations.map(encodeRecord)
    for (let start = 0; start < records.length; start += PAGE_SIZE) {
      await this.#commits.add(records.slice(start, start + PAGE_SIZE))
    }
  }

  /** @throws StoreUnavailableError, StoreProtocolError */
  find(token: TokenIdentity): Promise<RevocationMatch | undefined> {
    return this.#file.ask((database) => database.find(token))
  }

  /**
   * Looks into the file, at once: sees what any process has added.
   *
   * @throws NotReadyError where `find` may have to wait: others lock the file, or `ready()` was not awaited
   * @throws StoreUnavailableError, StoreProtocolError
   */
  findSync(token: TokenIdentity): RevocationMatch | undefined {
    try {
      return this.#file.askNow((database) => database.find(token))
    } catch (error) {
      if (isTransient(error))
        throw new NotReadyError('Other processes lock the file: use find()', { cause: error })
      throw storeError(error)
    }
  }

  /** 0: each look-up asks the file itself. */
  staleness(): number {
    return 0
  }

  /** Opens the file, or makes it. @throws StoreUnavailableError, StoreProtocolError */
  async ready(): Promise<void> {
    await this.#file.ask((database) => database.head())
  }

  /** The change feed. What this process adds comes at once; what others add, within `pollIntervalMs`. */
  changes({ after, signal }: ChangesOptions): AsyncGenerator<ChangeBatch, void, undefined> {
    const { heartbeatMs, pollIntervalMs } = this.#options
    return readFeed({
      ...(after === undefined ? {} : { after }),
      signal: AbortSignal.any([signal, this.#closing.signal]),
      file: this.#file,
      bell: this.#bell,
      heartbeatMs,
      pollIntervalMs,
    })
  }

  /** Waits for the adds that are under way, ends the feeds, and closes the file: nothing can be asked any more. */
  async close(): Promise<void> {
    this.#closing.abort()
    await this.#commits.settled()
    this.#file.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}
