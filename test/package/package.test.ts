import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, readdir, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { TokenMinter } from '../../src/testing/token-minter.js'

/**
 * The package as its users get it: the packed tarball, installed in an empty folder, consumed by processes
 * of their own. It tests dist/, so build first (`npm test` does).
 */
const root = fileURLToPath(new URL('../..', import.meta.url))
const fixtures = join(root, 'test/package/fixtures')
const bin = (path: string): string => join(root, 'node_modules', path)

let folder = ''
let tarball = ''
let consumer = ''

interface Finished {
  exitCode: number
  output: string
}

function run(command: string, args: string[], cwd: string, env: NodeJS.ProcessEnv = {}): Promise<Finished> {
  // What the test runner and the npm that started it put in the environment is not the consumer's.
  const { NODE_OPTIONS, NODE_ENV, NODE_V8_COVERAGE, npm_config_local_prefix, ...inherited } = process.env
  return new Promise((resolve) => {
    execFile(command, args, { cwd, env: { ...inherited, ...env } }, (error, stdout, stderr) => {
      resolve({ exitCode: error ? Number(error.code ?? 1) : 0, output: stdout + stderr })
    })
  })
}

async function succeed(
  command: string,
  args: string[],
  cwd: string,
  env?: NodeJS.ProcessEnv,
): Promise<string> {
  const { exitCode, output } = await run(command, args, cwd, env)
  if (exitCode !== 0) throw new Error(`${command} ${args.join(' ')} failed (${exitCode}):\n${output}`)
  return output
}

const node = (...args: string[]): Promise<string> => succeed(process.execPath, args, consumer)

beforeAll(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'cognito-revocation-')))
  consumer = join(folder, 'consumer')
  await mkdir(consumer)
  await writeFile(join(consumer, 'package.json'), '{ "name": "consumer", "private": true }\n')
  await succeed('npm', ['pack', '--ignore-scripts', '--pack-destination', folder], root)
  const packed = (await readdir(folder)).find((name) => name.endsWith('.tgz'))
  tarball = join(folder, packed ?? '')
  const quietly = ['--prefer-offline', '--no-audit', '--no-fund', '--ignore-scripts', '--no-package-lock']
  await succeed('npm', ['install', ...quietly, tarball], consumer)
  await cp(fixtures, consumer, { recursive: true })
  await symlink(bin('@types'), join(consumer, 'node_modules/@types'))
  // The optional peers that a subpath loads.
  await symlink(bin('@aws-sdk/client-dynamodb'), join(consumer, 'node_modules/@aws-sdk/client-dynamodb'))
  await symlink(bin('@nestjs'), join(consumer, 'node_modules/@nestjs'))
}, 60_000)

afterAll(() => rm(folder, { recursive: true, force: true }))

describe('the tarball', () => {
  it('holds the build and its papers, and nothing else', async () => {
    const installed = join(consumer, 'node_modules/cognito-revocation')
    const files = await readdir(installed)
    expect(files.sort()).toEqual([
      'CHANGELOG.md',
      'CONTRIBUTING.md',
      'LICENSE',
      'README.md',
      'SECURITY.md',
      'dist',
      'docs',
      'package.json',
    ])
    const dist = await readdir(join(installed, 'dist'))
    expect(dist.filter((name) => !/\.(c?js(\.map)?|d\.c?ts)$/.test(name))).toEqual([
      'jose.LICENSE.md',
      'oauth4webapi.LICENSE.md',
    ])
  })

  it('satisfies publint', async () => {
    expect(await node(bin('publint/src/cli.js'), tarball, '--strict')).toContain('All good!')
  })

  it('satisfies attw', () => node(bin('@arethetypeswrong/cli/dist/index.js'), tarball, '--profile', 'node16'))
})

