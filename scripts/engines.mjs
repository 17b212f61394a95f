// Makes sure that the servers the tests talk to are installed, and says openly what it does about it.
// `npm test` itself installs nothing.
import { spawnSync } from 'node:child_process'
import { accessSync, constants, existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'

/**
 * @typedef {object} Engine
 * @property {string} name
 * @property {() => string | undefined} present what there is already, in words
 * @property {() => void} install throws where it cannot
 * @property {string} advice
 */

/** @type {Engine} */
const redis = {
  name: 'Redis',
  present: () => redisServer() ?? redisUrl(),
  install: installRedis,
  advice:
    'Install redis-server 7 or later, or valkey-server, so that it is on the PATH, or let REDIS_URL name a ' +
    'Redis for tests (redis://[[user]:password@]host:port[/database]).',
}

/** @param {string} command */
function find(command) {
  return (process.env.PATH ?? '')
    .split(delimiter)
    .filter((folder) => folder !== '')
    .map((folder) => join(folder, command))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK)
        return true
      } catch {
        return false
      }
    })
}

function redisServer() {
  for (const command of ['redis-server', 'valkey-server']) {
    const path = find(command)
    if (path === undefined) continue
    const { stdout } = spawnSync(path, ['--version'], { encoding: 'utf8' })
    const version = /\bv=(\S+)/.exec(stdout ?? '')?.[1] ?? 'of unknown version'
    return `${command} ${version} (${path})`
  }
  return undefined
}

function redisUrl() {
  const { REDIS_URL } = process.env
  if (!REDIS_URL) return undefined
  // Not all of it: there may be a password in it.
  const host = URL.canParse(REDIS_URL) ? new URL(REDIS_URL).host : 'which is not a URL'
  return `the one of REDIS_URL (${host})`
}

function installRedis() {
  if (process.platform === 'darwin' && find('brew')) return run('brew', 'install', 'redis')
  if (!find('apt-get')) throw new Error('there is neither apt-get nor, on macOS, brew.')
  const env = 'DEBIAN_FRONTEND=noninteractive'
  runAsRoot('apt-get', 'update')
  runAsRoot('env', env, 'apt-get', 'install', '-y', '--no-install-recommends', 'redis-server')
  stopService()
}

/** The tests start servers of their own. The package's service would only take the port 6379. */
function stopService() {
  try {
    const service = find('service')
    if (find('systemctl') && existsSync('/run/systemd/system')) {
      runAsRoot('systemctl', 'disable', '--now', 'redis-server')
    } else if (service && spawnSync(service, ['redis-server', 'status']).status === 0) {
      runAsRoot('service', 'redis-server', 'stop')
    }
  } catch (error) {
    // Unwelcome, but the tests can run.
    console.warn(`engines: the service redis-server may be running: ${messageOf(error)}`)
  }
}

/** @param {unknown} error */
function messageOf(error) {
  return error instanceof Error ? error.message : String(error)
}

/** @param {string[]} command */
function runAsRoot(...command) {
  if (process.getuid?.() === 0) run(...command)
  else if (find('sudo')) run('sudo', ...command)
  else throw new Error(`root must run \`${command.join(' ')}\`, and there is no sudo.`)
}

/** @param {string[]} words */
function run(...words) {
  const [command = '', ...args] = words
  console.log(`engines: $ ${words.join(' ')}`)
  const { status, signal, error } = spawnSync(command, args, { stdio: 'inherit' })
  if (status !== 0)
    throw new Error(`${command} failed: ${error?.message ?? signal ?? `exit code ${status}`}.`)
}

for (const { name, present, install, advice } of [redis]) {
  const there = present()
  if (there !== undefined) {
    console.log(`engines: ${name}: there is ${there}; nothing to install.`)
    continue
  }
  console.log(`engines: ${name}: there is none; installing it.`)
  try {
    install()
    const installed = present()
    if (installed === undefined) throw new Error('it was installed, but is not on the PATH.')
    console.log(`engines: ${name}: installed ${installed}.`)
  } catch (error) {
    console.error(`engines: ${name}: ${messageOf(error)}`)
    console.error(`engines: ${advice}`)
    process.exitCode = 1
  }
}
