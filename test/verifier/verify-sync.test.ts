import { beforeAll, describe, expect, it } from 'vitest'
import { NotReadyError, RevocationUnavailableError, TokenRevokedError } from '../../src/errors.js'
import type { ObserverEvent } from '../../src/observer.js'
import { MemoryRevocationStore } from '../../src/revocation/memory-store.js'
import { TokenVerifier } from '../../src/verifier.js'
import { NOW_SECONDS, partsOf, RawSigner } from '../support/raw-signer.js'
import { SpyMemoryStore, SpyStore } from '../support/spy-store.js'
import { createVerifier, judge, judgeSync } from '../support/verdicts.js'

let signer: RawSigner

beforeAll(async () => {
  signer = await RawSigner.create()
})

function thrownBy(run: () => unknown): unknown {
  try {
    run()
  } catch (error) {
    return error
  }
  throw new Error('it threw nothing')
}

describe('verifySync throws NotReadyError', () => {
  it('while there are no keys', () => {
    const verifier = new TokenVerifier({
      userPoolId: signer.userPoolId,
      clientId: null,
      tokenUse: null,
      revocation: false,
      clock: () => NOW_SECONDS * 1000,
    })
    const error = thrownBy(() => verifier.verifySync(signer.accessToken()))
    expect(error).toBeInstanceOf(NotReadyError)
    expect(error).toMatchObject({ code: 'not_ready', status: 503 })
    expect((error as Error).message).toMatch(/ready\(\)|verify\(\)/)
  })

  it('for a key that is not in memory: another fetch might bring it', () => {
    expect(judgeSync(createVerifier(signer), signer.accessToken({}, { kid: 'unknown' }))).toBe('not_ready')
  })

  it('with a store that has to be asked, and does not ask it', () => {
    const store = new SpyStore()
    const verifier = createVerifier(signer, { revocation: store })
    expect(thrownBy(() => verifier.verifySync(signer.accessToken()))).toBeInstanceOf(NotReadyError)
    expect(store.lookUps).toEqual([])
  })

  it('with a store that says so, and does not ask it further', () => {
    const notReady = new NotReadyError('not caught up')
    const store = new SpyMemoryStore(() => {
      throw notReady
    })
    const verifier = createVerifier(signer, { revocation: store })
    expect(thrownBy(() => verifier.verifySync(signer.accessToken()))).toBe(notReady)
    expect(store.lookUps.map(({ method }) => method)).toEqual(['findSync'])
  })

  it('with a store that has to be asked, also under onRevocationUnavailable accept', () => {
    const options = { revocation: new SpyStore(), onRevocationUnavailable: 'accept' } as const
    expect(judgeSync(createVerifier(signer, options), signer.accessToken())).toBe('not_ready')
  })

  it.each([
    ['lets the token through', async () => {}],
    ['refuses it', () => Promise.reject(new Error('refused'))],
  ])('with a custom check that is asynchronous, and %s', async (_what, customJwtCheck) => {
    const store = new SpyMemoryStore()
    const verifier = createVerifier(signer, { customJwtCheck, revocation: store })
    expect(thrownBy(() => verifier.verifySync(signer.accessToken()))).toBeInstanceOf(NotReadyError)
    expect(store.lookUps).toEqual([])
    // A rejection that nobody handles would end the process.
    await new Promise((resolve) => setImmediate(resolve))
  })

  it('for nothing that is wrong with the token itself', () => {
    const verifier = createVerifier(signer, { revocation: new SpyStore() })
    expect(judgeSync(verifier, 'no token')).toBe('token_malformed')
    expect(judgeSync(verifier, signer.accessToken({ exp: 1 }))).toBe('token_expired')
    expect(judgeSync(verifier, signer.accessToken({ origin_jti: undefined }))).toBe('token_not_revocable')
  })
})

