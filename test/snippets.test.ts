import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { describe, expect, it } from 'vitest'

const root = fileURLToPath(new URL('..', import.meta.url))
const documents = ['README.md', ...readdirSync(join(root, 'docs')).map((name) => `docs/${name}`)]

/** What snippets may use without saying where it comes from. */
const PRELUDE = `
import type * as core from 'cognito-revocation'
import type * as cognito from 'cognito-revocation/client'
import type { Redis } from 'ioredis'
declare global {
  const userPoolId: string, poolId: string, clientId: string, clientSecret: string, token: string
  const username: string, password: string, accessToken: string, refreshToken: string, redirectUri: string
  const pool: { userPoolId: string; clientId: string }
  const store: core.MemoryRevocationStore
  const verifier: core.TokenVerifier<'access'>
  const revoker: core.Revoker
  const TokenVerifier: typeof core.TokenVerifier
  const client: cognito.CognitoTokenClient
  const CognitoTokenClient: typeof cognito.CognitoTokenClient
  const options: cognito.CognitoTokenClientOptions
  type SignInChallenge = cognito.SignInChallenge
  const credentials: { accessKeyId: string; secretAccessKey: string }
  let result: cognito.SignInResult
  const challenge: cognito.SelectChallenge
  const code: string
  const form: { chosen: string; password: string }
  const device: cognito.Device
  const kept: { refreshToken: string }
  const users: AsyncIterable<{ username: string; sub?: string }>
  const user: { username: string; sub: string }
  const older: string
  const signal: AbortSignal
  function askFor(what: string): Promise<string>
  function keep(tokens: object): Promise<void>
  function respond(accessToken: string): void
  function log(event: object): void
  const request: { url: string; session: { checks?: cognito.AuthorizationChecks } }
  const response: { redirect(url: string): void }
  const session: { challenge: string }
  const socket: { on(event: 'close', act: () => void): void; close(code: number, reason: string): void }
  const redisA: Redis, redisB: Redis, redisC: Redis
}
`

/** The blocks of TypeScript of a document, by where they begin, but for those after \`<!-- not compiled: … -->\`. */
function snippetsOf(document: string, markdown: string): [string, string][] {
  const blocks = markdown.matchAll(/(<!-- not compiled: .+ -->\n\n?)?^```ts\n([\s\S]*?)^```$/gm)
  return [...blocks]
    .filter(([, mark]) => mark === undefined)
    .map(({ index, 2: text = '' }) => [`${document}:${markdown.slice(0, index).split('\n').length}`, text])
}

/** What TypeScript has against each, in one program with the settings of this project. */
function complaintsAbout(snippets: readonly [string, string][]): string[] {
  const folder = join(root, 'snippets')
  const files = new Map(snippets.map(([name, text], index) => [join(folder, `${index}.ts`), { name, text }]))
  const prelude = join(folder, 'prelude.ts')
  files.set(prelude, { name: 'prelude', text: PRELUDE })
  const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile)
  const { options } = ts.convertCompilerOptionsFromJson(config.compilerOptions, root)
  const host = ts.createCompilerHost(options)
  const { fileExists, readFile, getSourceFile } = host
  host.fileExists = (path) => files.has(path) || fileExists(path)
  host.readFile = (path) => files.get(path)?.text ?? readFile(path)
  host.getSourceFile = (path, version, ...more) => {
    const file = files.get(path)
    return file ? ts.createSourceFile(path, file.text, version, true) : getSourceFile(path, version, ...more)
  }
  const program = ts.createProgram([...files.keys()], options, host)
  return [...files].flatMap(([path, { name }]) => {
    const source = program.getSourceFile(path)
    const found = [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)]
    return found.map(({ messageText }) => `${name}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`)
  })
}

describe('The TypeScript in README.md and docs/', () => {
  const read = (document: string) => readFileSync(join(root, document), 'utf8')

  it('compiles as it stands', () => {
    const snippets = documents.flatMap((document) => snippetsOf(document, read(document)))
    expect(snippets.length).toBeGreaterThan(25)
    const bad = '```ts\nnew CognitoTokenClient({ userPoolId })\n```'
    const complaints = complaintsAbout([...snippets, ...snippetsOf('bad', bad)])
    expect(complaints.filter((each) => !each.startsWith('bad:'))).toEqual([])
    expect(complaints).toContainEqual(expect.stringMatching(/^bad:1: .*clientId, store/))
  }, 60_000)

  it('leaves out only what is marked, and what it is marked for', () => {
    const marked = '<!-- not compiled: a part of a method -->\n```ts\nyield 5\n```\n'
    expect(snippetsOf('x.md', `${marked}\n\`\`\`ts\nlog({})\n\`\`\`\n`)).toEqual([['x.md:6', 'log({})\n']])
  })
})
