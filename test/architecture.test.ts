import { readdirSync, readFileSync } from 'node:fs'
import { join, posix, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { describe, expect, it } from 'vitest'

/** How a file gets at another: `import` or `export … from`, the same for types only, or `import()`. */
type ImportKind = 'static' | 'type' | 'dynamic'
interface Import {
  specifier: string
  kind: ImportKind
}
/** Path below src/ → what it imports. */
type Graph = ReadonlyMap<string, readonly Import[]>

/**
 * The floors of the house from the bottom up. At the root of src/, explanation.ts and verifier*.ts make up the
 * floor `verifier`, and `helpers` are the small ones that everything stands on.
 */
const mayImport: Record<string, readonly string[]> = {
  helpers: [],
  tokens: ['helpers'],
  revocation: ['helpers', 'tokens'],
  stores: ['helpers', 'tokens', 'revocation'],
  verifier: ['helpers', 'tokens', 'revocation', 'stores'],
  client: ['helpers', 'tokens', 'revocation', 'stores', 'verifier'],
  middleware: ['helpers', 'tokens', 'revocation', 'stores', 'verifier'],
  server: ['helpers', 'tokens', 'revocation', 'stores', 'verifier'],
  events: ['helpers', 'tokens', 'revocation', 'stores', 'verifier'],
  index: ['helpers', 'tokens', 'revocation', 'verifier'],
  testing: ['helpers', 'tokens', 'revocation'],
  cli: [
    'helpers',
    'tokens',
    'revocation',
    'stores',
    'verifier',
    'client',
    'middleware',
    'server',
    'events',
    'index',
  ],
}

const maxLines = 250
const longFiles: readonly string[] = []

function roomOf(file: string): string {
  const [first = '', ...rest] = file.split('/')
  if (rest.length > 0) return first
  if (first === 'index.ts') return 'index'
  return /^(explanation|verifier)/.test(first) ? 'verifier' : 'helpers'
}

function targetOf(file: string, specifier: string): string | undefined {
  if (!specifier.startsWith('.')) return undefined
  return posix.join(posix.dirname(file), specifier).replace(/\.js$/, '.ts')
}

function importsOf(text: string): Import[] {
  const imports: Import[] = []
  const add = (node: ts.Node | undefined, kind: ImportKind): void => {
    if (node && ts.isStringLiteralLike(node)) imports.push({ specifier: node.text, kind })
  }
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) {
      const typeOnly = node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword
      add(node.moduleSpecifier, typeOnly ? 'type' : 'static')
    } else if (ts.isExportDeclaration(node)) {
      add(node.moduleSpecifier, node.isTypeOnly ? 'type' : 'static')
    } else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) {
      add(node.argument.literal, 'type')
    } else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      add(node.arguments[0], 'dynamic')
    }
    ts.forEachChild(node, visit)
  }
  visit(ts.createSourceFile('file.ts', text, ts.ScriptTarget.Latest))
  return imports
}

function upwardImports(graph: Graph): string[] {
  const found: string[] = []
  for (const [file, imports] of graph) {
    const room = roomOf(file)
    const allowed = mayImport[room]
    if (!allowed) found.push(`${file} is in no room of the house`)
    for (const { specifier } of imports) {
      const target = targetOf(file, specifier)
      if (target === undefined) continue
      if (!graph.has(target)) found.push(`${file} imports ${specifier}, which is not in src/`)
      else if (roomOf(target) !== room && !allowed?.includes(roomOf(target))) {
        found.push(`${file} imports ${target}`)
      }
    }
  }
  return found
}

function circles(graph: Graph): string[] {
  const found: string[] = []
  const done = new Set<string>()
  const visit = (file: string, path: readonly string[]): void => {
    const start = path.indexOf(file)
    if (start >= 0) found.push([...path.slice(start), file].join(' → '))
    if (start >= 0 || done.has(file)) return
    for (const { specifier } of graph.get(file) ?? []) {
      const target = targetOf(file, specifier)
      if (target !== undefined) visit(target, [...path, file])
    }
    done.add(file)
  }
  for (const file of graph.keys()) visit(file, [])
  return found
}

