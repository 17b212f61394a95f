import { describe, expectTypeOf, it } from 'vitest'
import {
  AuthorizationResponseError,
  CognitoTokenClient,
  type MachineToken,
  type OAuthEndpoints,
  type OAuthTokens,
  type RefreshedTokens,
} from '../../src/client/index.js'

const client = new CognitoTokenClient({ userPoolId: 'us-east-1_AbCdEfGhI', clientId: 'c', store: false })
const { oauth } = client
const redirectUri = 'https://app.example.com/callback'

describe('client.oauth', () => {
  it('is a type of its own', () => {
    expectTypeOf(oauth).toEqualTypeOf<OAuthEndpoints>()
  })

  it('wants PKCE for an authorization', () => {
    expectTypeOf(oauth.authorizationUrl).toBeCallableWith({ redirectUri, state: 's', codeVerifier: 'v' })
    expectTypeOf(oauth.authorizationUrl).toBeCallableWith({
      redirectUri,
      ...oauth.createAuthorizationChecks(),
    })
    // @ts-expect-error: neither challenge nor verifier
    void (() => oauth.authorizationUrl({ redirectUri, state: 's' }))
  })

  it('wants the state that is expected, and the callback or what is in it', () => {
    const kept = { redirectUri, codeVerifier: 'v', expectedState: 's' }
    void (() => oauth.exchangeCode({ ...kept, callbackUrl: new URL(redirectUri) }))
    void (() => oauth.exchangeCode({ ...kept, code: 'c', state: 's' }))
    // @ts-expect-error: a code whose state nobody has looked at
    void (() => oauth.exchangeCode({ ...kept, code: 'c' }))
    // @ts-expect-error: no state to compare with
    void (() => oauth.exchangeCode({ redirectUri, codeVerifier: 'v', callbackUrl: '' }))
  })

  it('gives what each grant has', () => {
    expectTypeOf(oauth.exchangeCode).returns.resolves.toEqualTypeOf<OAuthTokens>()
    expectTypeOf<OAuthTokens['refreshToken']>().toEqualTypeOf<string>()
    expectTypeOf(oauth.refresh).returns.resolves.toEqualTypeOf<RefreshedTokens>()
    expectTypeOf(oauth.clientCredentials).returns.resolves.toEqualTypeOf<MachineToken>()
    expectTypeOf<MachineToken>().not.toHaveProperty('refreshToken')
  })
})

describe('revokeRefreshToken', () => {
  it('knows two ways', () => {
    void (() => client.revokeRefreshToken({ refreshToken: 'r', via: 'endpoint' }))
    // @ts-expect-error: no such way
    void (() => client.revokeRefreshToken({ refreshToken: 'r', via: 'post' }))
  })
})

describe('AuthorizationResponseError', () => {
  it('says what is wrong', () => {
    const error = new AuthorizationResponseError('', 'state')
    expectTypeOf(error.failure).toEqualTypeOf<'state' | 'nonce' | 'error' | 'malformed'>()
    expectTypeOf(error.error).toEqualTypeOf<string | undefined>()
  })
})
