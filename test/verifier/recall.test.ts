import { beforeAll, describe, expect, it, vi } from 'vitest'
import type { ObserverEvent } from '../../src/observer.js'
import { MemoryRevocationStore } from '../../src/revocation/memory-store.js'
import type { Revocation, RevocationScope } from '../../src/revocation/revocation.js'
import type { CognitoClaims } from '../../src/tokens/claims.js'
import { identityOf } from '../../src/tokens/token-identity.js'
import { TokenVerifier } from '../../src/verifier.js'
import type { SharedVerifierOptions, UserPoolOptions } from '../../src/verifier-options.js'
import { NOW_SECONDS, RawSigner } from '../support/raw-signer.js'
import { SpyStore } from '../support/spy-store.js'
import { createVerifier as createVerifierOf, judge } from '../support/verdicts.js'

let signer: RawSigner
let nowSeconds = NOW_SECONDS

beforeAll(async () => {
  signer = await RawSigner.create()
})

const pool = () => ({
  ...{ userPoolId: signer.userPoolId, clientId: null, tokenUse: null },
  clock: () => NOW_SECONDS * 1000,
})

function createVerifier(options: Partial<SharedVerifierOptions & UserPoolOptions> = {}) {
  nowSeconds = NOW_SECONDS
  const revocation = new MemoryRevocationStore()
  return createVerifierOf(signer, { revocation, clock: () => nowSeconds * 1000, ...options })
}

describe('recall gives', () => {
  it('the claims of a token that was verified before', async () => {
    const verifier = createVerifier()
    const token = signer.accessToken()
    const claims = await verifier.verify(token)
    expect(verifier.recall(token)).toBe(claims)
  })

  it('them also where revocation is done without', async () => {
    const verifier = createVerifier({ revocation: false })
    const token = signer.accessToken()
    await verifier.verify(token)
    expect(verifier.recall(token)).toMatchObject({ token_use: 'access' })
  })
})

describe('recall gives nothing', () => {
  it('for a token that was not verified, however good it is', async () => {
    const verifier = createVerifier()
    await verifier.verify(signer.accessToken())
    expect(verifier.recall(signer.accessToken({ jti: 'another' }))).toBeUndefined()
  })

  it.each([undefined, null, 5, '', {}])('for what is no token: %j', (token) => {
    expect(createVerifier().recall(token as string)).toBeUndefined()
  })

  it.each(['token', 'session', 'user', 'client', 'pool'] as const)(
    'for a token that has been revoked since, by %s',
    async (scope: RevocationScope) => {
      const store = new MemoryRevocationStore()
      const verifier = createVerifier({ revocation: store })
      const token = signer.accessToken()
      const identity = identityOf(signer.userPoolId, await verifier.verify(token))
      const ids: Record<RevocationScope, string | undefined> = {
        ...{ token: identity.jti, session: identity.originJti, user: identity.sub },
        ...{ client: identity.clientId, pool: signer.userPoolId },
      }
      const revocation = { poolId: signer.userPoolId, scope, id: ids[scope], expiresAt: nowSeconds + 60 }
      await store.add([revocation as Revocation])
      expect(verifier.recall(token)).toBeUndefined()
    },
  )

  it('for a token whose time is over', async () => {
    const verifier = createVerifier()
    const token = signer.accessToken()
    await verifier.verify(token)
    nowSeconds += 90_000
    expect(verifier.recall(token)).toBeUndefined()
  })

  it('for a token that no session can be revoked of', async () => {
    const verifier = createVerifier()
    const token = signer.accessToken({ origin_jti: undefined })
    expect(await judge(verifier, token)).toBe('token_not_revocable')
    expect(verifier.recall(token)).toBeUndefined()
  })

  it('where the store has to be asked, and does not ask it', async () => {
    const store = new SpyStore()
    const verifier = createVerifier({ revocation: store })
    const token = signer.accessToken()
    await verifier.verify(token)
    expect(verifier.recall(token)).toBeUndefined()
    expect(store.lookUps).toHaveLength(1)
  })

  it('where the store answers outside its protocol', async () => {
    const store = new MemoryRevocationStore()
    const verifier = createVerifier({ revocation: store })
    const token = signer.accessToken()
    await verifier.verify(token)
    vi.spyOn(store, 'findSync').mockReturnValue(null as never)
    expect(verifier.recall(token)).toBeUndefined()
  })

  it("where the owner's own check has to be made", async () => {
    const customJwtCheck = vi.fn()
    const verifier = createVerifier({ customJwtCheck })
    const token = signer.accessToken()
    await verifier.verify(token)
    expect(verifier.recall(token)).toBeUndefined()
    expect(customJwtCheck).toHaveBeenCalledTimes(1)
  })

  it('where a subclass asks for more', async () => {
    class Stricter extends TokenVerifier {
      override async verify(token: string): Promise<CognitoClaims> {
        return super.verify(token)
      }
    }
    const verifier = new Stricter({ ...pool(), revocation: false })
    verifier.cacheJwks(signer.jwks)
    const token = signer.accessToken()
    await verifier.verify(token)
    expect(verifier.recall(token)).toBeUndefined()
  })

  it('where its verify was wrapped', async () => {
    const verifier = createVerifier()
    const token = signer.accessToken()
    await verifier.verify(token)
    verifier.verify = async () => {
      throw new Error('blocked')
    }
    expect(verifier.recall(token)).toBeUndefined()
  })

  it('once the verifier is closed', async () => {
    const verifier = createVerifier()
    const token = signer.accessToken()
    await verifier.verify(token)
    await verifier.close()
    expect(verifier.recall(token)).toBeUndefined()
  })

  it('and tells nobody: verify, which is asked next, does', async () => {
    const events: ObserverEvent[] = []
    const verifier = createVerifier({ observer: (event) => events.push(event) })
    verifier.recall('token')
    expect(events).toEqual([])
  })
})
