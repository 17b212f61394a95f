// What importing an entry loads from dist/, minified and gzipped: without the packages that it depends on, and so
// without what they are loaded for later. A little more than it is today, so that growth is somebody's decision.
import { readFileSync } from 'node:fs'

/** Whatever is given a verifier is counted with the core. */
const BUDGETS = {
  '.': '34.6 kB',
  './client': '63.3 kB',
  './connections': '36.7 kB',
  './dynamodb': '40.5 kB',
  './express': '34.0 kB',
  './fastify': '34.9 kB',
  './fetch': '34.2 kB',
  './file': '39.2 kB',
  './hono': '34.2 kB',
  './http': '39.6 kB',
  './koa': '34.2 kB',
  './lambda': '38.0 kB',
  './middy': '34.4 kB',
  './nestjs': '37.3 kB',
  './node': '34.1 kB',
  './redis': '42.4 kB',
  './server': '43.8 kB',
  './testing': '65.5 kB',
}

const { exports } = JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8'))

export default Object.entries(exports)
  .filter(([subpath]) => subpath !== './package.json')
  .map(([subpath, { import: conditions }]) => {
    const limit = BUDGETS[subpath]
    if (limit === undefined) throw new Error(`${subpath} has no budget in .size-limit.mjs`)
    return {
      name: subpath,
      path: conditions.default,
      limit,
      gzip: true,
      modifyEsbuildConfig: (config) => ({
        ...config,
        platform: 'node',
        format: 'esm',
        packages: 'external',
        // Node loads also what a bundler would leave out.
        ignoreAnnotations: true,
        treeShaking: false,
      }),
    }
  })
