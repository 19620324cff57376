/**
 * TypeScript source as tokens: enough to find identifiers, imports and function bodies without being fooled by what
 * stands in strings, templates, comments and regular expressions. Not a parser: it never fails, and checks nothing.
 */

export type TokenKind = 'word' | 'number' | 'string' | 'template' | 'regex' | 'punctuator'

export type Token = {
  readonly kind: TokenKind
  /** As in the source; a string or template piece includes its delimiters. */
  readonly text: string
  readonly line: number
  readonly endLine: number
}

export type Comment = { readonly text: string; readonly line: number; readonly endLine: number }

export type Tokens = { readonly tokens: readonly Token[]; readonly comments: readonly Comment[] }

// `>` is never joined with another `>`, so that nested type arguments close one by one.
const PUNCTUATORS =
  /\.\.\.|=>|===|!==|\*\*=|&&=|\|\|=|\?\?=|<<=|==|!=|<=|>=|&&|\|\||\?\?|\?\.(?!\d)|\+\+|--|\+=|-=|\*=|\/=|%=|&=|\|=|\^=|\*\*|<<|[{}()[\];,<>+\-*/%&|^!~?:=.@#]/y
const WORD = /#?[\p{ID_Start}$_][\p{ID_Continue}$\u200c\u200d]*/uy
const NUMBER = /0[xob][\da-f_]+n?|(?:\d[\d_]*(?:\.[\d_]*)?|\.\d[\d_]*)(?:e[+-]?\d[\d_]*)?n?/iy
const LINE_COMMENT = /\/\/[^\n]*/y
const BLOCK_COMMENT = /\/\*[^]*?(?:\*\/|$)/y
const STRING = /"(?:\\[^]|[^"\\\n])*"?|'(?:\\[^]|[^'\\\n])*'?/y
const REGEX = /\/(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\[\n])+\/[a-z]*/y
// From a backtick or the brace that ends a substitution, to the next backtick or the next substitution.
const TEMPLATE_PIECE = /[`}](?:\\[^]|\$(?!\{)|[^`\\$])*(?:`|\$\{|$)/y
const WHITESPACE = /[\s\ufeff]+/y

const WORDS_BEFORE_REGEX = new Set(
  'return typeof case in of delete void throw new instanceof await yield else do default extends'.split(' '),
)
const WORDS_BEFORE_CONDITION = new Set(['if', 'while', 'for', 'with'])

class Scanner {
  readonly #text: string
  readonly tokens: Token[] = []
  readonly comments: Comment[] = []
  /** For each open bracket, whether it is a template's substitution and what word stood before it. */
  readonly #open: { template: boolean; wordBefore: string }[] = []
  #closedCondition = false
  #offset = 0
  #line = 1

  constructor(text: string) {
    this.#text = text
  }

  scan(): Tokens {
    if (this.#text.startsWith('#!')) this.#offset = this.#text.indexOf('\n') >>> 0
    while (this.#offset < this.#text.length) this.#next()
    return { tokens: this.tokens, comments: this.comments }
  }

  #next(): void {
    if (this.#take(WHITESPACE) !== undefined) return
    if (this.#comment(LINE_COMMENT) || this.#comment(BLOCK_COMMENT)) return
    const character = this.#text[this.#offset]
    if (character === '`') return this.#templatePiece()
    if (character === '}' && this.#open.at(-1)?.template === true) {
      this.#open.pop()
      this.#push('punctuator', '}', 0)
      return this.#templatePiece()
    }
    if (character === '/' && this.#regexMayStart() && this.#token('regex', REGEX)) return
    if (this.#token('string', STRING) || this.#token('number', NUMBER) || this.#token('word', WORD)) return
    if (this.#punctuator()) return
    this.#offset += 1
  }

  /** Takes the match at the present place, and counts its lines. */
  #take(pattern: RegExp): { text: string; line: number } | undefined {
    pattern.lastIndex = this.#offset
    const text = pattern.exec(this.#text)?.[0]
    if (text === undefined || text === '') return undefined
    const line = this.#line
    this.#offset += text.length
    for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) this.#line += 1
    return { text, line }
  }

  #comment(pattern: RegExp): boolean {
    const taken = this.#take(pattern)
    if (taken !== undefined) this.comments.push({ ...taken, endLine: this.#line })
    return taken !== undefined
  }

  #token(kind: TokenKind, pattern: RegExp): boolean {
    const taken = this.#take(pattern)
    if (taken === undefined) return false
    this.tokens.push({ kind, ...taken, endLine: this.#line })
    return true
  }

  #push(kind: TokenKind, text: string, length: number): void {
    this.tokens.push({ kind, text, line: this.#line, endLine: this.#line })
    this.#offset += length
  }

  #templatePiece(): void {
    this.#token('template', TEMPLATE_PIECE)
    const piece = this.tokens.at(-1)
    if (piece?.kind !== 'template' || !piece.text.endsWith('${')) return
    this.#open.push({ template: true, wordBefore: '' })
    this.#push('punctuator', '${', 0)
  }

  #punctuator(): boolean {
    const before = this.tokens.at(-1)
    if (!this.#token('punctuator', PUNCTUATORS)) return false
    const text = this.tokens.at(-1)?.text
    if (text === '(' || text === '{' || text === '[') {
      this.#open.push({ template: false, wordBefore: before?.kind === 'word' ? before.text : '' })
    } else if (text === ')' || text === '}' || text === ']') {
      const opened = this.#open.pop()
      this.#closedCondition = text === ')' && WORDS_BEFORE_CONDITION.has(opened?.wordBefore ?? '')
    }
    return true
  }

  #regexMayStart(): boolean {
    const before = this.tokens.at(-1)
    if (before === undefined) return true
    if (before.kind === 'word') return WORDS_BEFORE_REGEX.has(before.text)
    if (before.kind !== 'punctuator') return false
    if (before.text === ')') return this.#closedCondition
    if (before.text === '!') return !this.#isOperand(this.tokens.at(-2))
    return before.text !== ']' && before.text !== '}' && before.text !== '++' && before.text !== '--'
  }

  #isOperand(token: Token | undefined): boolean {
    if (token === undefined) return false
    if (token.kind === 'word') return !WORDS_BEFORE_REGEX.has(token.text)
    return token.kind !== 'punctuator' || token.text === ')' || token.text === ']'
  }
}

export function tokenize(text: string): Tokens {
  return new Scanner(text).scan()
}

const CLOSERS: Readonly<Record<string, string>> = { '(': ')', '[': ']', '{': '}', '${': '}' }

/** For each bracket its partner's index, both ways; an unpaired bracket has none. */
export function pairBrackets(tokens: readonly Token[]): ReadonlyMap<number, number> {
  const pairs = new Map<number, number>()
  const open: number[] = []
  tokens.forEach((token, index) => {
    if (token.kind !== 'punctuator') return
    if (token.text in CLOSERS) open.push(index)
    else if (token.text === ')' || token.text === ']' || token.text === '}') {
      const opener = open.at(-1)
      if (opener === undefined || CLOSERS[tokens[opener]?.text ?? ''] !== token.text) return
      open.pop()
      pairs.set(opener, index)
      pairs.set(index, opener)
    }
  })
  return pairs
}
