import { copyFile } from 'node:fs/promises'
import { transform } from 'esbuild'
import { defineConfig, type Options } from 'tsup'

const common: Options = {
  entry: {
    index: 'src/index.ts',
    client: 'src/client/index.ts',
    dynamodb: 'src/stores/dynamodb/index.ts',
    express: 'src/middleware/express.ts',
    file: 'src/stores/file/index.ts',
    http: 'src/stores/http/index.ts',
    redis: 'src/stores/redis/index.ts',
    server: 'src/server/index.ts',
    testing: 'src/testing/index.ts',
  },
  outDir: 'dist',
  target: 'node20',
  platform: 'node',
  sourcemap: true,
  external: ['lru-cache', 'eventsource-parser', '@photostructure/sqlite', /^@aws-sdk\//],
}

/**
 * tsup splits a CommonJS build with sucrase, which rewrites `?.` and `??` as function calls and breaks
 * some of jose's minified code. esbuild has no such faults but splits only ESM, so here it splits as ESM and
 * then turns each chunk into CommonJS. `import()` becomes a lazy `require`: Jest cannot run the former.
 */
const splitCommonJs: NonNullable<Options['plugins']>[number] = {
  name: 'split-commonjs',
  esbuildOptions(options) {
    options.format = 'esm'
    options.splitting = true
  },
  async renderChunk(code, chunk) {
    if (chunk.type !== 'chunk' || !chunk.path.endsWith('.cjs')) return
    return await transform(code, {
      format: 'cjs',
      platform: 'node',
      target: 'node20',
      supported: { 'dynamic-import': false },
      banner: '"use strict";',
      sourcemap: 'external',
      sourcefile: chunk.path,
    })
  },
  async buildEnd() {
    await copyFile('node_modules/jose/LICENSE.md', 'dist/jose.LICENSE.md')
  },
}

export default defineConfig([
  // Without splitting, each subpath would carry its own copy of every class.
  {
    ...common,
    format: 'esm',
    splitting: true,
    external: ['jose', ...(common.external ?? [])],
  },
  // jose is ESM-only and Jest cannot require it, so the CommonJS build carries a copy in a chunk of its own.
  {
    ...common,
    format: 'cjs',
    splitting: false,
    noExternal: ['jose'],
    plugins: [splitCommonJs],
  },
  { ...common, format: ['esm', 'cjs'], dts: { only: true } },
])