describe('a consumer', () => {
  it('in ESM verifies, revokes and is refused', () => node('consumer.mjs'))

  it('in CommonJS does the same', () => node('consumer.cjs'))

  it('in Jest does the same, without a transform', async () => {
    const config = JSON.stringify({
      rootDir: consumer,
      testEnvironment: 'node',
      testMatch: ['**/*.jest.cjs'],
      moduleFileExtensions: ['cjs', 'js', 'json'],
      transform: {},
    })
    const args = [bin('jest/bin/jest.js'), '--config', config, '--watchman=false', '--runInBand', '--ci']
    expect(await node(...args)).toMatch(/^Tests: +2 passed, 2 total$/m)
  })

  it('loads every subpath in both module systems', async () => {
    const { exports } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as {
      exports: Record<string, unknown>
    }
    const subpaths = Object.keys(exports).filter((subpath) => subpath !== './package.json')
    expect((await node('every-subpath.mjs')).trim()).toBe(subpaths.join(' '))
  })

  it('guards a NestJS application in CommonJS', () => node('nest-application.cjs'))

  it('that has the ESM and the CommonJS copy in one process can rely on instanceof', () =>
    node('both-copies.mjs'))
})

describe('a TypeScript consumer', () => {
  /** Compiles a fixture as an ES module and as CommonJS; gives `file:line` of each error. */
  async function compile(name: string): Promise<{ errors: string[]; output: string }> {
    const project = join(consumer, `typescript-${name}`)
    await mkdir(project)
    await cp(join(fixtures, 'typescript/tsconfig.json'), join(project, 'tsconfig.json'))
    for (const extension of ['mts', 'cts']) {
      await cp(join(fixtures, `typescript/${name}.ts`), join(project, `${name}.${extension}`))
    }
    const { output } = await run(process.execPath, [bin('typescript/bin/tsc'), '-p', project], project)
    const errors = [...output.matchAll(/^(\S+)\((\d+),\d+\): error/gm)].map(
      ([, file, line]) => `${file}:${line}`,
    )
    return { errors: [...new Set(errors)].sort(), output }
  }

  it('compiles, libraries checked too, as ESM and as CommonJS', { timeout: 40_000 }, async () => {
    const { errors, output } = await compile('consumer')
    expect(output).toBe('')
    expect(errors).toEqual([])
  })

  it('is stopped where it goes wrong, and only there', { timeout: 40_000 }, async () => {
    const text = await readFile(join(fixtures, 'typescript/should-not-compile.ts'), 'utf8')
    const marked = text.split('\n').flatMap((line, index) => (line.includes('// error:') ? [index + 1] : []))
    const expected = ['cts', 'mts'].flatMap((type) =>
      marked.map((line) => `should-not-compile.${type}:${line}`),
    )
    expect((await compile('should-not-compile')).errors).toEqual(expected.sort())
  })
})

