/** The repository as tidy sees it: source files with their tokens, other files as text. */
import { readFileSync, readdirSync } from 'node:fs'
import { join, posix, relative, sep } from 'node:path'
import { type Import, findImports } from './imports.ts'
import { type Comment, type Token, tokenize } from './tokens.ts'

export type Finding = { readonly path: string; readonly line: number; readonly rule: string; readonly message: string }

export type SourceFile = {
  /** From the repository's root, with `/`. */
  readonly path: string
  /** The folder that holds it. */
  readonly folder: string
  readonly text: string
  readonly lineCount: number
  readonly tokens: readonly Token[]
  readonly comments: readonly Comment[]
  readonly imports: readonly Import[]
  readonly isTest: boolean
}

export type Repository = {
  /** TypeScript that people write, sorted by path. */
  readonly sources: readonly SourceFile[]
  /** Every file's path under the roots, generated ones too, sorted. */
  readonly paths: readonly string[]
  has(path: string): boolean
  /** The text of a file; undefined when there is none. */
  read(path: string): string | undefined
}

export const ROOTS = ['packages', 'tools', 'bench', 'interop', 'docs'] as const
const GENERATED = /^packages\/api\/generated\//
/** Files that exist to be tested or to test: helpers of tests are named `*.fixture.ts` or stand in such a folder. */
const TEST_FILE = /\.(test|fixture|contract)\.ts$|(^|\/)(fixtures?|testing)\//

export function isGenerated(path: string): boolean {
  return GENERATED.test(path)
}

export function repositoryOf(files: Readonly<Record<string, string>>): Repository {
  return makeRepository(Object.keys(files), (path) => files[path])
}

export function loadRepository(root: string): Repository {
  const paths = ROOTS.flatMap((folder) => listFiles(root, join(root, folder)))
  const extra = readdirSync(root, { withFileTypes: true }).filter((entry) => entry.isFile())
  return makeRepository([...paths, ...extra.map((entry) => entry.name)], (path) => readText(join(root, path)))
}

function makeRepository(paths: readonly string[], read: (path: string) => string | undefined): Repository {
  const sorted = paths.toSorted()
  const known = new Set(sorted)
  const sources = sorted.filter((path) => path.endsWith('.ts') && !isGenerated(path))
  return {
    paths: sorted,
    sources: sources.map((path) => sourceFile(path, read(path) ?? '')),
    has: (path) => known.has(path),
    read: (path) => (known.has(path) ? read(path) : undefined),
  }
}

export function sourceFile(path: string, text: string): SourceFile {
  const { tokens, comments } = tokenize(text)
  return {
    path,
    folder: posix.dirname(path),
    text,
    lineCount: text === '' ? 0 : text.replace(/\n$/, '').split('\n').length,
    tokens,
    comments,
    imports: findImports(tokens),
    isTest: TEST_FILE.test(path),
  }
}

function listFiles(root: string, folder: string): string[] {
  let entries
  try {
    entries = readdirSync(folder, { withFileTypes: true })
  } catch {
    return [] // a root that does not exist has no files
  }
  return entries.flatMap((entry) => {
    if (entry.name === 'node_modules' || entry.name.startsWith('.')) return []
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return listFiles(root, path)
    return entry.isFile() ? [relative(root, path).split(sep).join('/')] : []
  })
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined // removed since it was listed
  }
}

/** Where an import of ours leads: a path in the repository, or undefined for packages of others and `node:` modules. */
export function resolveImport(fromFolder: string, specifier: string): string | undefined {
  if (specifier.startsWith('.')) return posix.join(fromFolder, specifier)
  const match = /^@holdfast\/([^/]+)\/(.+)$/.exec(specifier)
  return match === null ? undefined : `packages/${match[1]}/${match[2]}.ts`
}

/** `packages/x/y.ts` → `x`. */
export function packageOf(path: string): string | undefined {
  return /^packages\/([^/]+)\//.exec(path)?.[1]
}
