import { createDiffieHellmanGroup, createHash, createHmac } from 'node:crypto'
import { inspect } from 'node:util'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { createDeviceVerifier, loadSrpHelper, SrpExchange } from '../../src/client/srp.js'
import { CognitoConfigurationError, CognitoError } from '../../src/errors.js'
import { dotNetClaim, type Run, soto } from '../testing/srp-vectors.js'

const N = BigInt(`0x${createDiffieHellmanGroup('modp15').getPrime('hex')}`)
const timestamp = dotNetClaim.timestamp
const secretBlock = dotNetClaim.secretBlock

/** An exchange whose private value is that of a published run. */
async function exchangeOf({ identity, a }: Run): Promise<SrpExchange> {
  return new SrpExchange(
    await loadSrpHelper(),
    {
      username: '',
      password: '',
      isHashed: false,
      poolId: `us-east-1_${identity.group}`,
      poolIdAbbr: identity.group,
      timestamp: 'of the making',
      smallA: a,
      largeA: modPow(2n, BigInt(`0x${a}`)).toString(16),
    },
    () => Date.parse(timestamp) / 1000,
  )
}

function parametersOf({ identity, salt, B }: Run): Record<string, string> {
  return {
    SALT: salt,
    SRP_B: B,
    SECRET_BLOCK: secretBlock,
    USER_ID_FOR_SRP: identity.id,
    USERNAME: identity.id,
  }
}

/** The signature that follows from the published key. */
function signatureOf({ key, identity }: typeof soto): string {
  return createHmac('sha256', Buffer.from(key, 'hex'))
    .update(identity.group + identity.id)
    .update(Buffer.from(secretBlock, 'base64'))
    .update(timestamp)
    .digest('base64')
}

function modPow(base: bigint, exponent: bigint): bigint {
  let result = 1n
  for (let square = base % N, rest = exponent; rest > 0n; rest >>= 1n, square = (square * square) % N) {
    if (rest & 1n) result = (result * square) % N
  }
  return result
}

describe('SRP with the numbers that others have published', () => {
  it('has the same public value as Soto for AWS', async () => {
    const helper = await loadSrpHelper()
    const exchange = await exchangeOf(soto)
    expect(exchange.srpA).toBe(soto.A)
    expect(helper.createSrpSession('', '', 'us-east-1_poolid', false)).toMatchObject({ poolIdAbbr: 'poolid' })
  })

  it('signs with the key of Soto for AWS', async () => {
    const proof = (await exchangeOf(soto)).proveUser(parametersOf(soto), soto.password)
    expect(proof.PASSWORD_CLAIM_SIGNATURE).toBe(signatureOf(soto))
  })

  it("makes the whole claim of AWS's extension for .NET, by USER_ID_FOR_SRP, whatever USERNAME is", async () => {
    const exchange = await exchangeOf(dotNetClaim)
    const parameters = { ...parametersOf(dotNetClaim), USERNAME: 'user5@example.com' }
    expect(exchange.proveUser(parameters, dotNetClaim.password)).toEqual({
      PASSWORD_CLAIM_SIGNATURE: dotNetClaim.signature,
      PASSWORD_CLAIM_SECRET_BLOCK: dotNetClaim.secretBlock,
      TIMESTAMP: dotNetClaim.timestamp,
    })
  })

  it('signs the same for a device of these names: its group stands for the pool', async () => {
    const { group, id } = soto.identity
    const device = { deviceKey: id, deviceGroupKey: group, devicePassword: soto.password }
    const exchange = await exchangeOf({ ...soto, identity: { group: 'another', id } })
    const { USER_ID_FOR_SRP: _, ...parameters } = parametersOf(soto)
    expect(exchange.proveDevice(parameters, device).PASSWORD_CLAIM_SIGNATURE).toBe(signatureOf(soto))
  })

  it("makes a device's verifier of the hash that AWS's extension for .NET has", async () => {
    const { DeviceRandomPassword, DeviceSecretVerifierConfig } = await createDeviceVerifier(
      'User5',
      'Pj8nlkpKR',
    )
    const hash = (password: string) => createHash('sha256').update(`Pj8nlkpKRUser5:${password}`).digest()
    expect(hash('Password1!').toString('base64')).toBe('rJra60Rbj/4QW4UdYVl7wde78eMoiaw7Wk+WoDqo5K8=')
    const salt = Buffer.from(DeviceSecretVerifierConfig.Salt, 'base64')
    const x = createHash('sha256').update(salt).update(hash(DeviceRandomPassword)).digest('hex')
    const verifier = Buffer.from(DeviceSecretVerifierConfig.PasswordVerifier, 'base64').toString('hex')
    expect(BigInt(`0x${verifier}`)).toBe(modPow(2n, BigInt(`0x${x}`)))
    expect(Buffer.from(DeviceRandomPassword, 'base64')).toHaveLength(40)
  })
})