describe('importing', () => {
  /** The packages whose code runs in a new process, as V8 itself reports them. */
  async function packagesLoadedBy(code: string, type: 'module' | 'commonjs'): Promise<Set<string>> {
    const coverage = await mkdtemp(join(folder, 'coverage-'))
    const args = [`--input-type=${type}`, '--eval', code]
    await succeed(process.execPath, args, consumer, { NODE_V8_COVERAGE: coverage })
    const packages = new Set<string>()
    for (const file of await readdir(coverage)) {
      const report = JSON.parse(await readFile(join(coverage, file), 'utf8')) as { result: { url: string }[] }
      for (const { url } of report.result) {
        const name = /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(url)?.[1]
        if (name !== undefined) packages.add(name)
        if (name !== 'cognito-revocation') continue
        // Chunks of the CommonJS build that these were bundled into.
        for (const bundled of ['jose', 'oauth4webapi']) {
          if ((await sourcesOf(url)).some((source) => source.includes(`/${bundled}/`))) packages.add(bundled)
        }
      }
    }
    return packages
  }

  async function sourcesOf(url: string): Promise<string[]> {
    const map = JSON.parse(await readFile(`${fileURLToPath(url)}.map`, 'utf8')) as { sources: string[] }
    return map.sources
  }

  const core = ['cognito-revocation']

  it('the core loads itself only', async () => {
    expect([...(await packagesLoadedBy("import 'cognito-revocation'", 'module'))].sort()).toEqual(core)
    expect([...(await packagesLoadedBy("require('cognito-revocation')", 'commonjs'))].sort()).toEqual(core)
  })

  it.each([
    ['the module for live connections', 'connections'],
    ['the Express middleware', 'express'],
    ['the Hono middleware', 'hono'],
    ['verifyToken for fetch handlers', 'fetch'],
    ['verifyToken for node:http', 'node'],
    ['the Fastify plugin', 'fastify'],
    ['the Koa middleware', 'koa'],
    ['the Lambda authorizer', 'lambda'],
    ['the middy middleware', 'middy'],
    ['the Redis store', 'redis'],
    ['the file store', 'file'],
    ['the revocation service', 'server'],
  ])('%s loads nothing more', async (_, subpath) => {
    const [first, second] = ["'cognito-revocation'", `'cognito-revocation/${subpath}'`]
    for (const packages of [
      await packagesLoadedBy(`import ${first}; import ${second}`, 'module'),
      await packagesLoadedBy(`require(${first}); require(${second})`, 'commonjs'),
    ]) {
      expect([...packages].sort()).toEqual(core)
    }
  })

  it('verifying with keys that are handed in loads no jose, nor anything else', async () => {
    const minter = await TokenMinter.create()
    const { userPoolId, clientId, jwks } = minter
    const pool = JSON.stringify({ userPoolId, clientId, tokenUse: 'access' })
    const verify = `
      const verifier = new TokenVerifier({ ...${pool}, revocation: new MemoryRevocationStore() })
      verifier.cacheJwks(${JSON.stringify(jwks)})
      verifier.verify('${minter.accessToken()}')`
    const names = '{ MemoryRevocationStore, TokenVerifier }'
    for (const packages of [
      await packagesLoadedBy(`import ${names} from 'cognito-revocation'\n${verify}`, 'module'),
      await packagesLoadedBy(`const ${names} = require('cognito-revocation')\n${verify}`, 'commonjs'),
    ]) {
      expect([...packages].sort()).toEqual(core)
    }
  })

  it('the HTTP store loads the parser of event streams, and nothing else', async () => {
    for (const packages of [
      await packagesLoadedBy("import 'cognito-revocation/http'", 'module'),
      await packagesLoadedBy("require('cognito-revocation/http')", 'commonjs'),
    ]) {
      expect([...packages].sort()).toEqual(['cognito-revocation', 'eventsource-parser'])
    }
  })

  it('the client loads oauth4webapi when a hosted endpoint is asked, and not before', async () => {
    const create = `const client = new CognitoTokenClient({ userPoolId: 'us-east-1_AbCdEfGhI', clientId: 'c',
      store: false, domain: 'http://127.0.0.1:1' }); client.oauth.createAuthorizationChecks();
      client.logoutUrl({ logoutUri: 'https://app.example.com/' })`
    const ask = `${create}; client.oauth.refresh({ refreshToken: 'x' }).catch(() => {})`
    const name = '{ CognitoTokenClient }'
    const [esm, cjs] = [
      (code: string) =>
        packagesLoadedBy(`import ${name} from 'cognito-revocation/client'\n${code}`, 'module'),
      (code: string) =>
        packagesLoadedBy(`const ${name} = require('cognito-revocation/client')\n${code}`, 'commonjs'),
    ]
    for (const load of [esm, cjs]) {
      expect(await load(create)).not.toContain('oauth4webapi')
      expect(await load(ask)).toContain('oauth4webapi')
    }
  })

  it('the client loads the AWS SDK, and fetching keys loads jose: this check sees them', async () => {
    expect(await packagesLoadedBy("import 'cognito-revocation/client'", 'module')).toContain(
      '@aws-sdk/client-cognito-identity-provider',
    )
    // Peers that one way to sign in needs, and nobody else.
    expect(await packagesLoadedBy("import 'cognito-revocation/client'", 'module')).not.toContain(
      'cognito-srp-helper',
    )
    const fetchKeys = `new TokenVerifier({ userPoolId: 'us-east-1_AbCdEfGhI', clientId: null, tokenUse: null,
      revocation: new MemoryRevocationStore(), jwksUri: 'http://127.0.0.1:1/' }).ready().catch(() => {})`
    const names = '{ MemoryRevocationStore, TokenVerifier }'
    expect(
      await packagesLoadedBy(`import ${names} from 'cognito-revocation'\n${fetchKeys}`, 'module'),
    ).toContain('jose')
    expect(
      await packagesLoadedBy(`const ${names} = require('cognito-revocation')\n${fetchKeys}`, 'commonjs'),
    ).toContain('jose')
  })
})
