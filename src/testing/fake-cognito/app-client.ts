import type { OAuthClientSettings } from './oauth-client-settings.js'

/** What an app client's `ExplicitAuthFlows` can hold. */
export type ExplicitAuthFlow =
  | 'ALLOW_USER_PASSWORD_AUTH'
  | 'ALLOW_ADMIN_USER_PASSWORD_AUTH'
  | 'ALLOW_REFRESH_TOKEN_AUTH'
  | 'ALLOW_USER_SRP_AUTH'
  | 'ALLOW_USER_AUTH'
  | 'ALLOW_CUSTOM_AUTH'

/** Refresh token rotation, as an app client's `RefreshTokenRotation` has it. */
export interface RefreshTokenRotation {
  readonly feature: 'ENABLED' | 'DISABLED'
  /** For how long a replaced refresh token can still be used: 0 (default) to 60. */
  readonly retryGracePeriodSeconds?: number
}

/** An app client's settings that can be changed after it was made. */
export interface AppClientUpdate {
  /** Default: the password flows, and ALLOW_REFRESH_TOKEN_AUTH where rotation is off. */
  readonly explicitAuthFlows?: readonly ExplicitAuthFlow[]
  /** Default true. */
  readonly enableTokenRevocation?: boolean
  /**
   * Default 3600. Unlike Cognito, no least and no largest value, so that tests can be brief;
   * UpdateUserPoolClient has them.
   */
  readonly accessTokenValiditySeconds?: number
  /** Default 3600. */
  readonly idTokenValiditySeconds?: number
  /** Default 30 days. */
  readonly refreshTokenValiditySeconds?: number
  /** Default disabled. */
  readonly refreshTokenRotation?: RefreshTokenRotation
  /** Default `app client`. */
  readonly clientName?: string
  /** LEGACY (default) tells that a user does not exist, ENABLED hides it. */
  readonly preventUserExistenceErrors?: 'LEGACY' | 'ENABLED'
  /** What it may do at the hosted endpoints. Default nothing. */
  readonly oauth?: OAuthClientSettings
  /**
   * Settings as a newer Cognito would have them, by their names on the wire: DescribeUserPoolClient tells them,
   * UpdateUserPoolClient resets those that are not sent along. `{ RefreshTokenRotation: { Newer: 1 } }` is a
   * newer field of a structure. Default none.
   */
  readonly newerSettings?: Readonly<Record<string, unknown>>
  /**
   * Whether each refresh gives the session another `origin_jti`, all of which end together. No setting of Cognito's,
   * which does not say whether it does so. Default false.
   */
  readonly newOriginJtiOnRefresh?: boolean
  /**
   * Whether RevokeToken of a refresh token that was rotated away ends its session. Else it ends nothing but that
   * token, and says 200 all the same. No setting of Cognito's, which does not say what it does. Default true.
   */
  readonly revokeTokenEndsSuccessors?: boolean
}

/** What {@link FakeCognito.createClient} takes. */
export interface AppClientSettings extends AppClientUpdate {
  /** Default: made up. */
  readonly clientId?: string
  /** Gives the client a secret that is made up. Default false. */
  readonly generateSecret?: boolean
  /** Gives the client this secret, or two. Any length will do, so that tests can be brief. */
  readonly clientSecret?: string | readonly [string, string]
}

/** An app client with every setting filled in. */
export interface AppClient extends Required<AppClientUpdate> {
  readonly clientId: string
  /** None for a public client. Any of them is good: Cognito allows two, for rotation. */
  readonly secrets: readonly string[]
  /** Its settings as DescribeUserPoolClient tells them, and UpdateUserPoolClient took them. */
  readonly wire: AppClientSettingsOnWire
  /** Epoch milliseconds. */
  readonly createdAt: number
  /** Epoch milliseconds. */
  readonly modifiedAt: number
}

/** An app client's settings by their names on the wire, such as `AccessTokenValidity`. */
export type AppClientSettingsOnWire = Readonly<Record<string, unknown>>
