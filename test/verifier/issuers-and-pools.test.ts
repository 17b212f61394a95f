import { inspect } from 'node:util'
import { beforeAll, describe, expect, it } from 'vitest'
import { TokenClaimError } from '../../src/errors.js'
import { cognitoIssuers, regionOf } from '../../src/tokens/issuer.js'
import { TokenVerifier } from '../../src/verifier.js'
import type { SharedVerifierOptions } from '../../src/verifier-options.js'
import { JwksServer } from '../support/jwks-server.js'
import { NOW_SECONDS, RawSigner } from '../support/raw-signer.js'
import { SpyMemoryStore } from '../support/spy-store.js'
import { createVerifier, judge, judgeSync, refusalOf } from '../support/verdicts.js'

let signer: RawSigner
let other: RawSigner

const shared: SharedVerifierOptions = { revocation: false, clock: () => NOW_SECONDS * 1000 }

beforeAll(async () => {
  ;[signer, other] = await Promise.all([
    RawSigner.create({ userPoolId: 'us-east-1_PoolOne11', clientId: 'client-one' }),
    RawSigner.create({ userPoolId: 'eu-west-1_PoolTwo22', clientId: 'client-two' }),
  ])
})

describe('the issuer', () => {
  it('may have either of the forms that Cognito writes', async () => {
    const verifier = createVerifier(signer)
    for (const host of ['cognito-idp', 'issuer-cognito-idp']) {
      const iss = `https://${host}.us-east-1.amazonaws.com/us-east-1_PoolOne11`
      expect(judgeSync(verifier, signer.accessToken({ iss }))).toBe('accepted')
      expect(await judge(verifier, signer.idToken({ iss }))).toBe('accepted')
    }
  })

  it.each([
    'https://cognito-idp.us-east-1.amazonaws.com/us-east-1_PoolOne1',
    'https://cognito-idp.us-east-1.amazonaws.com/us-east-1_poolone11',
    'https://cognito-idp.us-east-1.amazonaws.com/us-east-1_PoolOne11/',
    'https://cognito-idp.us-east-1.amazonaws.com/us-east-1_PoolOne11#',
    'https://cognito-idp.us-east-1.amazonaws.com/us-east-1_PoolOne11?a',
    'https://cognito-idp.eu-west-1.amazonaws.com/us-east-1_PoolOne11',
    'https://COGNITO-IDP.us-east-1.amazonaws.com/us-east-1_PoolOne11',
    'https://cognito-idp.us-east-1.amazonaws.com:443/us-east-1_PoolOne11',
    'https://cognito-idp.us-east-1.amazonaws.com./us-east-1_PoolOne11',
    'https://cognito-idp.us-east-1.amazonaws.com@attacker.example/us-east-1_PoolOne11',
    'http://cognito-idp.us-east-1.amazonaws.com/us-east-1_PoolOne11',
    'cognito-idp.us-east-1.amazonaws.com/us-east-1_PoolOne11',
    ' https://cognito-idp.us-east-1.amazonaws.com/us-east-1_PoolOne11',
    'us-east-1_PoolOne11',
    '__proto__',
    'constructor',
    '',
  ])('may not be %j', async (iss) => {
    const error = await refusalOf(createVerifier(signer).verify(signer.accessToken({ iss })))
    expect(error).toBeInstanceOf(TokenClaimError)
    expect(error).toMatchObject({ claim: 'iss', actual: iss })
  })

  it('is shown in the error no longer than 256 characters', async () => {
    const iss = 'https://attacker.example/'.padEnd(5_000, 'x')
    const error = (await refusalOf(
      createVerifier(signer).verify(signer.accessToken({ iss })),
    )) as TokenClaimError
    expect(error.actual).toBe(iss.slice(0, 256))
  })

  it('is exactly the one that the option names, where it does', () => {
    const issuer = 'http://localhost:9229/us-east-1_PoolOne11'
    const verifier = createVerifier(signer, { issuer })
    expect(judgeSync(verifier, signer.accessToken({ iss: issuer }))).toBe('accepted')
    for (const iss of [`${issuer}/`, 'http://LOCALHOST:9229/us-east-1_PoolOne11', signer.issuer]) {
      expect(judgeSync(verifier, signer.accessToken({ iss }))).toBe('token_claim_invalid')
    }
  })

  it('is any of those that the option lists', () => {
    const issuer = ['https://one.example', 'https://two.example/pool']
    const verifier = createVerifier(signer, { issuer })
    for (const iss of issuer) expect(judgeSync(verifier, signer.accessToken({ iss }))).toBe('accepted')
    expect(judgeSync(verifier, signer.accessToken({ iss: 'https://three.example' }))).toBe(
      'token_claim_invalid',
    )
  })

  it('allows an emulator its own user pool id', () => {
    const issuer = 'http://127.0.0.1:9229/local_2aBcDeFg'
    const verifier = createVerifier({ userPoolId: 'local_2aBcDeFg', jwks: signer.jwks }, { issuer })
    expect(judgeSync(verifier, signer.accessToken({ iss: issuer }))).toBe('accepted')
  })

  it.each([
    ['us-east-1_AbCdEfGhI', 'us-east-1'],
    ['us-gov-west-1_AbCdEfGhI', 'us-gov-west-1'],
    ['ap-southeast-3_1', 'ap-southeast-3'],
    ['local_2aBcDeFg', undefined],
    ['cn-north-1_AbCdEfGhI', undefined],
  ])('is told by the user pool id where that names a Region: %s', (userPoolId, region) => {
    expect(regionOf(userPoolId)).toBe(region)
  })

  it('has two forms', () => {
    expect(cognitoIssuers('Test', 'us-gov-west-1_AbCdEfGhI')).toEqual([
      'https://cognito-idp.us-gov-west-1.amazonaws.com/us-gov-west-1_AbCdEfGhI',
      'https://issuer-cognito-idp.us-gov-west-1.amazonaws.com/us-gov-west-1_AbCdEfGhI',
    ])
  })
})

