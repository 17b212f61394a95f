export * from '../errors.js'
export type {
  DescribeTokenSettingsInput,
  EnableTokenRevocationInput,
  EnableTokenRevocationResult,
} from './app-client.js'
export type {
  AddClientSecretInput,
  AddedClientSecret,
  ClientSecretInfo,
  DeleteClientSecretInput,
  ListClientSecretsInput,
} from './app-client-secrets.js'
export type { AppClientChange } from './app-client-settings.js'
export type { AuthorizationUrlInput } from './authorization-url.js'
export type { AnswerTo, KnownAnswers, SelectAnswer, UnknownAnswer } from './challenge-answers.js'
export type {
  ChallengeOf,
  CodeChallenge,
  CredentialRequestOptions,
  CustomChallenge,
  DeviceChallenge,
  FirstFactor,
  KnownChallenges,
  MfaSetupChallenge,
  MfaType,
  NewPasswordChallenge,
  PasswordChallenge,
  SelectChallenge,
  SelectMfaTypeChallenge,
  SignInChallenge,
  SoftwareTokenChallenge,
  UnknownChallenge,
  UnknownChallengeName,
  WebAuthnChallenge,
} from './challenges.js'
export { CognitoTokenClient } from './client.js'
export type { CognitoTokenClientOptions, RefreshFlow } from './client-options.js'
export type { CreateAppClientInput, CreatedAppClient, NewAppClientSettings } from './create-app-client.js'
export type { Device, NewDevice } from './device.js'
export type { ConfirmDeviceInput, ConfirmedDevice, ForgetDeviceInput } from './devices.js'
export type { RefreshSettings } from './kept-settings.js'
export type { LearnedFrom } from './learned-session.js'
export type { LogoutUrlInput } from './logout-url.js'
export type { MfaPreference, SetMfaPreferenceInput } from './mfa-preference.js'
export type { OAuthEndpoints } from './oauth-endpoints.js'
export type {
  ClientCredentialsInput,
  ExchangeCodeInput,
  MachineToken,
  OAuthRefreshInput,
  UserInfo,
  UserInfoInput,
} from './oauth-inputs.js'
export type { OAuthTokens } from './oauth-tokens.js'
export type { AuthorizationChecks } from './pkce.js'
export { isUnknownChallenge } from './read-challenge.js'
export type { RefreshedTokens, RefreshInput } from './refresh-input.js'
export type {
  OnRefreshTokenReuse,
  RefreshTokenReuse,
  RefreshTokenReuseOutcome,
} from './refresh-token-reuse.js'
export type { RevokeOutcome, RevokeRefreshTokenInput } from './revoke.js'
export type { RevokeVia } from './revoke-via.js'
export { computeSecretHash, type SecretHashInput } from './secret-hash.js'
export type { SessionTokens } from './session-tokens.js'
export type {
  ChoiceSignInInput,
  CustomSignInInput,
  PasswordSignInInput,
  SignInFlow,
  SignInInput,
  SignInOptions,
  SrpSignInInput,
} from './sign-in-input.js'
export type { SignedIn, SignInResult } from './sign-in-result.js'
export type { AdminGlobalSignOutInput, GlobalSignOutInput, SignOutOutcome } from './sign-out.js'
export type { AdminGlobalSignOutManyOptions, SignOutProgress, UserToSignOut } from './sign-out-many.js'
export type { AccessTokenInput, SoftwareToken, VerifySoftwareTokenInput } from './software-token.js'
export type { TokenSettings } from './token-settings.js'
