import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import type { TokenVerifier } from '../../src/verifier.js'
import { JwksServer } from '../support/jwks-server.js'
import { createOracle, type Oracle } from '../support/oracle.js'
import { type Claims, encode, partsOf, RawSigner, signWithHmac } from '../support/raw-signer.js'
import { createVerifier, judge, judgeSync } from '../support/verdicts.js'

let signer: RawSigner
let attacker: RawSigner
let oracle: Oracle
let verifier: TokenVerifier

beforeAll(async () => {
  ;[signer, attacker] = await Promise.all([RawSigner.create(), RawSigner.create()])
  oracle = createOracle(signer.jwks, signer.issuer)
  verifier = createVerifier(signer)
  expect(judgeSync(verifier, signer.accessToken())).toBe('accepted')
})

/** Signed with the right key, whatever the header says. */
function withHeader(header: Claims): string {
  return signer.accessToken({}, header)
}

describe('alg', () => {
  it.each([
    ...['none', 'None', 'NONE', 'nOnE', 'HS256', 'HS384', 'HS512', 'RS384', 'RS512', 'RS1', 'PS256', 'PS384'],
    ...[
      'PS512',
      'ES256',
      'ES256K',
      'EdDSA',
      'Ed25519',
      'RSA-OAEP',
      'dir',
      'rs256',
      'RS256 ',
      ' RS256',
      'RS256\0',
      '',
    ],
  ])('is refused as %j, though the signature would do for RS256', (alg) => {
    expect(judgeSync(verifier, withHeader({ alg }))).toBe('token_malformed')
  })

  it.each([[undefined], [null], [true], [256], [['RS256']], [{ alg: 'RS256' }], [{ toString: 'RS256' }]])(
    'is refused as %j',
    (alg) => {
      expect(judgeSync(verifier, withHeader({ alg }))).toBe('token_malformed')
    },
  )

  it.each(['none', 'RS256'])('%s with an empty signature is refused', (alg) => {
    const [header, payload] = partsOf(withHeader({ alg }))
    expect(judgeSync(verifier, `${header}.${payload}.`)).toBe('token_malformed')
  })

  it('decides alone: what is signed as PS256, RS384 or RS512 passes under no name', async () => {
    for (const algorithm of ['PS256', 'PS384', 'RS384', 'RS512']) {
      const honest = signer.sign({ ...signer.header, alg: algorithm }, signer.accessClaims(), algorithm)
      const disguised = signer.sign(signer.header, signer.accessClaims(), algorithm)
      expect(judgeSync(verifier, honest)).toBe('token_malformed')
      expect(judgeSync(verifier, disguised)).toBe('token_signature_invalid')
      expect([await oracle.accepts(honest), await oracle.accepts(disguised)]).toEqual([false, false])
    }
  })

  it('HS256 is refused whatever the public key is written as when it serves as the secret', async () => {
    const { publicKey, jwk, jwks, kid } = signer
    const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString()
    const secrets = [
      ...[pem, pem.trim(), pem.replaceAll('\n', '\r\n'), pem.replaceAll('\n', '')],
      publicKey.export({ type: 'spki', format: 'der' }),
      publicKey.export({ type: 'pkcs1', format: 'pem' }),
      publicKey.export({ type: 'pkcs1', format: 'der' }),
      ...[
        jwk.n ?? '',
        Buffer.from(jwk.n ?? '', 'base64url'),
        JSON.stringify(jwk),
        JSON.stringify(jwks),
        kid,
        '',
      ],
    ]
    for (const secret of secrets) {
      const claims = signer.accessClaims()
      const honest = signWithHmac({ ...signer.header, alg: 'HS256' }, claims, secret)
      const disguised = signWithHmac(signer.header, claims, secret)
      expect(judgeSync(verifier, honest)).toBe('token_malformed')
      expect(judgeSync(verifier, disguised)).toBe('token_signature_invalid')
      expect(await oracle.accepts(honest)).toBe(false)
    }
  })

  it('is read as JSON has it: written with escapes it is the same', () => {
    const header = `{"\\u0061lg":"\\u0052S256","kid":${JSON.stringify(signer.kid)}}`
    expect(judgeSync(verifier, signer.sign(header, signer.accessClaims()))).toBe('accepted')
  })
})

describe('a header with an extension', () => {
  it.each([
    ['crit', []],
    ['crit', ['exp']],
    ['crit', ['b64']],
    ['crit', ['alg']],
    ['crit', 'exp'],
    ['crit', null],
    ['crit', false],
    ['crit', {}],
    ['b64', true],
    ['b64', false],
    ['b64', null],
  ])('is refused: %s %j', (name, value) => {
    expect(judgeSync(verifier, withHeader({ [name]: value }))).toBe('token_malformed')
  })

  it('is refused: a payload that is not encoded (RFC 7797)', async () => {
    const payload = JSON.stringify(signer.accessClaims())
    const token = signer.signParts(encode({ ...signer.header, b64: false, crit: ['b64'] }), payload)
    expect(judgeSync(verifier, token)).toBe('token_malformed')
    expect(await oracle.accepts(token)).toBe(false)
  })
})

