import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { checkCycles } from './tidy/rules/cycles.ts'
import { checkEndpoints, missingOperations, shrinkMissing } from './tidy/rules/endpoints.ts'
import { checkFolders, renderMap } from './tidy/rules/folders.ts'
import { checkGlobals } from './tidy/rules/globals.ts'
import { checkModules } from './tidy/rules/modules.ts'
import { checkNotes } from './tidy/rules/notes.ts'
import { checkPurity } from './tidy/rules/purity.ts'
import { checkSize, shrinkRatchet } from './tidy/rules/size.ts'
import { checkBehaviours } from './tidy/rules/behaviours.ts'
import { checkLinks, checkPageLinks } from './tidy/rules/links.ts'
import { checkUnused } from './tidy/rules/unused.ts'
import { checkSql } from './tidy/rules/sql.ts'
import { checkWalls } from './tidy/rules/walls.ts'
import { checkAll } from './tidy/rules/all.ts'
import { type Finding, type Repository, loadRepository, repositoryOf } from './tidy/repository.ts'

type Rule = (repository: Repository) => Finding[]
type Files = Record<string, string>

function messages(rule: Rule, files: Files): string[] {
  return rule(repositoryOf(files)).map(({ path, line, message }) => `${path}:${line} ${message}`)
}

function accepts(rule: Rule, files: Files): void {
  assert.deepEqual(messages(rule, files), [])
}

function finds(rule: Rule, files: Files, ...expected: RegExp[]): void {
  const found = messages(rule, files)
  assert.equal(found.length, expected.length, found.join('\n'))
  expected.forEach((pattern, index) => assert.match(found[index] ?? '', pattern))
}

test('this repository is tidy', () => {
  const findings = checkAll(loadRepository(join(import.meta.dirname, '..')))
  const list = findings.map(({ path, line, rule, message }) => `${path}:${line}: ${rule}: ${message}`)
  assert.equal(findings.length, 0, `${findings.length} findings\n${list.join('\n')}`)
})

describe('walls', () => {
  const target = { 'packages/protocol/a.ts': '', 'packages/platform/b.ts': '', 'packages/homeserver/c.ts': '' }
  const withTarget = (path: string, source: string): Files => ({ ...target, [path]: source })

  test('packages import downwards only', () => {
    accepts(checkWalls, withTarget('packages/homeserver/x.ts', "import { a } from '@holdfast/protocol/a'"))
    finds(
      checkWalls,
      withTarget('packages/protocol/x.ts', "import { b } from '@holdfast/platform/b'"),
      /protocol may not import platform/,
    )
    finds(
      checkWalls,
      withTarget('packages/platform/x.ts', "import type { c } from '@holdfast/homeserver/c'"),
      /platform may not import homeserver/,
    )
  })

  test('paths are relative within a package and by name across', () => {
    finds(checkWalls, withTarget('packages/protocol/x.ts', "import { a } from '@holdfast/protocol/a'"), /relative path/)
    finds(checkWalls, withTarget('packages/homeserver/x.ts', "import { a } from '../protocol/a.ts'"), /by name/)
    finds(checkWalls, withTarget('packages/homeserver/x.ts', "import { a } from './nowhere.ts'"), /does not exist/)
  })

  test('protocol knows of Node only node:crypto, the homeserver nothing that touches the world', () => {
    accepts(checkWalls, withTarget('packages/protocol/x.ts', "import { createHash } from 'node:crypto'"))
    finds(checkWalls, withTarget('packages/protocol/x.ts', "import 'node:util'"), /may not use node:util/)
    finds(
      checkWalls,
      withTarget('packages/homeserver/x.ts', "import { readFile } from 'node:fs/promises'"),
      /node:fs\/promises/,
    )
    accepts(checkWalls, withTarget('packages/platform/x.ts', "import { readFile } from 'node:fs/promises'"))
    accepts(checkWalls, withTarget('packages/homeserver/x.ts', "import { isIP } from 'node:net'"))
    finds(checkWalls, withTarget('packages/homeserver/x.ts', "import { isIP, connect } from 'node:net'"), /node:net/)
    accepts(checkWalls, withTarget('packages/protocol/x.test.ts', "import { readFile } from 'node:fs/promises'"))
  })

  test('a package of others is among the dependencies of the one that uses it', () => {
    const files = { 'packages/platform/package.json': '{ "dependencies": { "pg": "1", "@a/b": "1" } }' }
    accepts(checkWalls, { ...files, 'packages/platform/x.ts': "import 'pg'\nimport '@a/b/c'" })
    finds(checkWalls, { ...files, 'packages/platform/x.ts': "import 'undici'" }, /"undici" is not in the dependencies/)
  })

  test('within the homeserver: endpoints, domain folders, storage, downward only', () => {
    const folders = {
      'packages/homeserver/client-server/a.ts': '',
      'packages/homeserver/server-server/a.ts': '',
      'packages/homeserver/rooms/a.ts': '',
      'packages/homeserver/storage/a.ts': '',
      'packages/homeserver/homeserver.ts': '',
    }
    const from = (folder: string, ...to: string[]): Files => ({
      ...folders,
      [`packages/homeserver/${folder}/x.ts`]: to.map((path) => `import type { A } from '../${path}.ts'`).join('\n'),
    })
    accepts(checkWalls, from('client-server', 'rooms/a', 'storage/a', 'homeserver'))
    accepts(checkWalls, from('rooms', 'storage/a', 'homeserver'))
    finds(checkWalls, from('rooms', 'client-server/a'), /rooms \(domain\) may not import client-server \(endpoint\)/)
    finds(
      checkWalls,
      from('storage', 'rooms/a', 'homeserver'),
      /storage \(storage\) may not import rooms/,
      /it knows rows/,
    )
    finds(checkWalls, from('server-server', 'client-server/a'), /move what they share/)
  })

  test('bench measures from without', () => {
    finds(checkWalls, { ...target, 'bench/x.ts': "import { c } from '@holdfast/homeserver/c'" }, /public APIs only/)
    accepts(checkWalls, { ...target, 'tools/x.ts': "import { a } from '../packages/protocol/a.ts'" })
  })

  test('a package without a wall is refused', () => {
    finds(checkWalls, { 'packages/new/x.ts': "import './y.ts'", 'packages/new/y.ts': '' }, /has no wall yet/)
  })
})