describe('the keys of an issuer', () => {
  it('are fetched from where it publishes them', async () => {
    const server = await JwksServer.start(signer.jwks)
    const asked: (string | undefined)[] = []
    server.respond = (response, { url }) => {
      asked.push(url)
      response.end(JSON.stringify(signer.jwks))
    }
    const issuer = `${server.url}/us-east-1_PoolOne11`
    const { userPoolId } = signer
    const verifier = new TokenVerifier({ userPoolId, clientId: null, tokenUse: null, issuer, ...shared })
    expect(await judge(verifier, signer.accessToken({ iss: issuer }))).toBe('accepted')
    expect(asked).toEqual(['/us-east-1_PoolOne11/.well-known/jwks.json'])
    await server.close()
  })

  it('are fetched with one slash where the issuer ends in one', async () => {
    const server = await JwksServer.start(signer.jwks)
    const asked: (string | undefined)[] = []
    server.respond = (response, { url }) => {
      asked.push(url)
      response.end(JSON.stringify(signer.jwks))
    }
    const issuer = `${server.url}/pool/`
    const { userPoolId } = signer
    const verifier = new TokenVerifier({ userPoolId, clientId: null, tokenUse: null, issuer, ...shared })
    expect(await judge(verifier, signer.accessToken({ iss: issuer }))).toBe('accepted')
    expect(asked).toEqual(['/pool/.well-known/jwks.json'])
    await server.close()
  })

  it('are fetched from jwksUri where that is given, once for both forms of the issuer', async () => {
    const server = await JwksServer.start(signer.jwks)
    const { userPoolId } = signer
    const options = { userPoolId, clientId: null, tokenUse: null, jwksUri: server.jwksUri }
    const verifier = new TokenVerifier({ ...options, ...shared })
    const [first = '', second = ''] = cognitoIssuers('Test', userPoolId)
    expect(await judge(verifier, signer.accessToken({ iss: first }))).toBe('accepted')
    expect(await judge(verifier, signer.accessToken({ iss: second }))).toBe('accepted')
    expect(server.requests).toBe(1)
    await server.close()
  })
})

