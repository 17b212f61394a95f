import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build, type Format } from 'esbuild'
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { type CollectionTag, parse, type ScalarTag } from 'yaml'
import { CognitoTokenClient } from '../../src/client/index.js'
import { createTable } from '../../src/stores/dynamodb/index.js'
import { FakeCognito } from '../../src/testing/index.js'
import { Dynalite, localClient } from '../support/dynalite.js'
import { DynamoDBProxy, dynamodbError } from '../support/dynamodb-proxy.js'

const folder = fileURLToPath(new URL('../../examples/lambda-authorizer/', import.meta.url))

interface BuildProperties {
  readonly EntryPoints: readonly string[]
  readonly Format: Format
  readonly OutExtension: readonly string[]
  readonly Target: string
  readonly MainFields: string
  readonly Minify: boolean
  readonly Sourcemap: boolean
}

interface Statement {
  readonly Effect: string
  readonly Action: readonly string[]
  readonly Resource: unknown
  readonly Condition?: unknown
}

interface SamFunction {
  readonly Type: string
  readonly Metadata: { readonly BuildMethod: string; readonly BuildProperties: BuildProperties }
  readonly Properties: {
    readonly Handler: string
    readonly Timeout?: number
    readonly Policies?: readonly { readonly Statement: readonly Statement[] }[]
    readonly Events?: Readonly<Record<string, { Type: string; Properties: Record<string, unknown> }>>
  }
}

/** CloudFormation's short forms, as their long ones. */
const intrinsics = ['Ref', 'Sub', 'GetAtt'].flatMap((name): (ScalarTag | CollectionTag)[] => [
  { tag: `!${name}`, resolve: (text: string) => ({ [name === 'Ref' ? name : `Fn::${name}`]: text }) },
])
const template = parse(readFileSync(join(folder, 'template.yaml'), 'utf8'), { customTags: intrinsics })
const functionNamed = (name: string): SamFunction => template.Resources[name]
const NAMES = ['AuthorizerFunction', 'LogoutFunction', 'MeFunction'] as const
type Name = (typeof NAMES)[number]

// biome-ignore lint/suspicious/noExplicitAny: Lambda calls it with whatever JSON the service sends.
type Handler = (event: any) => Promise<any>

/** Which modules are in the file of each function. */
const modulesOf = new Map<string, string[]>()

/** Builds the functions as `sam build` does, by their Metadata, all at once, since they are built alike. */
async function buildFunctions(outdir: string): Promise<void> {
  const properties = NAMES.map((name) => functionNamed(name).Metadata.BuildProperties)
  const [{ EntryPoints: _, ...shared }] = properties as [BuildProperties]
  const { metafile } = await build({
    entryPoints: properties.flatMap(({ EntryPoints }) => EntryPoints.map((entry) => join(folder, entry))),
    bundle: true,
    platform: 'node',
    format: shared.Format,
    outExtension: Object.fromEntries(shared.OutExtension.map((extension) => extension.split('='))),
    target: shared.Target,
    mainFields: shared.MainFields.split(','),
    minify: shared.Minify,
    sourcemap: shared.Sourcemap,
    outdir,
    logLevel: 'error',
    metafile: true,
  })
  for (const [file, { inputs }] of Object.entries(metafile.outputs))
    modulesOf.set(basename(file), Object.keys(inputs))
}

/** Loads what was built. */
async function load(name: Name, from: string): Promise<Handler> {
  const [file = '', exported = ''] = functionNamed(name).Properties.Handler.split('.')
  const built = await import(/* @vite-ignore */ pathToFileURL(join(from, `${file}.mjs`)).href)
  return built[exported]
}

let dynalite: Dynalite
let proxy: DynamoDBProxy
let cognito: FakeCognito
let client: CognitoTokenClient
let handlers: Record<Name, Handler>
const output = mkdtempSync(join(tmpdir(), 'lambda-authorizer-'))

