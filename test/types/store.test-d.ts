import { describe, expectTypeOf, it } from 'vitest'
import { CognitoTokenClient } from '../../src/client/index.js'
import {
  type ChangeBatch,
  type ChangesOptions,
  MemoryRevocationStore,
  type Revocation,
  type RevocationListener,
  type RevocationMatch,
  type RevocationStore,
  Revoker,
  type TokenIdentity,
  TokenVerifier,
} from '../../src/index.js'

const userPoolId = 'us-east-1_AbCdEfGhI'
const clientId = '1example23456789'

/** The least that a store must do. */
class SmallStore implements RevocationStore {
  async add(_revocations: readonly Revocation[]): Promise<void> {}
  async find(_token: TokenIdentity): Promise<RevocationMatch | undefined> {
    return undefined
  }
}

/** All that a store may do. */
class LargeStore extends SmallStore implements Required<RevocationStore> {
  findSync(token: TokenIdentity): RevocationMatch | undefined {
    return { poolId: token.poolId, scope: 'session', id: token.originJti ?? '', expiresAt: 0 }
  }
  async *changes({ after = '', signal }: ChangesOptions): AsyncGenerator<ChangeBatch> {
    if (!signal.aborted) yield { revocations: [], cursor: after, caughtUp: true, ageMs: 0, restarted: true }
  }
  staleness(): number {
    return 0
  }
  subscribe(_listener: RevocationListener): () => void {
    return () => {}
  }
  async ready(): Promise<void> {}
  async close(): Promise<void> {}
}

describe("a user's own RevocationStore", () => {
  it('serves wherever a store is asked for', () => {
    for (const store of [new SmallStore(), new LargeStore()]) {
      new TokenVerifier({ userPoolId, clientId, tokenUse: 'access', revocation: store })
      new CognitoTokenClient({ userPoolId, clientId, store })
      new Revoker({ store, poolId: userPoolId })
    }
  })

  it('may be an object', () => {
    const store: RevocationStore = { add: async () => {}, find: async () => undefined }
    expectTypeOf(store).toExtend<RevocationStore>()
  })

  it('must have add and find', () => {
    // @ts-expect-error: add is missing
    const withoutAdd: RevocationStore = { find: async () => undefined }
    // @ts-expect-error: find is missing
    const withoutFind: RevocationStore = { add: async () => {} }
    expectTypeOf([withoutAdd, withoutFind]).toEqualTypeOf<RevocationStore[]>()
  })

  it('cannot say "not revoked" by anything but undefined', () => {
    // @ts-expect-error: null
    const saysNull: RevocationStore = { add: async () => {}, find: async () => null }
    // @ts-expect-error: a boolean
    const saysFalse: RevocationStore = { add: async () => {}, find: async () => false }
    expectTypeOf([saysNull, saysFalse]).toEqualTypeOf<RevocationStore[]>()
  })

  it('cannot change what it is asked for or told', () => {
    class Meddling extends SmallStore {
      override async add(revocations: readonly Revocation[]): Promise<void> {
        const [first] = revocations
        // @ts-expect-error: readonly
        revocations.pop()
        // @ts-expect-error: readonly
        if (first) first.expiresAt = 0
      }
      override async find(token: TokenIdentity): Promise<RevocationMatch | undefined> {
        // @ts-expect-error: readonly
        token.sub = 'somebody else'
        return undefined
      }
    }
    expectTypeOf<Meddling>().toExtend<RevocationStore>()
  })
})

describe('a Revocation', () => {
  it('has one of five scopes, by which its id is chosen', () => {
    expectTypeOf<Revocation['scope']>().toEqualTypeOf<'token' | 'session' | 'user' | 'client' | 'pool'>()
  })

  it('needs no cutoff and no audit', () => {
    expectTypeOf({
      poolId: userPoolId,
      scope: 'user' as const,
      id: 'sub',
      expiresAt: 0,
    }).toExtend<Revocation>()
  })

  it('cannot come without its expiry', () => {
    // @ts-expect-error: expiresAt is missing
    const revocation: Revocation = { poolId: userPoolId, scope: 'user', id: 'sub' }
    expectTypeOf(revocation).toEqualTypeOf<Revocation>()
  })

  it('is a match without its audit', () => {
    expectTypeOf<RevocationMatch>().toEqualTypeOf<Omit<Revocation, 'audit'>>()
  })
})

describe('a Revoker', () => {
  const revoker = new Revoker({ store: new MemoryRevocationStore(), poolId: userPoolId })

  it('takes the claims that a verifier gives', () => {
    const verifier = new TokenVerifier({ userPoolId, clientId, tokenUse: null, revocation: false })
    expectTypeOf(verifier.verifySync).returns.toExtend<Parameters<Revoker['revokeSession']>[0]>()
    expectTypeOf(verifier.verifySync).returns.toExtend<Parameters<Revoker['revokeToken']>[0]>()
  })

  it('takes a cutoff for users, clients and pools only', () => {
    revoker.revokeUser('sub', { cutoff: 0 })
    revoker.revokeClient(clientId, { cutoff: 0 })
    revoker.revokePool({ cutoff: 0 })
    // @ts-expect-error: a session has no cutoff
    revoker.revokeSession({ iss: '', origin_jti: '' }, { cutoff: 0 })
    // @ts-expect-error: a token has no cutoff
    revoker.revokeToken({ iss: '', jti: '', exp: 0 }, { cutoff: 0 })
  })

  it('gives what was recorded', () => {
    expectTypeOf(revoker.revokeUser).returns.resolves.toEqualTypeOf<Revocation>()
  })
})