describe('several pools', () => {
  function createTwoPools(revocation: SpyMemoryStore | false = false): TokenVerifier {
    const verifier = new TokenVerifier({
      pools: [
        { userPoolId: signer.userPoolId, clientId: 'client-one', tokenUse: 'access', scope: 'orders/read' },
        {
          userPoolId: other.userPoolId,
          clientId: 'client-two',
          tokenUse: 'id',
          groups: 'staff',
          graceSeconds: 60,
        },
      ],
      ...shared,
      revocation,
    })
    verifier.cacheJwks(signer.jwks, signer.userPoolId)
    verifier.cacheJwks(other.jwks, other.userPoolId)
    return verifier
  }

  const good = () => [
    signer.accessToken({ scope: 'orders/read' }),
    other.idToken({ iss: poolTwoIssuer(), 'cognito:groups': ['staff'] }),
  ]
  const poolTwoIssuer = () => `https://cognito-idp.eu-west-1.amazonaws.com/${other.userPoolId}`

  it('are served by one verifier', async () => {
    const verifier = createTwoPools()
    for (const token of good()) {
      expect(await judge(verifier, token)).toBe('accepted')
      expect(judgeSync(verifier, token)).toBe('accepted')
    }
  })

  it('each have their own rules for a token', () => {
    const verifier = createTwoPools()
    const two = { iss: poolTwoIssuer(), 'cognito:groups': ['staff'] }
    const verdicts = {
      'pool one, scope of pool one': judgeSync(verifier, signer.accessToken({ scope: 'orders/read' })),
      'pool one, no scope': judgeSync(verifier, signer.accessToken({ 'cognito:groups': ['staff'] })),
      'pool one, use of pool two': judgeSync(verifier, signer.idToken({ 'cognito:groups': ['staff'] })),
      'pool one, client of pool two': judgeSync(
        verifier,
        signer.accessToken({ client_id: 'client-two', scope: 'orders/read' }),
      ),
      'pool one, grace of pool two': judgeSync(
        verifier,
        signer.accessToken({ scope: 'orders/read', exp: NOW_SECONDS - 30 }),
      ),
      'pool two, grace of pool two': judgeSync(verifier, other.idToken({ ...two, exp: NOW_SECONDS - 30 })),
      'pool two, use of pool one': judgeSync(verifier, other.accessToken({ ...two, scope: 'orders/read' })),
      'pool two, client of pool one': judgeSync(verifier, other.idToken({ ...two, aud: 'client-one' })),
      'pool two, no group': judgeSync(
        verifier,
        other.idToken({ iss: poolTwoIssuer(), scope: 'orders/read' }),
      ),
    }
    expect(verdicts).toEqual({
      'pool one, scope of pool one': 'accepted',
      'pool one, no scope': 'insufficient_scope',
      'pool one, use of pool two': 'token_claim_invalid',
      'pool one, client of pool two': 'token_claim_invalid',
      'pool one, grace of pool two': 'token_expired',
      'pool two, grace of pool two': 'accepted',
      'pool two, use of pool one': 'token_claim_invalid',
      'pool two, client of pool one': 'token_claim_invalid',
      'pool two, no group': 'insufficient_scope',
    })
  })

  it('cannot sign for each other, under their own kid or the other one', () => {
    const verifier = createTwoPools()
    const claims = signer.accessClaims({ scope: 'orders/read' })
    expect(judgeSync(verifier, other.sign(other.header, claims))).toBe('not_ready')
    expect(judgeSync(verifier, other.sign(signer.header, claims))).toBe('token_signature_invalid')
  })

  it('have their tokens looked up each under its own pool', async () => {
    const store = new SpyMemoryStore()
    const verifier = createTwoPools(store)
    for (const token of good()) await verifier.verify(token)
    expect(store.lookUps.map(({ token }) => [token.poolId, token.clientId])).toEqual([
      [signer.userPoolId, 'client-one'],
      [other.userPoolId, 'client-two'],
    ])
  })

  it('must be named when keys are handed over', () => {
    const verifier = createTwoPools()
    expect(() => verifier.cacheJwks(signer.jwks)).toThrow(TypeError)
    expect(() => verifier.cacheJwks(signer.jwks, 'us-east-1_NotThere1')).toThrow(TypeError)
  })
})

