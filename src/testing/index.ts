export type {
  AppClientSettings,
  AppClientUpdate,
  ExplicitAuthFlow,
  RefreshTokenRotation,
} from './fake-cognito/app-client.js'
export type { FakeClock } from './fake-cognito/fake-clock.js'
export { FakeCognito, type FakeCognitoOptions } from './fake-cognito/fake-cognito.js'
export type { FaultOptions } from './fake-cognito/faults.js'
export type { BrowserSignIn, SignedInBrowser } from './fake-cognito/hosted/browser.js'
export type { OAuthClientSettings } from './fake-cognito/oauth-client-settings.js'
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
