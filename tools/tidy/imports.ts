/** What a module imports and exports, read from its tokens. */
import { type Token, pairBrackets } from './tokens.ts'

export type ImportedName = { readonly name: string; readonly typeOnly: boolean }

export type Import = {
  readonly specifier: string
  readonly kind: 'import' | 'export' | 'dynamic' | 'url'
  /** Erased when the types are stripped. */
  readonly typeOnly: boolean
  /** The names asked for; `*` for a namespace or `export *`, `default` for a default import. */
  readonly names: readonly ImportedName[]
  readonly line: number
}

export function findImports(tokens: readonly Token[]): Import[] {
  const pairs = pairBrackets(tokens)
  const found: Import[] = []
  tokens.forEach((token, index) => {
    if (token.kind !== 'word') return
    const after = tokens[index + 1]
    const before = tokens[index - 1]?.text
    if (before === '.' || before === '?.' || after === undefined) return
    if (token.text === 'import' && after.text === '(') push(found, dynamicImport(tokens, index))
    else if (token.text === 'import' && after.text !== '.') push(found, staticImport(tokens, pairs, index))
    else if (token.text === 'export') push(found, reExport(tokens, pairs, index))
    else if (token.text === 'URL' && before === 'new') push(found, moduleUrl(tokens, index))
  })
  return found
}

function push<T>(list: T[], item: T | undefined): void {
  if (item !== undefined) list.push(item)
}

function dynamicImport(tokens: readonly Token[], index: number): Import | undefined {
  const specifier = unquote(tokens[index + 2])
  if (specifier === undefined) return undefined
  const line = tokens[index]?.line ?? 0
  // `typeof import('x')` is a type.
  return {
    specifier,
    kind: 'dynamic',
    typeOnly: tokens[index - 1]?.text === 'typeof',
    names: [{ name: '*', typeOnly: false }],
    line,
  }
}

/** `new URL('./worker.ts', import.meta.url)` names a module, too. */
function moduleUrl(tokens: readonly Token[], index: number): Import | undefined {
  const specifier = unquote(tokens[index + 2])
  if (specifier === undefined || !specifier.endsWith('.ts') || tokens[index + 4]?.text !== 'import') return undefined
  return { specifier, kind: 'url', typeOnly: false, names: [], line: tokens[index]?.line ?? 0 }
}

function staticImport(tokens: readonly Token[], pairs: ReadonlyMap<number, number>, index: number): Import | undefined {
  const line = tokens[index]?.line ?? 0
  const bare = unquote(tokens[index + 1])
  if (bare !== undefined) return { specifier: bare, kind: 'import', typeOnly: false, names: [], line }
  const typeOnly = tokens[index + 1]?.text === 'type' && tokens[index + 2]?.text !== 'from'
  const names: ImportedName[] = []
  let at = index + (typeOnly ? 2 : 1)
  for (; at < tokens.length && tokens[at]?.text !== 'from'; at += 1) {
    const { text, kind } = tokens[at] as Token
    if (text === '{') {
      const close = pairs.get(at) ?? at
      names.push(...namesInBraces(tokens.slice(at + 1, close), typeOnly))
      at = close
    } else if (text === '*') {
      names.push({ name: '*', typeOnly })
      at += 2
    } else if (kind === 'word') {
      names.push({ name: 'default', typeOnly })
    } else if (text !== ',') {
      return undefined
    }
  }
  const specifier = unquote(tokens[at + 1])
  return specifier === undefined ? undefined : { specifier, kind: 'import', typeOnly, names, line }
}

function reExport(tokens: readonly Token[], pairs: ReadonlyMap<number, number>, index: number): Import | undefined {
  const typeOnly = tokens[index + 1]?.text === 'type'
  const at = index + (typeOnly ? 2 : 1)
  const line = tokens[index]?.line ?? 0
  if (tokens[at]?.text === '*') {
    const from = tokens[at + 1]?.text === 'as' ? at + 3 : at + 1
    const specifier = unquote(tokens[from + 1])
    return specifier === undefined
      ? undefined
      : { specifier, kind: 'export', typeOnly, names: [{ name: '*', typeOnly }], line }
  }
  const close = tokens[at]?.text === '{' ? pairs.get(at) : undefined
  if (close === undefined || tokens[close + 1]?.text !== 'from') return undefined
  const specifier = unquote(tokens[close + 2])
  const names = namesInBraces(tokens.slice(at + 1, close), typeOnly)
  return specifier === undefined ? undefined : { specifier, kind: 'export', typeOnly, names, line }
}

/** `a, type B, c as d`: the names as the other module calls them. */
function namesInBraces(tokens: readonly Token[], typeOnly: boolean): ImportedName[] {
  const names: ImportedName[] = []
  let entry: string[] = []
  for (const text of [...tokens.map((token) => token.text), ',']) {
    if (text !== ',') {
      entry.push(text)
      continue
    }
    const isType = entry[0] === 'type' && entry.length > 1 && entry[1] !== 'as'
    const name = entry[isType ? 1 : 0]
    if (name !== undefined) names.push({ name, typeOnly: typeOnly || isType })
    entry = []
  }
  return names
}

export function unquote(token: Token | undefined): string | undefined {
  return token?.kind === 'string' ? token.text.slice(1, -1) : undefined
}
