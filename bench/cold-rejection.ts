/**
 * What refusing a token costs that was never seen before, against the bare signature of a good one:
 * `node --expose-gc --import tsx bench/cold-rejection.ts [--quick]`
 */
import type { TokenMinter } from '../src/testing/token-minter.js'
import { JwksServer } from '../test/support/jwks-server.js'
import { heading, isQuick, reportRatio } from './measure.js'
import {
  createAwsJwtVerify,
  createFastJwt,
  createJose,
  createJsonWebToken,
  createOurs,
} from './verifiers/candidates.js'
import { BareSignatures } from './verifiers/limit.js'
import { medians } from './verifiers/medians.js'
import { createRevocations } from './verifiers/revocations.js'
import { freshStrings, timedRefusals, timedRefusalsAsync } from './verifiers/timed.js'
import { claimsOfSomebody, createMinter, mintTokens, Tokens } from './verifiers/tokens.js'

const entries = isQuick ? 50_000 : 1_000_000
const count = isQuick ? 200 : 1_000
const rounds = isQuick ? 3 : 15
const concurrency = 64
/** What fails before the signature, and what fails at it. */
const [before, at] = [0.5, 1.9]

/** A kind of bad token, and what each says of it: by its error's code, or by its name. */
interface Kind {
  readonly name: string
  readonly tokens: Tokens
  readonly atMost: number
  readonly reasons: Readonly<Record<Candidate, RegExp>>
}
type Candidate = 'ours' | 'awsJwtVerify' | 'fastJwt' | 'jsonWebToken' | 'jose'

const minter = await createMinter()
/** Somebody else's keys, under the same issuer: one of his own would be withdrawn, or not there yet. */
const stranger = await createMinter()
const foreign = stranger.withIssuer('https://cognito-idp.us-east-1.amazonaws.com/us-east-1_Elsewhere')
const good = mintTokens(minter, count)
const bare = new BareSignatures(minter, good)
const server = await JwksServer.start(minter.jwks)
const revocations = await createRevocations(entries)

function mintExpired(from: TokenMinter): Tokens {
  const iat = Math.floor(Date.now() / 1000) - 7_200
  return new Tokens(Array.from({ length: count }, () => from.accessToken({ ...claimsOfSomebody(), iat })))
}

/** The payload ends in its middle, so that it is no JSON. */
function truncate(token: string): string {
  const [header = '', payload = '', signature = ''] = token.split('.')
  return [header, payload.slice(0, (payload.length >> 3) << 2), signature].join('.')
}

/** A good token's signature under another. */
function swapSignatures(tokens: readonly string[]): string[] {
  return tokens.map((token, index) => {
    const other = tokens[(index + 1) % tokens.length] as string
    return token.slice(0, token.lastIndexOf('.')) + other.slice(other.lastIndexOf('.'))
  })
}

