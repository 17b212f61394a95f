export type {
  AppClientSettings,
  AppClientUpdate,
  ExplicitAuthFlow,
  RefreshTokenRotation,
} from './fake-cognito/app-client.js'
export type { Conditions, LatencyMs } from './fake-cognito/conditions.js'
export type { FakeClock } from './fake-cognito/fake-clock.js'
export { FakeCognito, type FakeCognitoOptions } from './fake-cognito/fake-cognito.js'
export type { FakeEndpoint } from './fake-cognito/fake-endpoint.js'
export type { FaultOptions } from './fake-cognito/faults.js'
export type { BrowserSignIn, SignedInBrowser } from './fake-cognito/hosted/browser.js'
export type { Issuers, IssuerType } from './fake-cognito/issuers.js'
export type { OAuthClientSettings } from './fake-cognito/oauth-client-settings.js'
export type { QuotaCategory, Quotas } from './fake-cognito/quotas.js'
export type { ReplicaOptions } from './fake-cognito/replicas.js'
export type { Call } from './fake-cognito/request-handler.js'
export type { CustomChallenge, SignInOptions } from './fake-cognito/sign-ins.js'
export type { SecondFactor, UserSettings, UserStatus, UserUpdate } from './fake-cognito/users.js'
export {
  type ConformanceTest,
  type StoreConformanceOptions,
  type StoreUnderTest,
  storeConformanceTests,
} from './store-conformance/store-conformance.js'
export { type PublicJwk, type SignOptions, TokenMinter, type TokenMinterOptions } from './token-minter.js'