describe('The time that a proof is stamped with', () => {
  it.each([
    ['2026-11-08T09:07:05Z', 'Sun Nov 8 09:07:05 UTC 2026'],
    ['2026-11-22T00:00:00Z', 'Sun Nov 22 00:00:00 UTC 2026'],
    ['2028-02-29T23:59:59Z', 'Tue Feb 29 23:59:59 UTC 2028'],
  ])('is written as Cognito takes it: %s', async (time, written) => {
    const helper = await loadSrpHelper()
    const session = helper.createSrpSession('', '', 'us-east-1_poolid', false)
    const exchange = new SrpExchange(helper, session, () => Date.parse(time) / 1000)
    expect(exchange.proveUser(parametersOf(soto), 'a password').TIMESTAMP).toBe(written)
  })
})

describe("Cognito's part of SRP", () => {
  it.each([
    ['B is missing', { SRP_B: undefined }],
    ['B is zero', { SRP_B: '0000' }],
    ['B is N', { SRP_B: N.toString(16) }],
    ['B is a multiple of N', { SRP_B: (N * 3n).toString(16) }],
    ['B is no number', { SRP_B: 'zz' }],
    ['B is endless', { SRP_B: 'ab'.repeat(5_000) }],
    ['the salt is missing', { SALT: '' }],
    ['the salt is no number', { SALT: '-1' }],
    ['the secret block is missing', { SECRET_BLOCK: undefined }],
    ['the secret block is not Base64', { SECRET_BLOCK: '{}' }],
    ['the user is missing', { USER_ID_FOR_SRP: undefined }],
  ])('is refused where %s, without a word of the password', async (_, wrong) => {
    const exchange = await exchangeOf(soto)
    const parameters = { ...parametersOf(soto), ...wrong } as Record<string, string>
    let thrown: unknown
    try {
      exchange.proveUser(parameters, 'a password')
    } catch (error) {
      thrown = error
    }
    expect(thrown).toBeInstanceOf(CognitoError)
    const text = inspect(thrown, { depth: 9, showHidden: true })
    expect(text).not.toContain('a password')
    expect(text).not.toContain(soto.a)
  })

  it('is not told by what the helper throws', async () => {
    const helper = await loadSrpHelper()
    const failing = {
      ...helper,
      signSrpSession: (session: { password: string }) => {
        throw new Error(`cannot sign with ${session.password}`)
      },
    }
    const session = helper.createSrpSession('', '', 'us-east-1_poolid', false)
    const exchange = new SrpExchange(failing, session, () => 0)
    try {
      exchange.proveUser(parametersOf(soto), 'a password')
      expect.unreachable()
    } catch (error) {
      expect(error).toBeInstanceOf(CognitoError)
      expect(inspect(error, { depth: 9, showHidden: true })).not.toContain('a password')
    }
  })
})

describe('Without cognito-srp-helper', () => {
  afterEach(() => {
    vi.doUnmock('cognito-srp-helper')
    vi.resetModules()
  })

  it.each([
    [
      'not installed',
      () => {
        throw new Error("Cannot find package 'cognito-srp-helper'")
      },
    ],
    ['of another make', () => ({ createSrpSession: undefined, default: {} })],
  ])('SRP says what to install: %s', async (_, factory) => {
    vi.doMock('cognito-srp-helper', factory as () => object)
    const error = await SrpExchange.begin('us-east-1_poolid', () => 0).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(CognitoConfigurationError)
    expect((error as Error).message).toContain('npm install cognito-srp-helper')
  })
})