beforeAll(async () => {
  dynalite = await Dynalite.start()
  proxy = await DynamoDBProxy.start(dynalite.port)
  cognito = await FakeCognito.start()
  const { clientId } = cognito.createClient()
  cognito.createUser({ username: 'jane', password: 'correct horse' })
  const { userPoolId, issuer, url: endpoint } = cognito
  client = new CognitoTokenClient({ userPoolId, issuer, endpoint, clientId, store: false })
  const sdk = localClient(dynalite.endpoint)
  await createTable({ client: sdk, tableName: 'revocations', ttl: false })
  sdk.destroy()
  // As Lambda gives them, and the SDK's own way to another endpoint.
  const environment = {
    ...{ USER_POOL_ID: cognito.userPoolId, CLIENT_ID: clientId, TABLE_NAME: 'revocations' },
    ...{ ISSUER: cognito.issuer, AWS_REGION: 'us-east-1' },
    ...{ AWS_ACCESS_KEY_ID: 'local', AWS_SECRET_ACCESS_KEY: 'local' },
    AWS_ENDPOINT_URL_DYNAMODB: proxy.endpoint,
    AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER: cognito.url,
  }
  for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value)
  await buildFunctions(output)
  const [AuthorizerFunction, LogoutFunction, MeFunction] = await Promise.all(
    NAMES.map((name) => load(name, output)),
  )
  handlers = { AuthorizerFunction, LogoutFunction, MeFunction } as Record<Name, Handler>
}, 60_000)

afterAll(async () => {
  vi.unstubAllEnvs()
  rmSync(output, { recursive: true, force: true })
  await cognito?.close()
  await proxy?.close()
  await dynalite?.stop()
})

const signIn = async () => {
  const result = await client.signIn({ username: 'jane', password: 'correct horse' })
  if (result.status !== 'authenticated') throw new Error(`unexpected ${result.status}`)
  const { accessToken, idToken, refreshToken = '' } = result
  return { accessToken, idToken: idToken ?? '', refreshToken }
}

beforeEach(() => {
  proxy.operations.length = 0
  proxy.intercept = () => undefined
})

const api = 'arn:aws:execute-api:us-east-1:123456789012:abcdef123'

/** What API Gateway answers where the authorizer throws, as AWS documents it for REST APIs, before GatewayResponses. */
function refusal(error: unknown): number {
  return error instanceof Error && error.message === 'Unauthorized' ? 401 : 500
}

/** GET /me through the REST API: what API Gateway does with a TOKEN authorizer and a proxy integration. */
async function callRest(token: string): Promise<{ statusCode: number; body?: string }> {
  const event = { type: 'TOKEN', authorizationToken: `Bearer ${token}`, methodArn: `${api}/prod/GET/me` }
  try {
    const { principalId, policyDocument, context } = await handlers.AuthorizerFunction(event)
    const [statement] = policyDocument.Statement
    if (statement.Effect !== 'Allow') return { statusCode: 403 }
    const texts = Object.entries(context).map(([key, value]) => [key, String(value)])
    const authorizer = { ...Object.fromEntries(texts), principalId, integrationLatency: 7 }
    return handlers.MeFunction({
      httpMethod: 'GET',
      path: '/me',
      headers: {},
      requestContext: { authorizer },
    })
  } catch (error) {
    return { statusCode: refusal(error) }
  }
}

/** GET /me through the HTTP API, with payload format 2.0 and simple answers. */
async function callHttp(token: string): Promise<{ statusCode: number; body?: string }> {
  const authorization = `Bearer ${token}`
  const http = { method: 'GET', path: '/me', protocol: 'HTTP/1.1', sourceIp: '192.0.2.1', userAgent: 'test' }
  const requestContext = { apiId: 'abcdef123', stage: '$default', routeKey: 'GET /me', http }
  const request = {
    ...{ version: '2.0', routeKey: 'GET /me', rawPath: '/me', rawQueryString: '' },
    headers: { authorization },
    requestContext,
  }
  const event = {
    ...{ ...request, type: 'REQUEST', routeArn: `${api}/$default/GET/me` },
    identitySource: [authorization],
  }
  try {
    const { isAuthorized, context } = await handlers.AuthorizerFunction(event)
    if (!isAuthorized) return { statusCode: 403 }
    const authorizer = { lambda: context }
    return handlers.MeFunction({ ...request, requestContext: { ...requestContext, authorizer } })
  } catch (error) {
    return { statusCode: refusal(error) }
  }
}

const logOut = (refreshToken: unknown) =>
  handlers.LogoutFunction({ version: '2.0', body: JSON.stringify({ refreshToken }) })

