/** What is left undone has an issue: notes in comments, and tests that do not run. */
import { type Finding, type Repository, type SourceFile } from '../repository.ts'

const NOTE = /\b(TODO(?!\(#\d+\))|FIXME|XXX|HACK)\b/
/** Working papers that are not in the repository: comments name what a reader has. */
const ABSENT_PAPER = /\b(DESIGN(?:\.md)? \d+|STYLE(?:\.md)? R?\d+|(?:research\/)?(?:security|performance)\.md [\w.]+)/
const TEST_WORDS = new Set(['test', 'it', 'describe', 'suite'])

export function checkNotes(repository: Repository): Finding[] {
  const pages = repository.paths.filter((path) => path.endsWith('.md'))
  return [
    ...repository.sources.flatMap((file) => [...noteFindings(file), ...skipFindings(file)]),
    ...pages.flatMap((path) => noteFinding(path, { text: repository.read(path) ?? '', line: 1 }, ABSENT_PAPER)),
  ]
}

function noteFindings(file: SourceFile): Finding[] {
  return file.comments.flatMap((comment) => [
    ...noteFinding(file.path, comment, NOTE),
    ...noteFinding(file.path, comment, ABSENT_PAPER),
  ])
}

function noteFinding(path: string, { text, line }: { text: string; line: number }, pattern: RegExp): Finding[] {
  const match = pattern.exec(text)
  if (match === null) return []
  const at = line + text.slice(0, match.index).split('\n').length - 1
  const problem =
    pattern === NOTE
      ? 'names no issue: write TODO(#n), or do it'
      : 'is not in this repository: name docs/ARCHITECTURE.md n or CONTRIBUTING Rn'
  return [{ path, line: at, rule: 'note', message: `"${match[1]}" ${problem}` }]
}

function skipFindings(file: SourceFile): Finding[] {
  if (!file.isTest) return []
  return file.tokens.flatMap((token, index) => {
    const how = token.kind === 'word' ? skipAt(file, index) : undefined
    if (how === undefined) return []
    if (how === 'only') return [finding(file, token.line, '"only" keeps the other tests from running')]
    return namesIssue(file, token.line)
      ? []
      : [finding(file, token.line, `"${how}" names no issue: a skipped test says #n on its line or the one above`)]
  })
}

function finding(file: SourceFile, line: number, message: string): Finding {
  return { path: file.path, line, rule: 'skipped-test', message }
}

/** `test.skip(`, `t.skip(`, or `{ skip: …` among the options of a test. */
function skipAt({ tokens }: SourceFile, index: number): string | undefined {
  const word = tokens[index]?.text ?? ''
  if (word !== 'skip' && word !== 'only' && word !== 'todo') return undefined
  const [before, after] = [tokens[index - 1]?.text, tokens[index + 1]?.text]
  if (before === '.' && after === '(') {
    const object = tokens[index - 2]?.text ?? ''
    return TEST_WORDS.has(object) || object === 't' || object === 'context' ? word : undefined
  }
  if (after !== ':' || (before !== '{' && before !== ',')) return undefined
  // A test of what only one system has does not apply elsewhere; it is not put off.
  if (tokens[index + 2]?.text === 'process' && tokens[index + 4]?.text === 'platform') return undefined
  return isTestOption(tokens.slice(Math.max(0, index - 12), index).map((token) => token.text)) ? word : undefined
}

function isTestOption(before: readonly string[]): boolean {
  const open = before.lastIndexOf('{')
  return before[open - 1] === ',' && before[open - 3] === '(' && TEST_WORDS.has(before[open - 4] ?? '')
}

function namesIssue(file: SourceFile, line: number): boolean {
  const lines = file.text.split('\n')
  return [lines[line - 2], lines[line - 1]].some((text) => /#\d+/.test(text ?? ''))
}
