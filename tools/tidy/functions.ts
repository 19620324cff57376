/** Where functions begin and end, for the size rule. */
import { type Token, pairBrackets } from './tokens.ts'

export type FunctionSpan = {
  readonly name: string
  readonly line: number
  /** Lines from the first parameter's line to the end of the body, both counted. */
  readonly lines: number
  /** The word before the call that this function is handed to, such as `describe`. */
  readonly argumentOf: string | undefined
}

type Source = { readonly tokens: readonly Token[]; readonly pairs: ReadonlyMap<number, number> }

const NOT_A_FUNCTION = new Set(['if', 'for', 'while', 'switch', 'catch', 'with'])
const CONTINUES_EXPRESSION = new Set(
  '. ?. + - * / % ** & | ^ && || ?? = == === != !== < > <= >= ? : => ( [ , in of instanceof as satisfies'.split(' '),
)

export function findFunctions(tokens: readonly Token[]): FunctionSpan[] {
  const source = { tokens, pairs: pairBrackets(tokens) }
  const spans: FunctionSpan[] = []
  tokens.forEach((token, index) => {
    if (token.text === '(' && token.kind === 'punctuator') addIfFunction(source, index, spans)
    if (token.text === '=>' && tokens[index - 1]?.kind === 'word') addArrow(source, index - 1, index, spans)
  })
  return spans
}

/** `(` begins parameters if after its `)` and perhaps a type there is `=>`, or `{` that no control word claims. */
function addIfFunction(source: Source, open: number, spans: FunctionSpan[]): void {
  const { tokens, pairs } = source
  const close = pairs.get(open)
  if (close === undefined) return
  let next = close + 1
  if (tokens[next]?.text === ':') next = endOfType(source, next + 1)
  if (tokens[next]?.text === '=>') return addArrow(source, open, next, spans)
  const before = wordBeforeParameters(source, open)
  if (tokens[next]?.text !== '{' || before === undefined || NOT_A_FUNCTION.has(before.text)) return
  const end = pairs.get(next)
  if (end !== undefined) add(source, { name: before.text, first: open, last: end, argumentOf: undefined }, spans)
}

function addArrow(source: Source, first: number, arrow: number, spans: FunctionSpan[]): void {
  const { tokens, pairs } = source
  const body = arrow + 1
  const last = tokens[body]?.text === '{' ? pairs.get(body) : endOfExpression(source, body)
  if (last !== undefined) add(source, { ...namesOfArrow(source, first), first, last }, spans)
}

type Found = { name: string; first: number; last: number; argumentOf: string | undefined }

function add({ tokens }: Source, { name, first, last, argumentOf }: Found, spans: FunctionSpan[]): void {
  const line = tokens[first]?.line ?? 0
  spans.push({ name, line, lines: (tokens[last]?.endLine ?? line) - line + 1, argumentOf })
}

/** The name of the function or method whose parameters begin at `open`, past type parameters. */
function wordBeforeParameters({ tokens }: Source, open: number): Token | undefined {
  let index = open - 1
  if (tokens[index]?.text === '>') {
    let depth = 0
    do {
      if (tokens[index]?.text === '>') depth += 1
      if (tokens[index]?.text === '<') depth -= 1
      index -= 1
    } while (depth > 0 && index >= 0)
  }
  const token = tokens[index]
  if (token?.text === ']') return { ...token, kind: 'word', text: '[computed]' }
  return token?.kind === 'word' || token?.kind === 'string' ? token : undefined
}

/** `const name = (`, `name: (`, `name = async (`, and whose argument the function is. */
function namesOfArrow({ tokens, pairs }: Source, first: number): { name: string; argumentOf: string | undefined } {
  let index = first - 1
  if (tokens[index]?.text === 'async') index -= 1
  const before = tokens[index]
  if (before?.text === '=' || before?.text === ':') {
    return { name: tokens[index - 1]?.text ?? 'function', argumentOf: undefined }
  }
  return { name: 'function', argumentOf: callee(tokens, pairs, first) }
}

function callee(tokens: readonly Token[], pairs: ReadonlyMap<number, number>, from: number): string | undefined {
  for (let index = from - 1; index > 0; index -= 1) {
    const { text } = tokens[index] as Token
    if (text === '(') return tokens[index - 1]?.text
    if (text === '{' || text === ';') return undefined
    if (text === ')' || text === '}' || text === ']') index = pairs.get(index) ?? 0
  }
  return undefined
}

/** The index after the type that begins at `index`: where an operand is complete and nothing joins another to it. */
function endOfType(source: Source, start: number): number {
  const { tokens, pairs } = source
  let operandDone = false
  let index = start
  while (index < tokens.length) {
    const { text, kind } = tokens[index] as Token
    if (text === '{' || text === '(' || text === '[') {
      if (operandDone && text === '{') return index
      // `(…) => T` is a function type; `T[]` and `T[K]` go on.
      index = (pairs.get(index) ?? tokens.length) + 1
      if (text === '(' && tokens[index]?.text === '=>') index += 1
      else operandDone = true
    } else if (text === '<') {
      index = endOfTypeArguments(source, index)
      operandDone = true
    } else if (text === '|' || text === '&' || text === '.' || JOINING_WORDS.has(text)) {
      operandDone = false
      index += 1
    } else if (kind !== 'punctuator' && !operandDone) {
      operandDone = true
      index += 1
    } else {
      return index
    }
  }
  return index
}

const JOINING_WORDS = new Set('keyof typeof readonly unique asserts is extends infer new abstract ? :'.split(' '))

function endOfTypeArguments({ tokens, pairs }: Source, open: number): number {
  let index = open + 1
  while (index < tokens.length && tokens[index]?.text !== '>') {
    const { text } = tokens[index] as Token
    if (text === '<') index = endOfTypeArguments({ tokens, pairs }, index)
    else if (text === '(' || text === '[' || text === '{') index = (pairs.get(index) ?? tokens.length) + 1
    else index += 1
  }
  return index + 1
}

/** The last token of the expression that begins at `start`; a line break ends it where nothing joins the lines. */
function endOfExpression({ tokens, pairs }: Source, start: number): number {
  let index = start
  for (;;) {
    const { text } = tokens[index] ?? { text: '' }
    if (text === '(' || text === '[' || text === '{' || text === '${') index = pairs.get(index) ?? index
    const [current, next] = [tokens[index], tokens[index + 1]]
    if (current === undefined || next === undefined) return Math.min(index, tokens.length - 1)
    if (/^[)\]},;]$/.test(next.text)) return index
    // A `>` at the end of a line closes type arguments more often than it compares.
    const joined =
      CONTINUES_EXPRESSION.has(next.text) || (current.text !== '>' && CONTINUES_EXPRESSION.has(current.text))
    if (next.line > current.endLine && !joined) return index
    index += 1
  }
}