test('no file imports itself at run time, types may', () => {
  const pair = (how: string): Files => ({
    'packages/api/a.ts': `${how} { b } from './b.ts'`,
    'packages/api/b.ts': "import { a } from './a.ts'",
  })
  finds(checkCycles, pair('import'), /a\.ts → packages\/api\/b\.ts → packages\/api\/a\.ts/)
  accepts(checkCycles, pair('import type'))
})

test('each file of a package is imported, a test, or an entry', () => {
  finds(
    checkUnused,
    { 'packages/api/a.ts': "import './b.ts'", 'packages/api/b.ts': '' },
    /a\.ts:1 nothing imports this file/,
  )
  accepts(checkUnused, {
    'packages/api/main.ts': "import './b.ts'",
    'packages/api/b.ts': '',
    'packages/api/x.test.ts': '',
    'tools/y.ts': '',
  })
  accepts(checkUnused, {
    'packages/api/main.ts': "new Worker(new URL('./w.ts', import.meta.url))",
    'packages/api/w.ts': '',
  })
})

test('SQL lives in storage', () => {
  const source = "import { sql } from '@holdfast/platform/database/sql'\nconst a = sql`SELECT 1`"
  finds(checkSql, { 'packages/homeserver/rooms/x.ts': source }, /:1 SQL lives/, /:2 SQL lives/)
  accepts(checkSql, { 'packages/homeserver/storage/x.ts': source, 'packages/homeserver/rooms/x.test.ts': source })
  accepts(checkSql, { 'packages/homeserver/rooms/x.ts': "import type { Sql } from '@holdfast/platform/database/sql'" })
})

