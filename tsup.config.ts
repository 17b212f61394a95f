import { copyFile } from 'node:fs/promises'
import { transform } from 'esbuild'
import { defineConfig, type Options } from 'tsup'

/** Jest cannot require these, so the CommonJS build carries a copy of each in a chunk of its own. */
const ESM_ONLY = ['jose', 'oauth4webapi']

const common: Options = {
  entry: {
    index: 'src/index.ts',
    client: 'src/client/index.ts',
    connections: 'src/middleware/connections/index.ts',
    dynamodb: 'src/stores/dynamodb/index.ts',
    express: 'src/middleware/express/index.ts',
    fastify: 'src/middleware/fastify/index.ts',
    fetch: 'src/middleware/fetch/index.ts',
    file: 'src/stores/file/index.ts',
    hono: 'src/middleware/hono/index.ts',
    http: 'src/stores/http/index.ts',
    koa: 'src/middleware/koa/index.ts',
    lambda: 'src/middleware/lambda/index.ts',
    middy: 'src/middleware/middy/index.ts',
    nestjs: 'src/middleware/nestjs/index.ts',
    node: 'src/middleware/node/index.ts',
    redis: 'src/stores/redis/index.ts',
    server: 'src/server/index.ts',
    testing: 'src/testing/index.ts',
  },
  outDir: 'dist',
  target: 'node20',
  platform: 'node',
  sourcemap: true,
  external: [
    'lru-cache',
    'eventsource-parser',
    '@photostructure/sqlite',
    'cognito-srp-helper',
    /^@aws-sdk\//,
    /^@nestjs\//,
  ],
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
    for (const name of ESM_ONLY) await copyFile(`node_modules/${name}/LICENSE.md`, `dist/${name}.LICENSE.md`)
  },
}

export default defineConfig([
  // Without splitting, each subpath would carry its own copy of every class.
  {
    ...common,
    format: 'esm',
    splitting: true,
    external: [...ESM_ONLY, ...(common.external ?? [])],
  },
  {
    ...common,
    format: 'cjs',
    splitting: false,
    noExternal: ESM_ONLY,
    plugins: [splitCommonJs],
  },
  { ...common, format: ['esm', 'cjs'], dts: { only: true } },
])
