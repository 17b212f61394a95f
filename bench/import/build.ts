import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../', import.meta.url))

/** Builds dist/ if it isn't there, or is older than what it is built of. */
export function buildIfOlder(): void {
  const builtAt = ['index.js', 'index.cjs'].map((file) => changedAt(join(root, 'dist', file)))
  const sources = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
  const files = [...sources.map((file) => join('src', file)), 'package.json', 'tsup.config.ts']
  const newest = Math.max(...files.map((file) => changedAt(join(root, file))))
  if (newest <= Math.min(...builtAt)) return
  console.log('dist/ is missing, or older than src/: npm run build')
  const { status } = spawnSync('npm', ['run', 'build'], { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] })
  if (status !== 0) throw new Error('npm run build has failed')
}

function changedAt(path: string): number {
  return existsSync(path) ? statSync(path).mtimeMs : 0
}
