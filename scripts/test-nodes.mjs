// Runs the demo and the whole test suite on other versions of Node: `npm run test:nodes [-- 22 24 26]`.
// Each binary is the npm package node-<platform>-<arch>, kept in a folder of its own under .cache/.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const versions = process.argv.length > 2 ? process.argv.slice(2) : ['22', '24', '26']
const platform = process.platform === 'win32' ? 'win' : process.platform

/**
 * @param {string} command
 * @param {string[]} args
 * @param {import('node:child_process').SpawnSyncOptions} [options]
 */
function run(command, args, options = {}) {
  return spawnSync(command, args, { cwd: root, stdio: 'inherit', ...options }).status === 0
}

/** @param {string} version */
function binFolder(version) {
  const name = `node-${platform}-${process.arch}`
  const folder = join(root, '.cache', 'nodes', version)
  const bin = join(folder, 'node_modules', name, 'bin')
  if (!existsSync(join(bin, 'node'))) {
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, 'package.json'), '{ "private": true }\n')
    const installed = run('npm', ['install', '--no-audit', '--no-fund', `${name}@${version}`], {
      cwd: folder,
    })
    if (!installed) throw new Error(`Could not install ${name}@${version}`)
  }
  return bin
}

if (!run('npm', ['run', 'build'])) process.exit(1)

const failed = []
for (const version of versions) {
  const bin = binFolder(version)
  const env = { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH}` }
  const node = join(bin, 'node')
  for (const [what, args] of /** @type {const} */ ([
    ['version', ['--version']],
    ['demo', ['node_modules/tsx/dist/cli.mjs', 'examples/demo/main.ts']],
    ['tests', ['node_modules/vitest/vitest.mjs', 'run']],
  ])) {
    console.log(`\n── Node ${version}: ${what}`)
    if (!run(node, [...args], { env })) failed.push(`Node ${version}: ${what}`)
  }
}

console.log(
  failed.length === 0 ? `\nAll passed on Node ${versions.join(', ')}.` : `\nFailed: ${failed.join('; ')}`,
)
process.exitCode = failed.length === 0 ? 0 : 1
