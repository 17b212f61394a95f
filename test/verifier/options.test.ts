import { beforeAll, describe, expect, it } from 'vitest'
import { TokenVerifier, type TokenVerifierOptions } from '../../src/index.js'
import type { ObserverEvent } from '../../src/observer.js'
import { MemoryRevocationStore } from '../../src/revocation/memory-store.js'
import { parseSecureUrl } from '../../src/secure-url.js'
import { JwksServer } from '../support/jwks-server.js'
import { NOW_SECONDS, RawSigner } from '../support/raw-signer.js'
import { createVerifier, judge } from '../support/verdicts.js'

/** Would show up in a message that quotes what it was given. */
const SECRET = 'pZ7-do-not-print-me'

const good = {
  userPoolId: 'us-east-1_AbCdEfGhI',
  clientId: '1example23456789',
  tokenUse: 'access',
  revocation: false,
} as const

const create = (options: unknown) => new TokenVerifier(options as TokenVerifierOptions)

function refusal(options: unknown): unknown {
  try {
    create(options)
  } catch (error) {
    return error
  }
  throw new Error('it was accepted')
}

const POOL_OPTIONS: Record<string, readonly unknown[]> = {
  userPoolId: [
    ...[undefined, null, '', 5, {}, ['us-east-1_AbCdEfGhI'], SECRET, 'us-east-1', 'us-east-1_', '_AbCdEfGhI'],
    ...[
      'us-east-1_AbC/dEf',
      'us-east-1_AbC dEf',
      'us-east-1_AbCdEfGhI\n',
      `us-east-1_${'A'.repeat(46)}`,
      '../_a',
    ],
  ],
  clientId: [undefined, '', 5, {}, true, [], [''], [null], [SECRET, 5], [[SECRET]]],
  tokenUse: [undefined, '', 'refresh', 'Access', SECRET, true, ['access'], {}],
  scope: [
    '',
    [],
    [''],
    5,
    {},
    [SECRET, 5],
    'orders/read orders/write',
    ['a b'],
    'a"b',
    'a\\b',
    'é',
    `${SECRET} b`,
  ],
  groups: ['', [], [''], 5, {}, [SECRET, null]],
  requiredClaims: ['', [''], 5, {}, [SECRET, 5]],
  graceSeconds: [-1, 301, '60', SECRET, null, Number.NaN, Number.POSITIVE_INFINITY, {}, []],
  maxTokenAgeSeconds: [0, -1, '60', SECRET, null, Number.NaN, Number.POSITIVE_INFINITY, {}],
  issuer: [
    ...[
      '',
      [],
      [''],
      5,
      null,
      {},
      SECRET,
      [SECRET],
      'example.com',
      'ftp://example.com',
      'javascript:alert(1)',
    ],
    ...['http://example.com', `http://${SECRET}.example`, `https://user:${SECRET}@example.com`],
    ...[`https://${SECRET}@example.com`, `https://example.com/#${SECRET}`, ['https://a.example', 5]],
    ['https://a.example', 'https://a.example'],
  ],
  jwksUri: [
    ...['', 5, null, {}, SECRET, 'jwks.json', '/jwks.json', 'file:///etc/passwd', 'data:application/json,{}'],
    ...[
      'http://example.com',
      'http://127.0.0.1.example.com',
      'http://localhost.example.com',
      'http://10.0.0.1',
    ],
    ...[`https://user:${SECRET}@example.com`, `https://example.com/#${SECRET}`, ['https://example.com']],
  ],
  customJwtCheck: [null, 'check', SECRET, {}, true],
  allowUnrevocable: [null, 'true', SECRET, 1, {}],
}

