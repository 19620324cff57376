/** Turns an `Sql` template into one engine's text, once per template. */
import assert from 'node:assert/strict'
import { ListParameter, type Sql, type SqlParameter } from './sql.ts'

type ParameterKind = 'value' | 'integers' | 'texts'

/** Where the engines' texts differ: the name of the n-th parameter (from 1), and a test of membership in a list. */
export type Dialect = {
  parameter(number: number): string
  /** Stands in the place of `IN ${list}` (or `NOT IN ${list}`). */
  membership(list: { number: number; kind: 'integers' | 'texts'; negated: boolean }): string
}

/** A template in one engine's words. `id` is unique in the process and stands for the text in caches. */
export type Rendered = { readonly id: number; readonly text: string; readonly kinds: readonly ParameterKind[] }

const LIST_OPERATOR = /\b(NOT\s+)?IN\s*$/i

let lastId = 0

/** A renderer with its own cache. Templates live as long as the code that holds them, and so do their texts. */
export function createRenderer(dialect: Dialect): (sql: Sql) => Rendered {
  const cache = new WeakMap<TemplateStringsArray, Rendered>()
  return (sql) => {
    let rendered = cache.get(sql.strings)
    if (rendered === undefined) {
      rendered = render(dialect, sql)
      cache.set(sql.strings, rendered)
    }
    assert(sql.parameters.length === rendered.kinds.length, 'a template and its parameters belong together')
    return rendered
  }
}

/** A template is rendered for the kinds it was first used with; using it with others later is a mistake in the code. */
export function assertKind(rendered: Rendered, index: number, parameter: SqlParameter): void {
  if (kindOf(parameter) === rendered.kinds[index]) return
  throw new TypeError(`parameter ${index + 1} must always be of one kind (value or list): ${rendered.text}`)
}

function kindOf(parameter: SqlParameter): ParameterKind {
  return parameter instanceof ListParameter ? parameter.kind : 'value'
}

function render(dialect: Dialect, sql: Sql): Rendered {
  const kinds = sql.parameters.map(kindOf)
  let text = sql.strings[0] ?? ''
  for (const [index, kind] of kinds.entries()) {
    const number = index + 1
    text = kind === 'value' ? text + dialect.parameter(number) : withMembership(dialect, text, { number, kind })
    text += sql.strings[number] ?? ''
  }
  lastId += 1
  return { id: lastId, text: text.trim(), kinds }
}

function withMembership(dialect: Dialect, text: string, list: { number: number; kind: 'integers' | 'texts' }): string {
  const operator = LIST_OPERATOR.exec(text)
  if (operator === null) throw new TypeError(`a list parameter stands after IN or NOT IN only: ${text}`)
  return text.slice(0, operator.index) + dialect.membership({ ...list, negated: operator[1] !== undefined })
}
