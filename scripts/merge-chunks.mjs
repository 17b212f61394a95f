// esbuild makes a chunk of whatever the same entries share, which is dozens of small files, and to find and read a file
// costs Node more than what is in it. So what is loaded together anyway becomes one file.
import { readFile, rm } from 'node:fs/promises'
import { basename, dirname, isAbsolute, resolve } from 'node:path'
import { rollup } from 'rollup'

/** Who imports one of these imports the core too: they are given a verifier. */
const WITH_CORE = 'connections express fastify fetch hono koa lambda middy nestjs node'.split(' ')

/**
 * Puts fewer files in the place of these ES modules, in the format that is asked for.
 *
 * @param {readonly string[]} written entries and chunks
 * @param {{ entries: readonly string[], format: 'esm' | 'cjs' }} options entries by their names, `index` among them
 */
export async function mergeChunks(written, { entries, format }) {
  const files = written.map((file) => resolve(file)).filter((file) => /\.c?js$/.test(file))
  /** @type {Map<string, string>} */
  const input = new Map()
  for (const file of files) if (entries.includes(nameOf(file))) input.set(nameOf(file), file)
  const extension = format === 'cjs' ? 'cjs' : 'js'
  /** @type {Map<string, string[]> | undefined} */
  let users
  const bundle = await rollup({
    input: Object.fromEntries(input),
    external: (id) => !id.startsWith('.') && !isAbsolute(id),
    treeshake: false,
    plugins: [{ name: 'source-maps', load: readWithMap }],
  })
  // All is read by now, and the names stay.
  await Promise.all(files.flatMap((file) => [rm(file), rm(`${file}.map`)]))
  await bundle.write({
    dir: dirname(input.get('index') ?? ''),
    format,
    sourcemap: true,
    entryFileNames: `[name].${extension}`,
    chunkFileNames: `[name]-[hash].${extension}`,
    minifyInternalExports: false,
    hoistTransitiveImports: false,
    onlyExplicitManualChunks: true,
    dynamicImportInCjs: false,
    esModule: true,
    manualChunks(file, { getModuleInfo }) {
      users ??= usersOf(input, (of) => getModuleInfo(of)?.importedIds ?? [])
      return chunkOf(nameOf(file), users.get(file) ?? [])
    },
  })
}

/** @param {string} name @param {readonly string[]} users the entries that load it */
function chunkOf(name, users) {
  const isOfMiddleware = users.length > 1 && users.every((user) => WITH_CORE.includes(user))
  return users.includes('index') || (isOfMiddleware && !users.includes(name)) ? 'core' : undefined
}

/**
 * @param {ReadonlyMap<string, string>} input
 * @param {(file: string) => readonly string[]} importsOf
 */
function usersOf(input, importsOf) {
  /** @type {Map<string, string[]>} */
  const users = new Map()
  for (const [name, entry] of input) {
    const seen = new Set([entry])
    for (const file of seen) {
      users.set(file, [...(users.get(file) ?? []), name])
      for (const imported of importsOf(file)) seen.add(imported)
    }
  }
  return users
}

/** @param {string} file */
function nameOf(file) {
  return basename(file).replace(/\.c?js$/, '')
}

/** @param {string} file */
async function readWithMap(file) {
  const [code, map] = await Promise.all([readFile(file, 'utf8'), readFile(`${file}.map`, 'utf8')])
  return { code, map }
}