const SHARED_OPTIONS: Record<string, readonly unknown[]> = {
  revocation: [undefined, null, true, 0, '', SECRET, {}, [], { find() {} }, { add() {} }, () => {}],
  onRevocationUnavailable: [null, '', 'ignore', SECRET, true, {}],
  revocationTimeoutMs: [0, -1, 60_001, '500', SECRET, null, Number.NaN, Number.POSITIVE_INFINITY],
  maxCachedTokens: [-1, 0.5, 1e10, 2 ** 53, '100', SECRET, null, Number.NaN, Number.POSITIVE_INFINITY],
  jwks: [null, 5, SECRET, true],
  clock: [null, 5, SECRET, new Date(0), {}],
  observer: [null, SECRET, {}, { next() {} }],
  allowInsecureHttp: [null, 'true', SECRET, 1],
}

const rows = (table: Record<string, readonly unknown[]>) =>
  Object.entries(table).flatMap(([option, values]) =>
    values.map((value) => ({ option, value, shown: JSON.stringify(value)?.slice(0, 40) ?? String(value) })),
  )

function expectNamed(error: unknown, option: string): void {
  expect(error).toBeInstanceOf(TypeError)
  const { message } = error as TypeError
  expect(message).toMatch(/^TokenVerifier/)
  expect(message).toMatch(new RegExp(`\\b${option.replace('.', '\\.')}\\b`))
  expect(message).not.toContain(SECRET)
}

describe('an option of the wrong kind', () => {
  it.each([...rows(POOL_OPTIONS), ...rows(SHARED_OPTIONS)])(
    'is refused by a TypeError that names it, not its value: $option $shown',
    ({ option, value }) => {
      expectNamed(refusal({ ...good, [option]: value }), option)
    },
  )

  it.each(rows(POOL_OPTIONS))('is refused in a list of pools too: $option $shown', ({ option, value }) => {
    const { revocation, ...pool } = good
    const other = { ...pool, userPoolId: 'eu-west-1_AbCdEfGhI' }
    expectNamed(refusal({ pools: [other, { ...pool, [option]: value }], revocation }), option)
  })

  it.each(['cooldownMs', 'refreshAfterMs', 'maxAgeMs', 'timeoutMs'])(
    'is refused within jwks: %s',
    (option) => {
      for (const value of [0, -1, '5000', SECRET, null, Number.NaN, Number.POSITIVE_INFINITY]) {
        expectNamed(refusal({ ...good, jwks: { [option]: value } }), `jwks.${option}`)
      }
    },
  )

  it.each([[undefined], [null], [5], [SECRET], [true], [() => {}]])(
    'is refused for all of them: %j',
    (options) => {
      const error = refusal(options)
      expect(error).toBeInstanceOf(TypeError)
      expect((error as Error).message).toBe('TokenVerifier: options must be an object')
    },
  )

  it.each([[undefined], [null], [[]], [{}], ['us-east-1_AbCdEfGhI'], [5]])(
    'is refused as pools: %j',
    (pools) => {
      expectNamed(refusal({ pools, revocation: false }), 'pools')
    },
  )

  it.each([[null], [undefined], [SECRET], [5]])('is refused as a pool: %j', (pool) => {
    const error = refusal({ pools: [pool], revocation: false })
    expect(error).toBeInstanceOf(TypeError)
    expect((error as Error).message).toMatch(/pools\[\]/)
    expect((error as Error).message).not.toContain(SECRET)
  })

  it('is refused where two pools would have one issuer', () => {
    const { revocation, ...pool } = good
    expectNamed(refusal({ pools: [pool, { ...pool, clientId: 'another' }], revocation }), 'pools')
    const issuer = 'https://issuer.example'
    const two = [
      { ...pool, issuer },
      { ...pool, userPoolId: 'eu-west-1_AbCdEfGhI', issuer },
    ]
    expectNamed(refusal({ pools: two, revocation }), 'pools')
  })

  it.each(['local_2aBcDeFg', 'cn-north-1_AbCdEfGhI', `${SECRET}_1`])(
    'is refused where an issuer is missing and the user pool id names no Region of AWS: %s',
    (userPoolId) => {
      expectNamed(refusal({ ...good, userPoolId }), 'issuer')
    },
  )

  it('is refused where a scope is asked of ID tokens, which have none', () => {
    expectNamed(refusal({ ...good, tokenUse: 'id', scope: 'openid' }), 'scope')
  })

  it('is refused where a time for the JWKS would not work: over 24.8 days, timers fire at once', () => {
    expectNamed(refusal({ ...good, jwks: { timeoutMs: 2 ** 31 } }), 'jwks.timeoutMs')
  })
})