describe.each([
  ['REST API', callRest],
  ['HTTP API', callHttp],
] as const)('The Lambda authorizer of the example, for a %s', (_, request) => {
  it('lets a good token in, and tells the function whose it is', async () => {
    const { accessToken } = await signIn()
    const answer = await request(accessToken)
    const sub = JSON.parse(Buffer.from(accessToken.split('.')[1] ?? '', 'base64url').toString()).sub
    expect(answer).toMatchObject({ statusCode: 200 })
    expect(JSON.parse(answer.body ?? '')).toMatchObject({ sub })
  })

  it('refuses the token once its refresh token was revoked, and no other session', async () => {
    const [ended, other] = [await signIn(), await signIn()]
    expect((await request(ended.accessToken)).statusCode).toBe(200)
    expect(await logOut(ended.refreshToken)).toEqual({ statusCode: 204 })
    expect((await request(ended.accessToken)).statusCode).toBe(401)
    expect((await request(other.accessToken)).statusCode).toBe(200)
  })

  it('refuses an ID token, and what is no token', async () => {
    const { idToken } = await signIn()
    expect((await request(idToken)).statusCode).toBe(401)
    expect((await request('garbage')).statusCode).toBe(401)
  })

  it('lets nobody in while the table cannot be read, and says so otherwise than 401', async () => {
    const { accessToken } = await signIn()
    proxy.intercept = () => dynamodbError('AccessDeniedException')
    expect((await request(accessToken)).statusCode).toBe(500)
  })
})

describe('The logout function of the example', () => {
  it.each([undefined, 5, ''])('refuses a body without a refresh token: %j', async (refreshToken) => {
    expect(await logOut(refreshToken)).toEqual({ statusCode: 400 })
    expect(await handlers.LogoutFunction({ body: '{"refreshToken":' })).toEqual({ statusCode: 400 })
    expect(await handlers.LogoutFunction({ body: null })).toEqual({ statusCode: 400 })
  })

  it('reads a body that the API has encoded', async () => {
    const { accessToken, refreshToken } = await signIn()
    const body = Buffer.from(JSON.stringify({ refreshToken })).toString('base64')
    expect(await handlers.LogoutFunction({ body, isBase64Encoded: true })).toEqual({ statusCode: 204 })
    expect((await callHttp(accessToken)).statusCode).toBe(401)
  })

  it('says 503 where the session is not wholly ended, shuts it all the same, and ends it at the next try', async () => {
    const logged = vi.spyOn(console, 'error').mockImplementation(() => {})
    const { accessToken, refreshToken } = await signIn()
    cognito.failNext('RevokeToken', 'UserNotFoundException')
    expect(await logOut(refreshToken)).toEqual({ statusCode: 503 })
    expect((await callRest(accessToken)).statusCode).toBe(401)
    expect(await logOut(refreshToken)).toEqual({ statusCode: 204 })
    expect(logged.mock.calls.flat().join()).not.toContain(refreshToken)
    logged.mockRestore()
  })
})

describe('The wait for ready() in the init phase', () => {
  it.each([
    'examples/lambda-authorizer/authorizer.ts',
    'docs/lambda.md',
    'src/middleware/lambda/authorizer.ts',
  ])('is nowhere longer than Lambda waits: %s', (path) => {
    const text = readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')
    expect(text).toContain('await Promise.race([verifier.ready(), setTimeout(2_500)])')
    expect(text).not.toContain('await verifier.ready()')
  })
})

describe('The packages of the example', () => {
  const { dependencies, devDependencies } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))

  it('have esbuild among those that sam build installs: it leaves devDependencies out', () => {
    expect(dependencies).toHaveProperty('esbuild')
  })

  it('are all that its files import', () => {
    const files = readdirSync(folder).filter((file) => file.endsWith('.ts'))
    const imports = files.flatMap((file) => [
      ...readFileSync(join(folder, file), 'utf8').matchAll(
        /^import (type )?.* from '(?!node:)([^.'][^']*)'/gm,
      ),
    ])
    expect(imports.length).toBeGreaterThan(5)
    for (const [, type, path = ''] of imports) {
      const [name = ''] = /^(@[^/]+\/)?[^/]+/.exec(path) ?? []
      expect(type ? devDependencies : dependencies).toHaveProperty([type ? `@types/${name}` : name])
    }
  })
})