describe('banned globals', () => {
  const at = (source: string): Files => ({ 'packages/homeserver/x.ts': source })
  for (const use of [
    'Date.now()',
    'new Date(0)',
    'Math.random()',
    'setTimeout(f, 1)',
    'setInterval(f)',
    'setImmediate(f)',
    'crypto.randomUUID()',
    'fetch(url)',
    "crypto.subtle.digest('x')",
    'process.env.HOME',
    "process['env']",
    'console.log(1)',
    'globalThis.fetch(url)',
    'performance.now()',
    'AbortSignal.timeout(5)',
    'process.exit(1)',
    'f(fetch)',
    'a ? fetch(b) : c',
    'const f = fetch',
    'process?.env',
    '`${Date.now()}`',
    'return\nfetch(x)',
  ]) {
    test(`${JSON.stringify(use)} is found`, () => finds(checkGlobals, at(use), /is banned here: /))
  }
  for (const use of [
    'clock.Date',
    'http.fetch(url)',
    'Math.max(1)',
    "'Date'",
    '// console',
    'type A = { fetch(url: string): void }',
    'const o = { fetch: 1 }',
    'function fetch() {}\nfetch()',
    'class A {\n  x = 1\n  async fetch(): Promise<void> {}\n}',
    'function f({ fetch }: Deps) { fetch() }',
    'function f(fetch: Fetch) { fetch() }',
    'process.stdout',
    'AbortSignal.any([])',
    "import { setTimeout } from './mine.ts'\nsetTimeout()",
    'crypto.createHash(a)',
    'type B = {\n  a: string\n  Date?: string\n}',
  ]) {
    test(`${JSON.stringify(use)} is not`, () => accepts(checkGlobals, at(use)))
  }

  test('platform, tests and what is not a package are free', () => {
    const use = 'Date.now()'
    accepts(checkGlobals, {
      'packages/platform/clock.ts': use,
      'packages/api/x.test.ts': use,
      'tools/x.ts': use,
      'bench/x.ts': use,
    })
  })

  test('chance does not come in by an import', () => {
    finds(
      checkGlobals,
      at("import { createHash, randomBytes } from 'node:crypto'"),
      /randomBytes is banned here: take a Random/,
    )
  })
})

test('protocol is synchronous', () => {
  finds(checkPurity, { 'packages/protocol/x.ts': 'async function f(): Promise<void> {}' }, /"async"/, /"Promise"/)
  accepts(checkPurity, {
    'packages/protocol/x.test.ts': 'await f()',
    'packages/api/x.ts': 'await f()',
    'packages/protocol/y.ts': 'a.async',
  })
})

describe('size', () => {
  const lines = (count: number): string => 'a\n'.repeat(count)
  const longFunction = `function f() {\n${lines(80)}}\n`

  test('a file has at most 500 lines, a function 70', () => {
    accepts(checkSize, { 'packages/api/x.ts': lines(500), 'packages/api/y.ts': `function f() {\n${lines(68)}}\n` })
    finds(checkSize, { 'packages/api/x.ts': lines(501) }, /the file has 501 lines/)
    finds(checkSize, { 'packages/api/x.ts': `\n${longFunction}` }, /:2 f has 82 lines, over the 70/)
  })

  test('generated files and groups of tests are free', () => {
    accepts(checkSize, { 'packages/api/generated/a/x.ts': lines(900) })
    const group = (count: number): string => `test('a', () => {\n${lines(count)}})\n`
    accepts(checkSize, { 'packages/api/x.test.ts': `describe('x', () => {\n${group(50)}${group(50)}})\n` })
    finds(checkSize, { 'packages/api/x.test.ts': `describe('x', () => {\n${group(90)}})\n` }, /has 92 lines/)
  })

  test('what is recorded may only shrink', () => {
    const recorded = (record: object): Files => ({
      'packages/api/x.ts': longFunction,
      'tools/tidy-ratchet.json': JSON.stringify({ 'packages/api/x.ts': record }),
    })
    accepts(checkSize, recorded({ longestFunction: 82 }))
    finds(checkSize, recorded({ longestFunction: 81 }), /over the 81/)
    finds(checkSize, recorded({ longestFunction: 90 }), /has shrunk: its "longestFunction" is now 82/)
    assert.deepEqual(shrinkRatchet(repositoryOf(recorded({ longestFunction: 90 }))), {
      'packages/api/x.ts': { longestFunction: 82 },
    })
    assert.deepEqual(shrinkRatchet(repositoryOf(recorded({ longestFunction: 75 }))), {
      'packages/api/x.ts': { longestFunction: 75 },
    })
    assert.deepEqual(shrinkRatchet(repositoryOf(recorded({ lines: 600 }))), {})
    finds(checkSize, { 'tools/tidy-ratchet.json': '{ "packages/api/gone.ts": {} }' }, /does not exist any more/)
  })
})