describe('an option that there is not', () => {
  it.each([
    ...['userpoolid', 'UserPoolId', 'clientID', 'clientIds', 'token_use', 'scopes', 'group', 'grace'],
    ...['allowUnrevokable', 'onRevocationUnavaliable', 'store', 'jwksUrl', 'includeRawJwtInErrors', 'pool'],
  ])('is refused by its name: %s', (option) => {
    const error = refusal({ ...good, [option]: SECRET })
    expect(error).toBeInstanceOf(TypeError)
    expect((error as Error).message).toContain(`unknown option "${option}"`)
    expect((error as Error).message).not.toContain(SECRET)
  })

  it('is refused within jwks', () => {
    expect(() => create({ ...good, jwks: { cooldown: 5 } })).toThrow(/jwks.*unknown option "cooldown"/)
  })

  it('is refused within a pool: what holds for all pools belongs beside them', () => {
    const { revocation, ...pool } = good
    expect(() => create({ pools: [{ ...pool, revocation }], revocation })).toThrow(
      /unknown option "revocation"/,
    )
  })

  it.each(['userPoolId', 'clientId', 'tokenUse', 'scope', 'customJwtCheck', 'allowUnrevocable'])(
    'is refused beside pools: %s would hold for none of them',
    (option) => {
      const { revocation, ...pool } = good
      expect(() => create({ pools: [pool], revocation, [option]: null })).toThrow(
        `unknown option "${option}"`,
      )
    },
  )
})

describe('an option', () => {
  it.each<[string, Record<string, unknown>]>([
    ['none but what must be there', {}],
    ['a list of clients', { clientId: ['a', 'b'] }],
    ['any client', { clientId: null }],
    ['any use', { tokenUse: null }],
    ['ID tokens', { tokenUse: 'id' }],
    ['no demand of a scope', { scope: null, groups: null }],
    ['lists of scopes and groups', { scope: ['a'], groups: ['b'] }],
    ['no required claims', { requiredClaims: [] }],
    ['the shortest and the longest grace', { graceSeconds: 0 }],
    ['the longest grace', { graceSeconds: 300 }],
    ['a store', { revocation: new MemoryRevocationStore() }],
    ['no cache', { maxCachedTokens: 0 }],
    ['https', { issuer: 'https://issuer.example/pool', jwksUri: 'https://keys.example/jwks.json?v=1' }],
    ['http to 127.0.0.1', { issuer: 'http://127.0.0.1:9229/pool', jwksUri: 'http://127.9.9.9/jwks.json' }],
    ['http to localhost', { issuer: 'http://localhost:9229/pool' }],
    ['http to ::1', { issuer: 'http://[::1]:9229/pool' }],
    ['a China Region with its issuer', { userPoolId: 'cn-north-1_AbC', issuer: 'https://issuer.example' }],
    ['an empty jwks', { jwks: {} }],
    [
      'undefined for whatever may be left out',
      {
        ...{ scope: undefined, groups: undefined, requiredClaims: undefined, graceSeconds: undefined },
        ...{
          maxTokenAgeSeconds: undefined,
          issuer: undefined,
          jwksUri: undefined,
          customJwtCheck: undefined,
        },
        ...{ allowUnrevocable: undefined, onRevocationUnavailable: undefined, observer: undefined },
        ...{ revocationTimeoutMs: undefined, maxCachedTokens: undefined, jwks: undefined, clock: undefined },
        ...{ allowInsecureHttp: undefined },
      },
    ],
  ])('may be %s', (_what, options) => {
    expect(() => create({ ...good, ...options })).not.toThrow()
  })
})

