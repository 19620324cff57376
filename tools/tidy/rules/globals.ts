/** Time, chance and the world are parameters: their globals are banned outside of packages/platform. */
import { type Token, pairBrackets } from '../tokens.ts'
import { type Finding, type Repository, type SourceFile, packageOf } from '../repository.ts'

const CLOCK = 'take a Clock (packages/platform/clock)'
const RANDOM = 'take a Random (packages/platform/random)'
const HTTP = 'take the HttpClient (packages/platform/http)'

/** A global, or a member of one, and what to use instead. */
const BANNED: readonly { readonly name: string; readonly member?: string; readonly instead: string }[] = [
  { name: 'Date', instead: CLOCK },
  { name: 'performance', instead: CLOCK },
  { name: 'setTimeout', instead: CLOCK },
  { name: 'setInterval', instead: CLOCK },
  { name: 'setImmediate', instead: CLOCK },
  { name: 'AbortSignal', member: 'timeout', instead: CLOCK },
  { name: 'process', member: 'hrtime', instead: CLOCK },
  { name: 'Math', member: 'random', instead: RANDOM },
  { name: 'crypto', member: 'randomUUID', instead: RANDOM },
  { name: 'crypto', member: 'getRandomValues', instead: RANDOM },
  { name: 'crypto', member: 'subtle', instead: 'use the synchronous node:crypto (packages/protocol/signing)' },
  { name: 'fetch', instead: HTTP },
  { name: 'WebSocket', instead: HTTP },
  { name: 'XMLHttpRequest', instead: HTTP },
  { name: 'EventSource', instead: HTTP },
  { name: 'process', member: 'env', instead: 'take the configuration (packages/platform/config)' },
  { name: 'process', member: 'exit', instead: 'set process.exitCode and let the work drain' },
  { name: 'console', instead: 'take a logger (packages/platform/log); a command writes to process.stdout' },
]

/** Named imports that would carry the same things in by another door. */
const BANNED_IMPORTS: Readonly<Record<string, { readonly names: readonly string[]; readonly instead: string }>> = {
  'node:crypto': {
    names:
      'randomUUID randomUUIDv7 randomBytes randomInt randomFill randomFillSync getRandomValues generateKeyPair generateKeyPairSync generateKey generateKeySync'.split(
        ' ',
      ),
    instead: RANDOM,
  },
}

export function checkGlobals(repository: Repository): Finding[] {
  return repository.sources
    .filter((file) => applies(file))
    .flatMap((file) => [...useFindings(file), ...importFindings(file)])
}

function applies(file: SourceFile): boolean {
  const name = packageOf(file.path)
  return name !== undefined && name !== 'platform' && !file.isTest
}

function useFindings(file: SourceFile): Finding[] {
  const pairs = pairBrackets(file.tokens)
  return file.tokens.flatMap((token, index) => {
    if (token.kind !== 'word') return []
    const bans = BANNED.filter(({ name }) => name === token.text)
    const ban = bans.find(({ member }) => member === undefined || memberAt(file.tokens, index) === member)
    if (ban === undefined || !isGlobal(file.tokens, pairs, index) || isDeclared(file.tokens, pairs, token.text))
      return []
    const name = ban.member === undefined ? ban.name : `${ban.name}.${ban.member}`
    return [
      { path: file.path, line: token.line, rule: 'banned-global', message: `${name} is banned here: ${ban.instead}` },
    ]
  })
}

function importFindings(file: SourceFile): Finding[] {
  return file.imports.flatMap(({ specifier, names, line }) => {
    const banned = BANNED_IMPORTS[specifier]
    return names
      .filter(({ name }) => banned?.names.includes(name) === true)
      .map(({ name }) => ({
        path: file.path,
        line,
        rule: 'banned-global',
        message: `${name} is banned here: ${banned?.instead}`,
      }))
  })
}

/** `x.y`, `x?.y` or `x['y']`. */
function memberAt(tokens: readonly Token[], index: number): string | undefined {
  const after = tokens[index + 1]?.text
  const member = tokens[index + 2]
  if (after === '.' || after === '?.') return member?.text
  return after === '[' && member?.kind === 'string' ? member.text.slice(1, -1) : undefined
}

const OPENS_MEMBER = new Set(['{', ',', ';', '}'])

/** Not a member of something else, a key, or the name of a method. */
function isGlobal(tokens: readonly Token[], pairs: ReadonlyMap<number, number>, index: number): boolean {
  const before = tokens[index - 1]
  const after = tokens[index + 1]?.text
  if (before?.text === '.' || before?.text === '?.') return tokens[index - 2]?.text === 'globalThis'
  const mayBeMember =
    before === undefined ||
    OPENS_MEMBER.has(before.text) ||
    ['async', 'readonly', 'get', 'static', 'function'].includes(before.text) ||
    (before.line < (tokens[index]?.line ?? 0) && before.kind !== 'punctuator') ||
    before.text === ')' ||
    before.text === '>'
  if (!mayBeMember) return true
  if (after === ':' || (after === '?' && tokens[index + 2]?.text === ':')) return false
  const close = after === '(' ? pairs.get(index + 1) : undefined
  const afterCall = close === undefined ? undefined : tokens[close + 1]?.text
  return afterCall !== ':' && afterCall !== '{'
}

/** Whether the file itself declares the name, so that it does not mean the global. */
function isDeclared(tokens: readonly Token[], pairs: ReadonlyMap<number, number>, name: string): boolean {
  return tokens.some((token, index) => {
    if (token.text !== name || token.kind !== 'word') return false
    const before = tokens[index - 1]?.text ?? ''
    const after = tokens[index + 1]?.text ?? ''
    if (['const', 'let', 'var', 'function', 'class'].includes(before)) return true
    if ((before === '(' || before === ',') && (after === ':' || (after === '?' && tokens[index + 2]?.text === ':')))
      return isParameter(tokens, pairs, index)
    return (
      (before === '{' || before === ',') && (after === '}' || after === ',') && isDestructured(tokens, pairs, index)
    )
  })
}

function isParameter(tokens: readonly Token[], pairs: ReadonlyMap<number, number>, index: number): boolean {
  const open = openerBefore(tokens, pairs, index)
  return open !== undefined && tokens[open]?.text === '('
}

/** Inside of `const { x } =`, `({ x }: T)` or `import { x }`. */
function isDestructured(tokens: readonly Token[], pairs: ReadonlyMap<number, number>, index: number): boolean {
  const open = openerBefore(tokens, pairs, index)
  const close = open === undefined ? undefined : pairs.get(open)
  if (open === undefined || close === undefined) return false
  const [before, after] = [tokens[open - 1]?.text ?? '', tokens[close + 1]?.text ?? '']
  if (before === 'import' || before === 'const' || before === 'let') return true
  return (before === '(' || before === ',') && (after === ':' || after === '=')
}

function openerBefore(tokens: readonly Token[], pairs: ReadonlyMap<number, number>, index: number): number | undefined {
  for (let at = index - 1; at >= 0; at -= 1) {
    const text = tokens[at]?.text
    if (text === '{' || text === '(' || text === '[' || text === '${') return at
    if (text === '}' || text === ')' || text === ']') at = pairs.get(at) ?? 0
  }
  return undefined
}