describe('an issuer that is no string', () => {
  it('is refused, and goes into no error or event: anybody can have written it', async () => {
    const iss = { text: 'do-not-show-me' }
    const error = await refusalOf(createVerifier(signer).verify(signer.accessToken({ iss })))
    expect(error).toMatchObject({ code: 'token_claim_invalid', claim: 'iss', actual: 'object' })
    expect(inspect(error, { depth: 9, showHidden: true })).not.toContain('do-not-show-me')
  })
})

describe('the client', () => {
  it.each([
    ['one', 'client-one', ['client-one']],
    ['several', ['client-one', 'client-three'], ['client-one', 'client-three']],
  ])('must be configured: %s', (_what, clientId, accepted) => {
    const verifier = createVerifier(signer, { clientId })
    for (const id of ['client-one', 'client-two', 'client-three', 'CLIENT-ONE', 'client', 'client-one ']) {
      const verdict = accepted.includes(id) ? 'accepted' : 'token_claim_invalid'
      expect(judgeSync(verifier, signer.accessToken({ client_id: id }))).toBe(verdict)
      expect(judgeSync(verifier, signer.idToken({ aud: id }))).toBe(verdict)
    }
  })

  it('may be any where clientId is null', () => {
    const verifier = createVerifier(signer, { clientId: null })
    expect(judgeSync(verifier, signer.accessToken({ client_id: 'whoever' }))).toBe('accepted')
  })

  it('is client_id in an access token, whatever its aud says', () => {
    const verifier = createVerifier(signer, { clientId: 'client-one' })
    expect(judgeSync(verifier, signer.accessToken({ aud: 'client-two' }))).toBe('accepted')
    expect(judgeSync(verifier, signer.accessToken({ client_id: 'client-two', aud: 'client-one' }))).toBe(
      'token_claim_invalid',
    )
  })

  it('is aud in an ID token, whatever its client_id says', () => {
    const verifier = createVerifier(signer, { clientId: 'client-one' })
    expect(judgeSync(verifier, signer.idToken({ client_id: 'client-two' }))).toBe('accepted')
    expect(judgeSync(verifier, signer.idToken({ aud: 'client-two', client_id: 'client-one' }))).toBe(
      'token_claim_invalid',
    )
  })

  it('stays the one that was configured when the given array is changed later', () => {
    const clientId = ['client-one']
    const verifier = createVerifier(signer, { clientId })
    clientId.push('client-two')
    expect(judgeSync(verifier, signer.accessToken({ client_id: 'client-two' }))).toBe('token_claim_invalid')
  })

  it('stays the one that was configured whatever is done to what an error says', async () => {
    const verifier = createVerifier(signer, { clientId: ['client-one'] })
    const token = signer.accessToken({ client_id: 'client-two' })
    const { expected } = (await refusalOf(verifier.verify(token))) as TokenClaimError
    expect(expected).toEqual(['client-one'])
    tamperWith(() => (expected as string[]).push('client-two'))
    expect(judgeSync(verifier, token)).toBe('token_claim_invalid')
  })
})

/** It may be forbidden, or do nothing. */
function tamperWith(change: () => void): void {
  try {
    change()
  } catch (error) {
    expect(error).toBeInstanceOf(TypeError)
  }
}

describe('the use', () => {
  it.each([
    ['access', 'accepted', 'token_claim_invalid'],
    ['id', 'token_claim_invalid', 'accepted'],
    [null, 'accepted', 'accepted'],
  ] as const)('of a token, where tokenUse is %j', (tokenUse, access, id) => {
    const verifier = createVerifier(signer, { tokenUse })
    expect(judgeSync(verifier, signer.accessToken())).toBe(access)
    expect(judgeSync(verifier, signer.idToken())).toBe(id)
  })
})