const kinds: readonly Kind[] = [
  {
    name: 'Malformed: its payload is no JSON',
    tokens: new Tokens(good.fresh().map(truncate)),
    atMost: before,
    reasons: {
      ours: /^token_malformed$/,
      awsJwtVerify: /^JwtParseError/,
      fastJwt: /MALFORMED|INVALID_PAYLOAD|INVALID_SIGNATURE/,
      jsonWebToken: /malformed|invalid|JSON/,
      // It looks at the signature before.
      jose: /^ERR_JWS_SIGNATURE_VERIFICATION_FAILED$/,
    },
  },
  {
    name: 'Of another issuer, by a key of his',
    tokens: mintTokens(foreign, count),
    atMost: before,
    reasons: {
      ours: /^token_claim_invalid$/,
      awsJwtVerify: /^ParameterValidationError: issuer not configured/,
      fastJwt: /INVALID_SIGNATURE/,
      jsonWebToken: /invalid signature/,
      jose: /^ERR_JWKS_NO_MATCHING_KEY$/,
    },
  },
  {
    name: 'By a key that is not in the JWKS',
    tokens: mintTokens(stranger, count),
    atMost: before,
    reasons: {
      // verifySync cannot fetch the JWKS to see whether the key is there by now: it says so.
      ours: /^(token_key_unknown|not_ready)$/,
      awsJwtVerify: /^KidNotFoundInJwksError/,
      fastJwt: /INVALID_SIGNATURE/,
      jsonWebToken: /invalid signature/,
      jose: /^ERR_JWKS_NO_MATCHING_KEY$/,
    },
  },
  {
    name: 'Expired, and never seen before that',
    tokens: mintExpired(minter),
    atMost: before,
    reasons: {
      ours: /^token_expired$/,
      awsJwtVerify: /^JwtExpiredError/,
      fastJwt: /EXPIRED/,
      jsonWebToken: /expired/,
      jose: /^ERR_JWT_EXPIRED$/,
    },
  },
  {
    name: "With another token's signature",
    tokens: new Tokens(swapSignatures(good.fresh())),
    atMost: at,
    reasons: {
      ours: /^token_signature_invalid$/,
      awsJwtVerify: /^JwtInvalidSignatureError/,
      fastJwt: /INVALID_SIGNATURE/,
      jsonWebToken: /invalid signature/,
      jose: /^ERR_JWS_SIGNATURE_VERIFICATION_FAILED$/,
    },
  },
]

// It has looked for the unknown key once, and does not do so again while this runs.
const verifier = createOurs(minter, revocations.mirror, {
  jwksUri: server.jwksUri,
  jwks: { cooldownMs: 3_600_000 },
})
const [unknown = ''] = mintTokens(stranger, 1).fresh()
await verifier.verify(unknown).catch(() => {})
// As one that has let others in before.
await verifier.verify(minter.accessToken())

// Without waiting only: else it would fetch the JWKS from where Cognito has it.
const { verifySync: awsJwtVerify } = createAwsJwtVerify(minter)
const fastJwt = createFastJwt(minter, { cache: false })
const jsonWebToken = createJsonWebToken(minter)
const jose = createJose(minter)

for (const { name, tokens, atMost, reasons } of kinds) {
  const of = await medians(
    {
      limit: async () => bare.timedSync(),
      verifySync: async () => {
        await revocations.refresh()
        return timedRefusals(freshStrings(tokens), (token) => verifier.verifySync(token), reasons.ours)
      },
      verify: async () => {
        await revocations.refresh()
        const verify = (token: string) => verifier.verify(token)
        return timedRefusalsAsync(freshStrings(tokens), concurrency, verify, reasons.ours)
      },
      awsJwtVerify: () => timedRefusals(freshStrings(tokens), awsJwtVerify, reasons.awsJwtVerify),
      fastJwt: () => timedRefusals(freshStrings(tokens), fastJwt, reasons.fastJwt),
      jsonWebToken: () => timedRefusals(freshStrings(tokens), jsonWebToken, reasons.jsonWebToken),
      jose: () => timedRefusalsAsync(freshStrings(tokens), concurrency, jose, reasons.jose),
    },
    { rounds, warmUps: 2 },
  )
  heading(`${name}: against the bare signature of a good one`)
  reportRatio('verifySync', [of('verifySync'), of('limit')], 'µs', atMost)
  reportRatio(`verify, ${concurrency} at a time`, [of('verify'), of('limit')], 'µs', atMost)
  reportRatio('aws-jwt-verify verifySync', [of('awsJwtVerify'), of('limit')], 'µs')
  reportRatio('fast-jwt without its cache', [of('fastJwt'), of('limit')], 'µs')
  reportRatio('jsonwebtoken', [of('jsonWebToken'), of('limit')], 'µs')
  reportRatio(`jose, ${concurrency} at a time`, [of('jose'), of('limit')], 'µs')
}
if (server.requests !== 1) throw new Error(`The JWKS was fetched ${server.requests} times`)
await verifier.close()
await server.close()
await revocations.close()
