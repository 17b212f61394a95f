// Keeps the core small: what `import 'cognito-revocation'` loads from dist/, minified and gzipped, without
// its dependencies and without what it loads later.
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'

const limitBytes = 25_000
const result = await build({
  entryPoints: ['dist/index.js'],
  bundle: true,
  minify: true,
  write: false,
  format: 'esm',
  platform: 'node',
  packages: 'external',
})
const bytes = gzipSync(result.outputFiles[0]?.contents ?? '').length
console.log(`core: ${bytes} bytes minified and gzipped (limit ${limitBytes})`)
process.exitCode = bytes > 0 && bytes <= limitBytes ? 0 : 1