/** Each room has the SDK's client of its own service. */
function mayUseSdk(file: string, specifier: string): boolean {
  if (file.startsWith('stores/dynamodb/')) return specifier === '@aws-sdk/client-dynamodb'
  return roomOf(file) === 'client' && specifier !== '@aws-sdk/client-dynamodb'
}

/** A framework is an optional peer of its own adapter, and of nobody else. */
const frameworks: Record<string, string> = {
  '@middy/core': 'middy',
  '@nestjs/common': 'nestjs',
  '@nestjs/core': 'nestjs',
  'aws-lambda': 'of no adapter: its users need not have its types',
  express: 'express',
  fastify: 'fastify',
  hono: 'hono',
  koa: 'koa',
  'socket.io': 'of no adapter: the socket is handed in',
  ws: 'of no adapter: the socket is handed in',
}

function isOwnFramework(file: string, specifier: string): boolean {
  const known = Object.keys(frameworks).find((name) => `${specifier}/`.startsWith(`${name}/`))
  const adapter = /^middleware\/([^/]+)\//.exec(file)?.[1]
  return known === undefined || frameworks[known] === adapter
}

function misplacedPackages(graph: Graph): string[] {
  const found: string[] = []
  for (const [file, imports] of graph) {
    for (const { specifier, kind } of imports) {
      const wrong =
        // What speaks to the service parses its stream; the service itself, and all else, does without.
        (specifier === 'eventsource-parser' && file !== 'stores/http/event-stream.ts') ||
        (/^@(aws-sdk|smithy)\//.test(specifier) && !mayUseSdk(file, specifier)) ||
        !isOwnFramework(file, specifier) ||
        // The client is handed in: no version of it is this library's own.
        ['ioredis', 'redis', 'iovalkey'].includes(specifier) ||
        // Loaded when it is needed, and only where Node has none of its own.
        ['@photostructure/sqlite', 'node:sqlite'].includes(specifier) ||
        // Loaded when a hosted endpoint is first used: most clients use none.
        (specifier === 'oauth4webapi' && (file !== 'client/oauth-protocol.ts' || kind !== 'dynamic')) ||
        // An optional peer: loaded when SRP is used, and not before.
        (specifier === 'cognito-srp-helper' && (file !== 'client/srp.ts' || kind !== 'dynamic')) ||
        (specifier === 'jose' && kind === 'static' && roomOf(file) !== 'testing')
      if (wrong) found.push(`${file} imports ${specifier} (${kind})`)
    }
  }
  return found
}

const source = fileURLToPath(new URL('../src', import.meta.url))
const texts = new Map(
  readdirSync(source, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => join(entry.parentPath, entry.name))
    .map((path) => [relative(source, path).split(sep).join('/'), readFileSync(path, 'utf8')]),
)
const house: Graph = new Map([...texts].map(([file, text]) => [file, importsOf(text)]))

describe('the house', () => {
  it('has its ground floor', () => {
    expect([...house.keys()]).toEqual(expect.arrayContaining(['errors.ts', 'index.ts', 'verifier.ts']))
  })

  it('imports downward only', () => {
    expect(upwardImports(house)).toEqual([])
  })

  it('has no circles', () => {
    expect(circles(house)).toEqual([])
  })

  it('keeps the AWS SDK in client/ and stores/dynamodb/, each framework in its adapter, Redis clients out, and jose, oauth4webapi and SRP lazy', () => {
    expect(misplacedPackages(house)).toEqual([])
  })

  it('keeps its files short', () => {
    const tooLong = [...texts]
      .map(([file, text]) => ({ file, lines: text.split('\n').length - 1 }))
      .filter(({ file, lines }) => lines > maxLines && !longFiles.includes(file))
    expect(tooLong).toEqual([])
  })
})

describe('these checks', () => {
  const graph = (files: Record<string, string>): Graph =>
    new Map(Object.entries(files).map(([file, text]) => [file, importsOf(text)]))

  it.each([
    ['an upward import', 'tokens/claims.ts', "import type { A } from '../verifier.js'"],
    ['an upward re-export', 'revocation/store.ts', "export * from '../verifier.js'"],
    ['an upward dynamic import', 'errors.ts', "const a = import('./verifier.js')"],
    ['an upward import in a type', 'errors.ts', "type A = import('./verifier.js').A"],
    ['an import between siblings', 'client/client.ts', "import { a } from '../middleware/bearer.js'"],
    [
      'a room that uses testing/',
      'middleware/express/index.ts',
      "import { a } from '../../testing/minter.js'",
    ],
    ['a face that shows client/', 'index.ts', "export { a } from './client/index.js'"],
    ['testing/ that uses the verifier', 'testing/index.ts', "import { a } from '../verifier.js'"],
    ['an unknown room', 'attic/box.ts', ''],
    ['a file that is not there', 'tokens/claims.ts', "import { a } from './nowhere.js'"],
  ])('notice %s', (_what, file, text) => {
    const others = { 'verifier.ts': '', 'middleware/bearer.ts': '', 'client/index.ts': '' }
    expect(upwardImports(graph({ ...others, 'testing/minter.ts': '', [file]: text }))).toHaveLength(1)
  })

  it('notice a circle, also one of types', () => {
    const circle = graph({
      'tokens/a.ts': "import { b } from './b.js'",
      'tokens/b.ts': "export { c } from './c.js'",
      'tokens/c.ts': "import type { A } from './a.js'",
    })
    expect(circles(circle)).toEqual(['tokens/a.ts → tokens/b.ts → tokens/c.ts → tokens/a.ts'])
    expect(upwardImports(circle)).toEqual([])
  })

  it('notice packages out of place, and only those', () => {
    const packages = graph({
      'client/client.ts': "import { A } from '@aws-sdk/client-cognito-identity-provider'",
      'verifier.ts': "import type { A } from '@aws-sdk/client-cognito-identity-provider'",
      'middleware/express/index.ts': "import type { Request } from 'express'",
      'middleware/hono/index.ts': "import type { Context } from 'hono/types'\nimport Koa from 'koa'",
      'middleware/bearer.ts': "import type { Request } from 'express'",
      'tokens/jwks.ts': "import type { JWK } from 'jose'\nconst jose = await import('jose')",
      'tokens/signature.ts': "import { importJWK } from 'jose'",
      'testing/minter.ts': "import { SignJWT } from 'jose'",
      'stores/redis/store.ts': "import type { Redis } from 'ioredis'",
      'stores/file/store.ts': "import { DatabaseSync } from 'node:sqlite'",
      'stores/http/event-stream.ts': "import { createParser } from 'eventsource-parser'",
      'server/listener.ts': "import { createParser } from 'eventsource-parser'",
      'stores/dynamodb/store.ts': "import { A } from '@aws-sdk/client-dynamodb'",
      'stores/dynamodb/other.ts': "import { A } from '@aws-sdk/lib-dynamodb'",
      'client/other.ts': "import { A } from '@aws-sdk/client-dynamodb'",
      'client/oauth-protocol.ts': "const a = () => import('oauth4webapi')\nimport { a } from 'oauth4webapi'",
      'client/oauth-errors.ts': "const a = () => import('oauth4webapi')",
      'stores/http/store.ts': "import type { A } from '@aws-sdk/client-dynamodb'",
      'client/srp.ts':
        "const srp = await import('cognito-srp-helper')\nimport { a } from 'cognito-srp-helper'",
      'client/sign-in.ts': "const srp = await import('cognito-srp-helper')",
    })
    expect(misplacedPackages(packages)).toEqual([
      'verifier.ts imports @aws-sdk/client-cognito-identity-provider (type)',
      'middleware/hono/index.ts imports koa (static)',
      'middleware/bearer.ts imports express (type)',
      'tokens/signature.ts imports jose (static)',
      'stores/redis/store.ts imports ioredis (type)',
      'stores/file/store.ts imports node:sqlite (static)',
      'server/listener.ts imports eventsource-parser (static)',
      'stores/dynamodb/other.ts imports @aws-sdk/lib-dynamodb (static)',
      'client/other.ts imports @aws-sdk/client-dynamodb (static)',
      'client/oauth-protocol.ts imports oauth4webapi (static)',
      'client/oauth-errors.ts imports oauth4webapi (dynamic)',
      'stores/http/store.ts imports @aws-sdk/client-dynamodb (type)',
      'client/srp.ts imports cognito-srp-helper (static)',
      'client/sign-in.ts imports cognito-srp-helper (dynamic)',
    ])
  })
})