describe('modules', () => {
  const at = (source: string): Files => ({ 'packages/api/x.ts': source })

  test('a barrel is refused, an export of its own is not', () => {
    finds(checkModules, at("export * from './a.ts'\nexport const b = 1"), /not all of another/)
    finds(checkModules, at("export { a } from './a.ts'\nexport type { B } from './b.ts'"), /only re-exports/)
    accepts(checkModules, at("export { a } from './a.ts'\nexport const b = 1"))
    accepts(checkModules, at("import { a } from './a.ts'\nexport { a }\nexport function b() {}"))
  })

  test('only erasable TypeScript', () => {
    finds(checkModules, at('export enum A { B }'), /union of strings/)
    finds(checkModules, at('const enum A { B }'), /union of strings/)
    finds(checkModules, at('namespace A.B { }'), /module of its own/)
    finds(checkModules, at("import a = require('b')"), /import declaration/)
    finds(checkModules, at('class A { @b() c }'), /decorators/)
    finds(checkModules, at('class A { constructor(a: B, private readonly c: D) {} }'), /parameter property/)
    accepts(checkModules, at('class A { constructor(readonly: boolean, b: { readonly c: D }) {} }'))
    accepts(checkModules, at('a.enum = b; const c = { enum: [1], module: 2 }; type D = { enum: string[] }'))
  })
})

