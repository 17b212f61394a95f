/** An app client's settings for the hosted endpoints. */
export interface OAuthClientSettings {
  /** AllowedOAuthFlows. `implicit` is taken and not played. */
  readonly flows: readonly ('code' | 'implicit' | 'client_credentials')[]
  /** AllowedOAuthScopes. A scope of a resource server, `server/name`, is taken to be there. */
  readonly scopes: readonly string[]
  /** CallbackURLs. Default none. */
  readonly callbackUrls?: readonly string[]
  /** LogoutURLs. Default none. */
  readonly logoutUrls?: readonly string[]
}

/** The hosted endpoints are closed to a client for which nothing was said. */
export const noOAuth: OAuthClientSettings = { flows: [], scopes: [] }
