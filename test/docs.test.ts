import { readdirSync, readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { computeSecretHash } from '../src/client/secret-hash.js'
import * as errors from '../src/errors.js'
import { aclRules, readerCommands, writerCommands } from './support/redis-acl.js'

const root = fileURLToPath(new URL('..', import.meta.url))
const read = (path: string) => readFileSync(resolve(root, path), 'utf8')

/** The anchors that GitHub and npm give a document's headings. */
function anchorsOf(markdown: string): string[] {
  const headings = markdown.replace(/^```[\s\S]*?^```/gm, '').matchAll(/^#{1,6} +(.+)$/gm)
  const plain = [...headings].map(([, text = '']) => text.replace(/[^\p{L}\p{N}\s_-]/gu, '').trim())
  return plain.map((text) => text.toLowerCase().replace(/\s/g, '-'))
}

const classes = Object.values(errors).filter((value) => 'code' in value) as unknown as {
  name: string
  code: string
  new (...args: unknown[]): errors.CognitoRevocationError
}[]

describe('docs/errors.md', () => {
  it.each(classes.map((Class) => [Class.name, Class] as const))(
    'has %s, by its code and status',
    (name, Class) => {
      const failure = { claim: '', actual: '', expected: '' }
      const { status = '–' } = new Class('', failure, {})
      expect(read('docs/errors.md')).toContain(`### ${Class.code}\n\n\`${name}\` · status ${status}\n`)
    },
  )

  it('has one anchor for each code, which is the code itself, and none for others', () => {
    const sections = read('docs/errors.md').match(/^### .*$/gm) ?? []
    expect(sections.map((heading) => heading.slice(4)).sort()).toEqual(classes.map(({ code }) => code).sort())
    const anchors = anchorsOf(read('docs/errors.md'))
    expect(new Set(anchors).size).toBe(anchors.length)
    expect(anchors).toEqual(expect.arrayContaining(classes.map(({ code }) => code)))
  })
})

describe('docs/cognito.md', () => {
  it('gives SECRET_HASHes that are right', () => {
    const text = read('docs/cognito.md')
    const [, clientId = '', clientSecret = ''] = /client id `(.+?)` and secret `(.+?)`/.exec(text) ?? []
    const vectors = [...text.matchAll(/^\| `(.+?)` \| `([\w+/]{43}=)` \|$/gm)]
    expect(vectors).toHaveLength(2)
    for (const [, username = '', hash] of vectors)
      expect(computeSecretHash({ username, clientId, clientSecret })).toBe(hash)
  })
})

describe('README.md', () => {
  it('shows the quick start that is compiled with the examples', () => {
    expect(read('README.md')).toContain(read('examples/quick-start.ts').trim())
  })

  it('shows every step that the demo plays', () => {
    const steps = [...read('examples/demo/main.ts').matchAll(/play\.(?:step|expect)\(\s*(['"])(.*?)\1/g)]
    expect(steps.length).toBeGreaterThan(10)
    for (const [, , text] of steps) expect(read('README.md')).toContain(text)
  })
})

describe('README.md, of the demos in several processes', () => {
  it('shows steps that they play', () => {
    const lines = read('README.md').match(/^✓ .*$/gm) ?? []
    const steps = lines.map((line) => line.replace(/^✓ +/, '').replace(/ {2,}.*$/, ''))
    const plays = ['demo', 'demo-redis', 'demo-http', 'fastify-login'].map((name) =>
      read(`examples/${name}/main.ts`),
    )
    const played = plays.join('')
    const unknown = steps.filter((step) => !played.includes(step) && !/^… (over|a second)/.test(step))
    expect(steps.length).toBeGreaterThan(25)
    expect(unknown).toEqual([])
  })
})

describe('docs/stores.md', () => {
  it.each([
    ['reader', readerCommands],
    ['writer', writerCommands],
  ])('gives a %s the rights that are tested', (name, commands) => {
    const line = `ACL SETUSER ${name} on >password ${aclRules(commands).join(' ')}`
    expect(read('docs/stores.md').split('\n')).toContain(line)
  })
})

const documents = [
  'README.md',
  'CONTRIBUTING.md',
  'SECURITY.md',
  ...readdirSync(`${root}docs`).map((name) => `docs/${name}`),
]

describe('The sequence diagrams', () => {
  /** What mermaid would stumble over, or draw otherwise than it was meant. */
  function flawsOf(diagram: string): string[] {
    const [first, ...lines] = diagram.split('\n')
    const declared = [...diagram.matchAll(/^\s*participant (\w+)/gm)].map(([, name]) => name)
    const used = lines.flatMap((line) => {
      const [, from, to] = /^\s*(\w+)\s*(?:-{1,2}(?:>>?|x|\)))\s*(\w+)\s*:/.exec(line) ?? []
      const [, over = ''] = /^\s*Note (?:over|left of|right of) ([\w, ]+):/.exec(line) ?? []
      return [from, to, ...over.split(/, */)].filter(Boolean)
    })
    return [
      ...(first === 'sequenceDiagram' ? [] : [`it begins with "${first}"`]),
      // Both end what is said: the one a statement, the other begins an entity.
      ...lines.filter((line) => /[;#]/.test(line)),
      ...new Set(used.filter((name) => !declared.includes(name)).map((name) => `who is ${name}?`)),
    ]
  }

  it.each(documents)('of %s can be drawn', (document) => {
    const diagrams = [...read(document).matchAll(/^```mermaid\n([\s\S]*?)\n```$/gm)]
    expect(diagrams.flatMap(([, diagram = '']) => flawsOf(diagram))).toEqual([])
  })

  it('are looked at for what mermaid would stumble over', () => {
    const flawed = 'graph\n  participant A\n  A->>B: one; two\n  C-->>A: #1\n  Note over A,D: who?'
    const ends = ['  A->>B: one; two', '  C-->>A: #1']
    const strangers = ['B', 'C', 'D'].map((name) => `who is ${name}?`)
    expect(flawsOf(flawed)).toEqual(['it begins with "graph"', ...ends, ...strangers])
  })
})

describe('Links between the documents', () => {
  it.each(documents)('in %s lead to what is there', (document) => {
    const targets = [...read(document).matchAll(/\]\((?!https?:)([^)#]+)/g)].map(
      ([, target]) => target as string,
    )
    for (const target of targets)
      expect(() => readdirSync(resolve(root, dirname(document), dirname(target)))).not.toThrow()
    for (const target of targets.filter((each) => !each.endsWith('/'))) {
      expect(() => readFileSync(resolve(root, dirname(document), target))).not.toThrow()
    }
  })

  it.each(documents)('in %s lead to headings that are there', (document) => {
    const links = [...read(document).matchAll(/\]\((?!https?:)([^)#]*)#([^)]+)\)/g)]
    const missing = links.filter(([, target, anchor = '']) => {
      const path = target ? resolve(root, dirname(document), target) : document
      return !anchorsOf(read(path)).includes(anchor)
    })
    expect(missing.map(([link]) => link)).toEqual([])
  })
})