describe('The template of the example', () => {
  it('builds every function from a file of its own, and names its handler', () => {
    for (const name of NAMES) {
      const { Type, Metadata, Properties } = functionNamed(name)
      expect(Type).toBe('AWS::Serverless::Function')
      expect(Metadata.BuildMethod).toBe('esbuild')
      const [file, exported] = Properties.Handler.split('.')
      expect(Metadata.BuildProperties.EntryPoints).toEqual([`${file}.ts`])
      expect(exported).toBe('handler')
      expect(handlers[name]).toBeTypeOf('function')
    }
  })

  it('builds all of them alike', () => {
    const [first, ...others] = NAMES.map((name) => {
      const { EntryPoints: _, ...shared } = functionNamed(name).Metadata.BuildProperties
      return shared
    })
    for (const other of others) expect(other).toEqual(first)
  })

  it("loads the SDK for Cognito in the logout alone, and DynamoDB's not where nothing is looked up", () => {
    const loads = (file: string, sdk: string) =>
      (modulesOf.get(file) ?? []).some((path) => path.includes(`@aws-sdk/client-${sdk}/`))
    const found = ['authorizer.mjs', 'logout.mjs', 'me.mjs'].map((file) =>
      ['cognito-identity-provider', 'dynamodb'].filter((sdk) => loads(file, sdk)),
    )
    expect(found).toEqual([['dynamodb'], ['cognito-identity-provider', 'dynamodb'], []])
  })

  it('has no other functions than are tested', () => {
    const functions = Object.keys(template.Resources).filter((name) =>
      /Function$/.test(functionNamed(name).Type),
    )
    expect(functions).toEqual(NAMES)
  })

  it('has API Gateway keep no answer of the authorizer', () => {
    for (const name of ['RestApi', 'HttpApi']) {
      const { Auth } = template.Resources[name].Properties
      expect(Auth.Authorizers[Auth.DefaultAuthorizer]).toMatchObject({
        FunctionArn: { 'Fn::GetAtt': 'AuthorizerFunction.Arn' },
        Identity: { ReauthorizeEvery: 0 },
      })
    }
    const [rest, http] = ['RestApi', 'HttpApi'].map(
      (name) => template.Resources[name].Properties.Auth.Authorizers.Revocation,
    )
    expect(rest).toMatchObject({ FunctionPayloadType: 'TOKEN', Identity: { Header: 'Authorization' } })
    expect(http).toMatchObject({ AuthorizerPayloadFormatVersion: '2.0', EnableSimpleResponses: true })
  })

  it('has every route behind the authorizer, but for the logout', () => {
    for (const name of NAMES) {
      const events = Object.values(functionNamed(name).Properties.Events ?? {})
      const auths = events.map(({ Properties }) => Properties.Auth)
      expect(auths).toEqual(
        events.map(() => (name === 'LogoutFunction' ? { Authorizer: 'NONE' } : undefined)),
      )
    }
  })

  it('has clients told to come again where it cannot be known now', () => {
    const { GatewayResponses } = template.Resources.RestApi.Properties
    for (const kind of ['AUTHORIZER_FAILURE', 'AUTHORIZER_CONFIGURATION_ERROR'])
      expect(GatewayResponses[kind]).toMatchObject({
        StatusCode: '503',
        ResponseParameters: { Headers: { 'Retry-After': "'1'" } },
      })
  })

  it('makes the table that docs/dynamodb.md tells of', () => {
    const page = readFileSync(new URL('../../docs/dynamodb.md', import.meta.url), 'utf8')
    const [, yaml = ''] = /```yaml\n([\s\S]*?)```/.exec(page) ?? []
    const documented = parse(yaml).Resources.RevocationTable
    const { TableName: _, DeletionProtectionEnabled: __, ...Properties } = documented.Properties
    expect(template.Resources.RevocationTable).toEqual({ ...documented, Properties })
  })

  const statementsOf = (name: Name) =>
    functionNamed(name).Properties.Policies?.flatMap(({ Statement }) => Statement) ?? []
  const operationsOf = (name: Name) =>
    statementsOf(name)
      .flatMap(({ Action }) => Action)
      .map((action) => action.replace('dynamodb:', ''))
      .sort()

  it('gives each function the rights for what it calls, and no other', async () => {
    const { accessToken, refreshToken } = await signIn()
    await callRest(accessToken)
    expect([...new Set(proxy.operations.splice(0))].sort()).toEqual(operationsOf('AuthorizerFunction'))
    await logOut(refreshToken)
    expect([...new Set(proxy.operations.splice(0))].sort()).toEqual(operationsOf('LogoutFunction'))
    expect(operationsOf('MeFunction')).toEqual([])
  })

  it('lets the logout put announcements alone, and all of them on its own table', async () => {
    const put: string[] = []
    proxy.intercept = ({ operation, body }) => {
      if (operation === 'PutItem') put.push(body.Item.pk.S)
      return undefined
    }
    await logOut((await signIn()).refreshToken)
    expect(put).toEqual([expect.stringMatching(/^feed:/)])
    const statements = statementsOf('LogoutFunction')
    for (const { Effect, Resource } of [...statements, ...statementsOf('AuthorizerFunction')]) {
      expect(Effect).toBe('Allow')
      expect(Resource).toEqual({ 'Fn::GetAtt': 'RevocationTable.Arn' })
    }
    const announcing = statements.filter(({ Action }) => Action.includes('dynamodb:PutItem'))
    expect(announcing.map(({ Action, Condition }) => ({ Action, Condition }))).toEqual([
      {
        Action: ['dynamodb:PutItem'],
        Condition: { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': ['feed:*'] } },
      },
    ])
  })
})
