import type {
  UpdateUserPoolClientCommandInput,
  UserPoolClientType,
} from '@aws-sdk/client-cognito-identity-provider'
import { CognitoError } from '../errors.js'

/** What UpdateUserPoolClient takes: all of it must be sent, since it resets what is left out to its default. */
export const CARRIED_FIELDS = [
  ...(['UserPoolId', 'ClientId', 'ClientName'] as const),
  ...(['RefreshTokenValidity', 'AccessTokenValidity', 'IdTokenValidity', 'TokenValidityUnits'] as const),
  ...(['ReadAttributes', 'WriteAttributes', 'ExplicitAuthFlows', 'SupportedIdentityProviders'] as const),
  ...(['CallbackURLs', 'LogoutURLs', 'DefaultRedirectURI'] as const),
  ...(['AllowedOAuthFlows', 'AllowedOAuthScopes', 'AllowedOAuthFlowsUserPoolClient'] as const),
  ...(['AnalyticsConfiguration', 'PreventUserExistenceErrors', 'EnableTokenRevocation'] as const),
  ...(['EnablePropagateAdditionalUserContextData', 'AuthSessionValidity', 'RefreshTokenRotation'] as const),
] satisfies readonly (keyof UpdateUserPoolClientCommandInput & keyof UserPoolClientType)[]

/** What DescribeUserPoolClient tells and nobody can change by an update. */
const DESCRIBE_ONLY: ReadonlySet<string> = new Set([
  'ClientSecret',
  'ClientType',
  'CreationDate',
  'LastModifiedDate',
])

/** The settings of an app client as UpdateUserPoolClient takes them: those that have a value. */
export type CarriedSettings = Partial<Pick<UserPoolClientType, (typeof CARRIED_FIELDS)[number]>>

/** One setting of an app client that differs, by Cognito's name for it; `A.B` for field B of structure A. */
export interface AppClientChange {
  readonly field: string
  /** Undefined where it is not set. */
  readonly from: unknown
  /** Undefined where it is not set. */
  readonly to: unknown
}

/** An app client as Cognito has told it, without its secret. */
export interface DescribedAppClient {
  readonly settings: CarriedSettings
  /**
   * Fields of the answer that could not be sent back as they are: newer than this library or than the AWS SDK.
   * Undefined where the answer itself was not seen, as on an SDK client that does not run its middleware.
   */
  readonly unknownFields: readonly string[] | undefined
}

/**
 * Reads Cognito's answer.
 *
 * @param told what the AWS SDK made of it
 * @param body the answer itself
 * @throws CognitoError if it is of another app client, or none
 */
export function readAppClient(
  operation: string,
  asked: { readonly userPoolId: string; readonly clientId: string },
  told: UserPoolClientType | undefined,
  body: unknown,
): DescribedAppClient {
  if (told?.ClientId !== asked.clientId || told.UserPoolId !== asked.userPoolId) {
    throw new CognitoError(`${operation}: Cognito's answer is not of the app client that was asked for`)
  }
  const settings: CarriedSettings = Object.fromEntries(
    CARRIED_FIELDS.flatMap((name) => (told[name] === undefined ? [] : [[name, told[name]]])),
  )
  const raw = isRecord(body) ? body.UserPoolClient : undefined
  if (!isRecord(raw)) return { settings, unknownFields: undefined }
  const names = Object.keys(raw).filter((name) => !DESCRIBE_ONLY.has(name))
  const known = names.filter((name) => CARRIED_FIELDS.some((carried) => carried === name))
  const lost = differences(Object.fromEntries(known.map((name) => [name, raw[name]])), settings)
  const unknownFields = [...names.filter((name) => !known.includes(name)), ...lost.map(({ field }) => field)]
  return { settings, unknownFields }
}

/**
 * What differs between two sets of settings, field by field. The order of a list is no difference: Cognito's
 * lists are sets. Null is as good as absent.
 */
export function differences(from: object, to: object, prefix = ''): AppClientChange[] {
  const [before, after] = [new Map(Object.entries(from)), new Map(Object.entries(to))]
  return [...new Set([...before.keys(), ...after.keys()])].flatMap((name) => {
    const [one, other] = [before.get(name) ?? undefined, after.get(name) ?? undefined]
    const field = prefix + name
    if (isRecord(one) && isRecord(other)) return differences(one, other, `${field}.`)
    return canonical(one) === canonical(other) ? [] : [{ field, from: one, to: other }]
  })
}

function canonical(value: unknown): string | undefined {
  return JSON.stringify(Array.isArray(value) ? value.map((item) => JSON.stringify(item)).sort() : value)
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