describe('a key that the token brings along', () => {
  it.each(['the right kid', 'a kid of its own', 'no kid'])('is not used: a jwk with %s', async (which) => {
    const kid = { 'the right kid': signer.kid, 'a kid of its own': attacker.kid, 'no kid': undefined }[which]
    const header = { alg: 'RS256', kid, jwk: attacker.jwk }
    const token = attacker.sign(header, signer.accessClaims())
    expect(judgeSync(verifier, token)).not.toBe('accepted')
    expect(await oracle.accepts(token)).toBe(false)
  })

  it.each(['jku', 'x5u', 'iss', 'kid'])('is not fetched from where its %s points', async (name) => {
    const server = await JwksServer.start(attacker.jwks)
    const header = { ...attacker.header, kid: signer.kid, [name]: server.jwksUri }
    const claims = signer.accessClaims(name === 'iss' ? { iss: server.jwksUri } : {})
    const token = attacker.sign(header, claims)
    expect([judgeSync(verifier, token), await judge(verifier, token)]).not.toContain('accepted')
    expect(server.requests).toBe(0)
    await server.close()
  })

  it.each(['jwk', 'jku', 'x5u', 'x5c', 'x5t', 'typ', 'cty', 'zip', 'enc', 'anything'])(
    'changes nothing where the right key has signed it: %s is not looked at',
    async (name) => {
      for (const value of ['https://attacker.example/keys', 5, null, [], attacker.jwk]) {
        const token = withHeader({ [name]: value })
        expect(judgeSync(verifier, token)).toBe('accepted')
        expect(await oracle.accepts(token)).toBe(true)
      }
    },
  )
})

describe('kid', () => {
  it.each([[undefined], [null], [true], [0], [[]], [['a']], [{}], [''], ['k'.repeat(257)]])(
    'is refused as %j',
    (kid) => {
      expect(judgeSync(verifier, withHeader({ kid }))).toBe('token_malformed')
    },
  )

  it('is refused as an array that holds the right one', () => {
    expect(judgeSync(verifier, withHeader({ kid: [signer.kid] }))).toBe('token_malformed')
  })

  it.each([
    ...['../../../../etc/passwd', '/dev/null', 'https://attacker.example/jwks.json', 'file:///etc/passwd'],
    ...[
      "' OR 1=1 --",
      '__proto__',
      'constructor',
      'toString',
      'hasOwnProperty',
      '0',
      ' ',
      '*',
      'k'.repeat(256),
    ],
  ])('names no key as %j', (kid) => {
    expect(judgeSync(verifier, withHeader({ kid }))).toBe('not_ready')
  })

  it('must be the very kid of the key', () => {
    const { kid } = signer
    const others = [` ${kid}`, `${kid} `, kid.toLowerCase(), kid.replace(/=$/, ''), `${kid}\0`, kid.slice(1)]
    for (const other of others.filter((other) => other !== kid)) {
      expect(judgeSync(verifier, withHeader({ kid: other }))).toBe('not_ready')
    }
  })

  it('names one key only: a token that another key of the pool has signed is refused', async () => {
    const both = createVerifier({ userPoolId: signer.userPoolId, jwks: { keys: [signer.jwk, attacker.jwk] } })
    const token = attacker.sign(signer.header, signer.accessClaims())
    expect(judgeSync(both, token)).toBe('token_signature_invalid')
    expect(judgeSync(both, attacker.sign(attacker.header, signer.accessClaims()))).toBe('accepted')
  })
})

describe('any header', () => {
  const name = fc.oneof(
    fc.constantFrom(
      'alg',
      'kid',
      'typ',
      'crit',
      'b64',
      'jwk',
      'jku',
      'x5u',
      'x5c',
      'x5t',
      'x5t#S256',
      'cty',
      'zip',
    ),
    fc.string({ maxLength: 5 }),
  )
  const changes = fc.dictionary(name, fc.oneof(fc.constant(undefined), fc.jsonValue({ maxDepth: 3 })), {
    maxKeys: 4,
  })

  it('that we accept, signed with the right key, jose accepts too', async () => {
    await fc.assert(
      fc.asyncProperty(changes, async (header) => {
        const token = withHeader(header)
        if (judgeSync(verifier, token) === 'accepted') expect(await oracle.accepts(token)).toBe(true)
      }),
      { numRuns: 400 },
    )
  })

  it('signed with another key is refused', () => {
    fc.assert(
      fc.property(changes, (header) => {
        const token = attacker.sign({ ...signer.header, ...header }, signer.accessClaims())
        expect(judgeSync(verifier, token)).not.toBe('accepted')
      }),
      { numRuns: 200 },
    )
  })
})