describe('folders', () => {
  const code = { 'packages/api/x.ts': '' }
  test('a folder with code has a README that begins with a sentence', () => {
    accepts(checkFolders, { ...code, 'packages/api/README.md': 'What it is.\n\nMore.' })
    finds(checkFolders, code, /no README/)
    finds(checkFolders, { ...code, 'packages/api/README.md': '# api\n' }, /first line is one sentence/)
    finds(checkFolders, { ...code, 'packages/api/README.md': 'no full stop' }, /first line is one sentence/)
    accepts(checkFolders, { 'packages/api/generated/a/x.ts': '' })
  })

  test('the map collects the sentences, with their links seen from docs', () => {
    const map = renderMap(
      repositoryOf({
        ...code,
        'packages/api/README.md': 'As [there](../b/c.md) or [here](https://x).',
        'packages/api/SPEC.md': '',
      }),
    )
    assert.match(
      map,
      /- \[`packages\/api\/`\]\(\.\.\/packages\/api\) As \[there\]\(\.\.\/packages\/b\/c\.md\) or \[here\]\(https:\/\/x\)\. \[Numbered/,
    )
  })
})

describe('endpoints', () => {
  const generated = {
    'packages/api/generated/client-server/room_send.ts':
      'export const sendMessage: Operation<A> = o({\n})\nexport const other: Operation<B> = o({})\n',
  }
  const endpoint =
    "import * as room_send from '@holdfast/api/generated/client-server/room_send'\nexport const a = route(room_send.sendMessage, f)\n"
  const missing = (list: object): Files => ({ 'tools/missing-operations.json': JSON.stringify(list) })

  test('what has no endpoint is listed, what is listed has none', () => {
    const files = { ...generated, 'packages/homeserver/client-server/room_send.ts': endpoint }
    accepts(checkEndpoints, { ...files, ...missing({ 'client-server/room_send': ['other'] }) })
    finds(checkEndpoints, { ...files, ...missing({}) }, /room_send other has no endpoint/)
    finds(
      checkEndpoints,
      { ...files, ...missing({ 'client-server/room_send': ['other', 'sendMessage'] }) },
      /sendMessage: listed and not missing/,
    )
    assert.deepEqual(missingOperations(repositoryOf(files)), { 'client-server/room_send': ['other'] })
    const long = {
      ...files,
      ...missing({ 'client-server/room_send': ['other', 'sendMessage'], 'client-server/gone': ['x'] }),
    }
    assert.deepEqual(shrinkMissing(repositoryOf(long)), { 'client-server/room_send': ['other'] })
  })

  test('an endpoint stands in the file that is named as its definition, once', () => {
    const listed = { ...generated, ...missing({ 'client-server/room_send': ['other'] }) }
    finds(
      checkEndpoints,
      { ...listed, 'packages/homeserver/client-server/send.ts': endpoint },
      /belongs in .*room_send\.ts/,
    )
    const twice = `${endpoint}const b = route(room_send.sendMessage, g)`
    finds(
      checkEndpoints,
      { ...listed, 'packages/homeserver/client-server/room_send.ts': twice },
      /has an endpoint already/,
    )
  })

  test('an operation may be varied before it is served', () => {
    const varied =
      "import * as rs from '@holdfast/api/generated/client-server/room_send'\nconst one: typeof rs.other = {\n  ...rs.other,\n}\nroute(rs.sendMessage, f); route(one, g)"
    accepts(checkEndpoints, { ...generated, 'packages/homeserver/client-server/room_send.ts': varied })
  })

  test('an operation may be imported by its name', () => {
    const named =
      "import { sendMessage, other } from '@holdfast/api/generated/client-server/room_send'\nroute(sendMessage, f); route(other, g)"
    accepts(checkEndpoints, { ...generated, 'packages/homeserver/client-server/room_send.ts': named })
  })
})

describe('specification', () => {
  const spec = { 'packages/api/SPEC.md': '# Spec\n\n- [RC4] A soft-failed event is stored.\n' }
  test('a numbered behaviour has a test, a test names a numbered behaviour', () => {
    accepts(checkBehaviours, { ...spec, 'packages/api/x.test.ts': "test('[RC4] soft-failed event is stored', f)" })
    finds(checkBehaviours, spec, /SPEC\.md:3 \[RC4\] has no test/)
    finds(
      checkBehaviours,
      { ...spec, 'packages/api/x.test.ts': "test('[RC4] [RC5] a', f)" },
      /\[RC5\] is not in any SPEC/,
    )
    finds(
      checkBehaviours,
      { ...spec, 'packages/b/SPEC.md': '**[RC4]** Again.', 'packages/api/x.test.ts': "test('[RC4] a', f)" },
      /is defined in/,
    )
  })

  test('links lead to a version of the specification and to a section', () => {
    const at = (link: string): Files => ({ 'packages/api/x.ts': `// see ${link}` })
    for (const link of [
      'https://spec.matrix.org/v1.19/client-server-api/#syncing',
      'https://spec.matrix.org/v1.19/rooms/v8/#authorization-rules.',
      '<spec>/rooms/v8/#authorization-rules',
      'https://spec.matrix.org/legacy/client_server/r0.4.0.html#login',
      'https://spec.matrix.org/v1.19/rooms/v12/',
      'https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3sync).',
    ])
      accepts(checkLinks, at(link))
    finds(checkLinks, at('https://spec.matrix.org/latest/rooms/v8/'), /moves/)
    finds(checkLinks, at('https://spec.matrix.org/v1.19/client-server/#x'), /not a page/)
    finds(checkLinks, at('https://matrix.org/docs/spec/client_server'), /not a page/)
    finds(checkLinks, at('https://spec.matrix.org/v1.19/client-server-api/'), /whole book/)
    accepts(checkLinks, { 'README.md': 'https://spec.matrix.org/v1.19/client-server-api/' })
  })
})

test('links between pages lead somewhere', () => {
  const page = (text: string): Files => ({ 'docs/a.md': text, 'docs/adr/b.md': '', 'README.md': '' })
  accepts(checkPageLinks, page('[a](../README.md) [b](adr/) [c](adr/b.md#x) [d](https://x.y/z) [e](#here)'))
  finds(checkPageLinks, page('[a](gone.md) [b](../nowhere/)'), /gone\.md leads nowhere/, /nowhere\/ leads nowhere/)
})

describe('notes', () => {
  test('what is left undone names its issue', () => {
    accepts(checkNotes, { 'packages/api/x.ts': "// TODO(#12): more\nconst TODO = 'TODO'" })
    finds(checkNotes, { 'packages/api/x.ts': '/* a\n * TODO: more */' }, /:2 "TODO" names no issue/)
    finds(checkNotes, { 'packages/api/x.ts': '// FIXME(#1)' }, /"FIXME"/)
  })

  test('comments name papers that the reader has', () => {
    finds(checkNotes, { 'packages/api/x.ts': '/** As agreed (DESIGN 4). */' }, /"DESIGN 4" is not in this repository/)
    finds(checkNotes, { 'packages/api/x.ts': '// STYLE R7, see security.md 3.1' }, /"STYLE R7" is not/)
    accepts(checkNotes, { 'packages/api/x.ts': '// docs/ARCHITECTURE.md 4, CONTRIBUTING R7. DESIGN is hard.' })
  })

  test('a skipped test names its issue, and none runs alone', () => {
    const at = (source: string): Files => ({ 'packages/api/x.test.ts': source })
    finds(checkNotes, at("test.skip('a', f)"), /"skip" names no issue/)
    finds(checkNotes, at("test('a', { skip: true }, f)"), /"skip" names no issue/)
    finds(checkNotes, at("describe.only('a', f)"), /keeps the other tests/)
    finds(checkNotes, at('t.todo()'), /"todo" names no issue/)
    accepts(checkNotes, at("// #7: needs X\ntest.skip('a', f)\nconst filter = { only: 1, skip: 2 }\narray.skip(3)"))
    accepts(checkNotes, at("test('a', { skip: process.platform !== 'linux' }, f)"))
    accepts(checkNotes, { 'packages/api/x.ts': 'it.skip(1)' })
  })
})
