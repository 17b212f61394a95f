import { copyFile } from 'node:fs/promises'
import { defineConfig, type Options } from 'tsup'
import { mergeChunks } from './scripts/merge-chunks.mjs'

/** Jest cannot require these, so the CommonJS build carries a copy of each in a chunk of its own. */
const ESM_ONLY = ['jose', 'oauth4webapi']

const common = {
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
} satisfies Options
const entries = Object.keys(common.entry)

/**
 * tsup splits a CommonJS build with sucrase, which rewrites `?.` and `??` as function calls and breaks
 * some of jose's minified code. esbuild has no such faults but splits only ESM, so here it splits as ESM, and who
 * merges the chunks turns them into CommonJS. `import()` becomes a lazy `require`: Jest cannot run the former.
 */
const splitCommonJs: NonNullable<Options['plugins']>[number] = {
  name: 'split-commonjs',
  esbuildOptions(options) {
    options.format = 'esm'
    options.splitting = true
  },
  async buildEnd({ writtenFiles }) {
    await mergeChunks(namesOf(writtenFiles), { entries, format: 'cjs' })
    for (const name of ESM_ONLY) await copyFile(`node_modules/${name}/LICENSE.md`, `dist/${name}.LICENSE.md`)
  },
}

const mergeEsm: NonNullable<Options['plugins']>[number] = {
  name: 'merge-esm',
  async buildEnd({ writtenFiles }) {
    await mergeChunks(namesOf(writtenFiles), { entries, format: 'esm' })
  },
}

function namesOf(files: readonly { readonly name: string }[]): string[] {
  return files.map(({ name }) => name)
}

export default defineConfig([
  // Without splitting, each subpath would carry its own copy of every class.
  {
    ...common,
    format: 'esm',
    splitting: true,
    plugins: [mergeEsm],
    external: [...ESM_ONLY, ...common.external],
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
