/** No barrels, and only TypeScript that disappears when its types are erased. */
import { type Token, pairBrackets } from '../tokens.ts'
import { type Finding, type Repository, type SourceFile } from '../repository.ts'

export function checkModules(repository: Repository): Finding[] {
  return repository.sources.flatMap((file) => [...barrelFindings(file), ...erasableFindings(file)])
}

function barrelFindings(file: SourceFile): Finding[] {
  const exported = file.imports.filter(({ kind }) => kind === 'export')
  const everything = exported
    .filter(({ names }) => names.some(({ name }) => name === '*'))
    .map(({ line }) => ({
      path: file.path,
      line,
      rule: 'barrel',
      message: 'export what this file defines, not all of another',
    }))
  const exportWords = file.tokens.filter(
    (token, index) => token.text === 'export' && file.tokens[index - 1]?.text !== '.',
  )
  if (exported.length === 0 || exportWords.length > exported.length || hasOwnCode(file)) return everything
  const message = 'this file only re-exports: import the file that defines the thing'
  return [...everything, { path: file.path, line: 1, rule: 'barrel', message }]
}

/** Anything besides imports and re-exports: a declaration or a statement. */
function hasOwnCode(file: SourceFile): boolean {
  return file.tokens.some(
    ({ kind, text }) => kind === 'word' && /^(const|let|function|class|interface|if|for|await|new|test)$/.test(text),
  )
}

const MODIFIERS = new Set(['public', 'private', 'protected', 'readonly', 'override'])

function erasableFindings(file: SourceFile): Finding[] {
  const pairs = pairBrackets(file.tokens)
  return file.tokens.flatMap((token, index) => {
    const message = erasableProblem(file.tokens, pairs, index)
    return message === undefined ? [] : [{ path: file.path, line: token.line, rule: 'erasable', message }]
  })
}

function erasableProblem(
  tokens: readonly Token[],
  pairs: ReadonlyMap<number, number>,
  index: number,
): string | undefined {
  const token = tokens[index]
  const [before, after, second] = [tokens[index - 1], tokens[index + 1], tokens[index + 2]]
  if (token?.kind === 'punctuator' && token.text === '@' && after?.kind === 'word') return 'decorators are not erasable'
  if (token?.kind !== 'word' || before?.text === '.' || (after?.kind !== 'word' && token.text !== 'constructor'))
    return undefined
  if (token.text === 'enum' && second?.text === '{') return 'use a union of strings instead of an enum'
  if ((token.text === 'namespace' || token.text === 'module') && (second?.text === '{' || second?.text === '.')) {
    return 'use a module of its own instead of a namespace'
  }
  if (token.text === 'import' && second?.text === '=') return 'use an import declaration'
  return token.text === 'constructor' ? parameterPropertyProblem(tokens, pairs, index) : undefined
}

function parameterPropertyProblem(
  tokens: readonly Token[],
  pairs: ReadonlyMap<number, number>,
  index: number,
): string | undefined {
  const close = pairs.get(index + 1)
  if (tokens[index + 1]?.text !== '(' || close === undefined) return undefined
  for (let at = index + 2; at < close; at += 1) {
    const token = tokens[at]
    const opens = tokens[at - 1]?.text === '(' || tokens[at - 1]?.text === ','
    if (opens && MODIFIERS.has(token?.text ?? '') && tokens[at + 1]?.kind === 'word') {
      return 'declare the field and assign it: a parameter property is not erasable'
    }
    if (token?.text === '(' || token?.text === '{' || token?.text === '[') at = pairs.get(at) ?? at
  }
  return undefined
}