describe('a fraction of a millisecond', () => {
  let signer: RawSigner
  beforeAll(async () => {
    signer = await RawSigner.create()
  })

  it('in revocationTimeoutMs is refused by name or works', async () => {
    const revocation = new MemoryRevocationStore()
    const verifier = expectNamedOrWorking('revocationTimeoutMs', () =>
      createVerifier(signer, { revocation, revocationTimeoutMs: 500.5 }),
    )
    if (verifier !== undefined) expect(await judge(verifier, signer.accessToken())).toBe('accepted')
  })

  it('in jwks.timeoutMs is refused by name or works', async () => {
    const server = await JwksServer.start(signer.jwks)
    const verifier = expectNamedOrWorking('jwks.timeoutMs', () => {
      const options = { ...good, clientId: null, userPoolId: signer.userPoolId, jwksUri: server.jwksUri }
      return create({ ...options, jwks: { timeoutMs: 20_000.5 }, clock: () => NOW_SECONDS * 1000 })
    })
    if (verifier !== undefined) expect(await judge(verifier, signer.accessToken())).toBe('accepted')
    await server.close()
  })

  function expectNamedOrWorking(option: string, make: () => TokenVerifier): TokenVerifier | undefined {
    try {
      return make()
    } catch (error) {
      expectNamed(error, option)
      return undefined
    }
  }
})

describe('plain http beyond loopback', () => {
  const options = {
    issuer: ['https://a.example', 'http://b.example/pool'],
    jwksUri: 'http://10.0.0.7:8080/jwks',
  }

  it('is taken with allowInsecureHttp, and each use told to the observer', () => {
    const events: ObserverEvent[] = []
    create({
      ...good,
      ...options,
      allowInsecureHttp: true,
      observer: (event: ObserverEvent) => events.push(event),
    })
    expect(events).toEqual([
      { type: 'insecure_http', url: 'http://b.example/pool' },
      { type: 'insecure_http', url: 'http://10.0.0.7:8080/jwks' },
    ])
  })

  it('is not taken with allowInsecureHttp: false', () => {
    expectNamed(refusal({ ...good, ...options, allowInsecureHttp: false }), 'issuer')
  })

  it('is not told where it is to loopback', () => {
    const events: ObserverEvent[] = []
    const observer = (event: ObserverEvent) => events.push(event)
    create({ ...good, issuer: 'http://localhost:1/pool', allowInsecureHttp: true, observer })
    expect(events).toEqual([])
  })
})

describe('parseSecureUrl', () => {
  it.each([
    'https://example.com',
    'https://example.com:8443/a?b=c',
    'http://localhost',
    'http://LOCALHOST:80',
    'http://127.0.0.1:1',
    'http://127.1',
    'http://2130706433',
    'http://[::1]:5000/a',
    'http://[0:0:0:0:0:0:0:1]',
  ])('takes %s', (url) => {
    expect(parseSecureUrl('Test', 'url', url, {}).href).toBe(new URL(url).href)
  })

  it.each([
    'http://127.0.0.1.example.com',
    'http://localhost.',
    'http://xlocalhost',
    'http://localhost.example',
    'http://0.0.0.0',
    'http://[::ffff:127.0.0.1]',
    'http://[::2]',
    'http://128.0.0.1',
    'http://169.254.169.254/latest/meta-data',
    'ws://localhost',
    'https:',
    '//example.com',
    '',
  ])('refuses %j', (url) => {
    expect(() => parseSecureUrl('Test', 'url', url, {})).toThrow(TypeError)
    expect(() => parseSecureUrl('Test', 'url', url, {})).toThrow(/^Test: option "url" must be/)
  })
})