describe('verifySync says what verify says', () => {
  const forged = () => {
    const [header, payload] = partsOf(signer.accessToken())
    return `${header}.${payload}.${partsOf(signer.idToken())[2]}`
  }

  it.each<[string, () => string]>([
    ['of a good access token', () => signer.accessToken()],
    ['of a good ID token', () => signer.idToken()],
    ["of a machine's token", () => signer.machineToken()],
    ['of no token', () => 'a.b.c'],
    ['of a foreign issuer', () => signer.accessToken({ iss: 'https://issuer.example' })],
    ['of a wrong signature', forged],
    ['of a wrong type', () => signer.accessToken({ sub: 1 })],
    ['of an expired token', () => signer.accessToken({ exp: 1 })],
    ['of a missing scope', () => signer.accessToken({ scope: 'openid' })],
    ['of a token without origin_jti', () => signer.accessToken({ origin_jti: undefined })],
    ['of a revoked token', () => signer.accessToken({ jti: 'revoked' })],
  ])('%s, the first time and again', async (_what, mint) => {
    const token = mint()
    const options = () => ({
      scope: ['aws.cognito.signin.user.admin', 'orders/read'],
      revocation: new SpyMemoryStore(({ jti }) =>
        jti === 'revoked'
          ? { poolId: signer.userPoolId, scope: 'token', id: jti, expiresAt: 9e9 }
          : undefined,
      ),
    })
    const [waiting, immediate] = [createVerifier(signer, options()), createVerifier(signer, options())]
    const verdict = await judge(waiting, token)
    expect([verdict, judgeSync(immediate, token)]).toEqual([verdict, verdict])
    expect([await judge(immediate, token), judgeSync(waiting, token)]).toEqual([verdict, verdict])
    if (verdict === 'accepted') {
      expect(immediate.verifySync(token)).toEqual(await waiting.verify(token))
    } else {
      const error = (await waiting.verify(token).catch((thrown: unknown) => thrown)) as Error
      expect(thrownBy(() => immediate.verifySync(token))).toMatchObject({ ...error, message: error.message })
    }
  })

  it('of a store that fails: refused, and told to the observer', () => {
    const events: ObserverEvent[] = []
    const cause = new Error('broken')
    const revocation = new SpyMemoryStore(() => {
      throw cause
    })
    const verifier = createVerifier(signer, { revocation, observer: (event) => events.push(event) })
    const error = thrownBy(() => verifier.verifySync(signer.accessToken()))
    expect(error).toBeInstanceOf(RevocationUnavailableError)
    expect((error as Error).cause).toBe(cause)
    expect(events.map(({ type }) => type)).toEqual(['revocation_unavailable', 'token_refused'])
  })

  it('of a store that fails, under accept: let through, and told to the observer each time', () => {
    const events: ObserverEvent[] = []
    const revocation = new SpyMemoryStore(() => {
      throw new Error('broken')
    })
    const verifier = createVerifier(signer, {
      revocation,
      onRevocationUnavailable: 'accept',
      observer: (event) => events.push(event),
    })
    for (const _ of [1, 2]) expect(judgeSync(verifier, signer.accessToken())).toBe('accepted')
    expect(events).toMatchObject([
      { type: 'revocation_unavailable', decision: 'accepted' },
      { type: 'revocation_unavailable', decision: 'accepted' },
    ])
  })

  it('of each scope that a token can be revoked in', async () => {
    const claims = signer.accessClaims()
    const ids = {
      token: String(claims.jti),
      session: String(claims.origin_jti),
      user: String(claims.sub),
      client: signer.clientId,
      pool: signer.userPoolId,
    }
    for (const scope of ['token', 'session', 'user', 'client', 'pool'] as const) {
      const store = new MemoryRevocationStore()
      const verifier = createVerifier(signer, { revocation: store })
      const token = signer.accessToken()
      expect(judgeSync(verifier, token)).toBe('accepted')
      await store.add(
        [{ poolId: signer.userPoolId, scope, id: `${ids[scope]}-other`, expiresAt: NOW_SECONDS + 1 }].filter(
          () => scope !== 'pool',
        ),
      )
      expect(judgeSync(verifier, token)).toBe('accepted')
      await store.add([{ poolId: signer.userPoolId, scope, id: ids[scope], expiresAt: NOW_SECONDS + 1 }])
      const error = thrownBy(() => verifier.verifySync(token))
      expect(error).toBeInstanceOf(TokenRevokedError)
      expect(error).toMatchObject({ scope })
      await expect(verifier.verify(token)).rejects.toMatchObject({ code: 'token_revoked', scope })
    }
  })
})
