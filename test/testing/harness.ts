import { createHmac, randomUUID } from 'node:crypto'
import {
  AdminInitiateAuthCommand,
  AdminRespondToAuthChallengeCommand,
  type AuthenticationResultType,
  CognitoIdentityProviderClient,
  GetTokensFromRefreshTokenCommand,
  GetUserCommand,
  InitiateAuthCommand,
  RespondToAuthChallengeCommand,
  RevokeTokenCommand,
} from '@aws-sdk/client-cognito-identity-provider'
import { decodeJwt, type JWTPayload } from 'jose'
import { afterAll, afterEach, beforeAll } from 'vitest'
import {
  type AppClientSettings,
  FakeCognito,
  type FakeCognitoOptions,
  type UserUpdate,
} from '../../src/testing/index.js'

export interface Tokens {
  readonly AccessToken: string
  readonly IdToken: string
  readonly RefreshToken: string
  readonly ExpiresIn: number
}

export interface Person {
  readonly username: string
  readonly password: string
  readonly email: string
  readonly sub: string
}

export interface AppClientKeys {
  readonly clientId: string
  readonly clientSecret?: string
}

/** The part of an answer by which a challenge is answered. */
export interface ChallengeOnWire {
  readonly ChallengeName?: string | undefined
  readonly Session?: string | undefined
}

/** A FakeCognito for the tests of a file, and what they say to it through the AWS SDK. */
export class Harness {
  readonly cognito: FakeCognito
  readonly sdk: CognitoIdentityProviderClient

  // One attempt: a failure that the SDK repairs by itself could not be seen.
  constructor(cognito: FakeCognito, sdk = createSdk(cognito.url, { maxAttempts: 1 })) {
    this.cognito = cognito
    this.sdk = sdk
  }

  readonly createPerson = (update: UserUpdate = {}): Person => {
    const name = `user-${randomUUID()}`
    const person = { username: name, password: `password of ${name}`, email: `${name}@example.com` }
    return { ...person, ...this.cognito.createUser({ ...person, ...update }) }
  }

  readonly initiateAuth = (AuthFlow: string, ClientId: string, AuthParameters: Record<string, string>) => {
    return this.sdk.send(
      new InitiateAuthCommand({ AuthFlow: AuthFlow as 'USER_PASSWORD_AUTH', ClientId, AuthParameters }),
    )
  }

  readonly adminInitiateAuth = (
    AuthFlow: string,
    ClientId: string,
    AuthParameters: Record<string, string>,
  ) => {
    return this.sdk.send(
      new AdminInitiateAuthCommand({
        UserPoolId: this.cognito.userPoolId,
        AuthFlow: AuthFlow as 'ADMIN_USER_PASSWORD_AUTH',
        ClientId,
        AuthParameters,
      }),
    )
  }

  /** Answers the challenge that an operation answered with; USERNAME must be among the responses. */
  readonly respond = (
    ClientId: string,
    { ChallengeName, Session }: ChallengeOnWire,
    ChallengeResponses: Record<string, string>,
  ) => {
    return this.sdk.send(
      new RespondToAuthChallengeCommand({
        ClientId,
        ChallengeName: ChallengeName as 'SMS_MFA',
        Session,
        ChallengeResponses,
      }),
    )
  }

  readonly adminRespond = (
    ClientId: string,
    { ChallengeName, Session }: ChallengeOnWire,
    ChallengeResponses: Record<string, string>,
  ) => {
    return this.sdk.send(
      new AdminRespondToAuthChallengeCommand({
        UserPoolId: this.cognito.userPoolId,
        ClientId,
        ChallengeName: ChallengeName as 'SMS_MFA',
        Session,
        ChallengeResponses,
      }),
    )
  }

  readonly signIn = async (client: AppClientKeys, person: Person): Promise<Tokens> => {
    const { AuthenticationResult } = await this.initiateAuth('USER_PASSWORD_AUTH', client.clientId, {
      USERNAME: person.username,
      PASSWORD: person.password,
      ...secretHashParameter(client, person.username),
    })
    return AuthenticationResult as Tokens
  }

  /** A new client, a new person, and his tokens. */
  readonly begin = async (settings: AppClientSettings = {}) => {
    const client = this.cognito.createClient(settings)
    const person = this.createPerson()
    return { client, person, tokens: await this.signIn(client, person) }
  }

  readonly refreshByFlow = async (
    client: AppClientKeys,
    token: string,
    username = '',
  ): Promise<AuthenticationResultType> => {
    const { AuthenticationResult } = await this.initiateAuth('REFRESH_TOKEN_AUTH', client.clientId, {
      REFRESH_TOKEN: token,
      ...secretHashParameter(client, username),
    })
    return AuthenticationResult ?? {}
  }

  readonly refresh = async (client: AppClientKeys, token: string): Promise<AuthenticationResultType> => {
    const { AuthenticationResult } = await this.sdk.send(
      new GetTokensFromRefreshTokenCommand({
        ClientId: client.clientId,
        RefreshToken: token,
        ClientSecret: client.clientSecret,
      }),
    )
    return AuthenticationResult ?? {}
  }

  readonly revoke = (client: AppClientKeys, token: string) => {
    return this.sdk.send(
      new RevokeTokenCommand({
        ClientId: client.clientId,
        Token: token,
        ClientSecret: client.clientSecret,
      }),
    )
  }

  readonly getUser = (accessToken: string | undefined) => {
    return this.sdk.send(new GetUserCommand({ AccessToken: accessToken }))
  }
}

/** Starts a FakeCognito for the tests of this file; each test finds its clock and faults as new. */
export function useHarness(options?: FakeCognitoOptions): () => Harness {
  let harness: Harness | undefined
  beforeAll(async () => {
    harness = new Harness(await FakeCognito.start(options))
  })
  afterEach(() => {
    harness?.cognito.clock.set(Date.now())
    harness?.cognito.clearFaults()
  })
  afterAll(() => harness?.cognito.close())
  return () => {
    if (harness === undefined) throw new Error('the harness is there in tests only')
    return harness
  }
}

export function createSdk(endpoint: string | undefined, { maxAttempts }: { maxAttempts: number }) {
  return new CognitoIdentityProviderClient({
    region: 'us-east-1',
    credentials: { accessKeyId: 'fake', secretAccessKey: 'fake' },
    maxAttempts,
    ...(endpoint === undefined ? {} : { endpoint }),
  })
}

export function computeHash(client: AppClientKeys, username: string): string {
  return createHmac('sha256', client.clientSecret ?? '')
    .update(username + client.clientId)
    .digest('base64')
}

export function claimsOf(token: string | undefined): JWTPayload {
  return decodeJwt(token ?? '')
}

/** The same bytes in other letters: the last character of a token has bits that stand for nothing. */
export function respell(token: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  return token.slice(0, -1) + alphabet[alphabet.indexOf(token.slice(-1)) ^ 1]
}

/** A refusal as it leaves the SDK, for `toMatchObject`. */
export function refusal(name: string, message?: string | RegExp): object {
  if (message === undefined) return { name }
  return { name, message: message instanceof RegExp ? expectMatch(message) : message }
}

function expectMatch(pattern: RegExp): object {
  return { asymmetricMatch: (value: unknown) => typeof value === 'string' && pattern.test(value) }
}

function secretHashParameter(client: AppClientKeys, username: string): Record<string, string> {
  return client.clientSecret === undefined ? {} : { SECRET_HASH: computeHash(client, username) }
}
