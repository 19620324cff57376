/** Statement lists in one engine's terms, as they travel from `commit` to the engine's writer. */
import { isMet, type Constraint, type Expectation, type Statement, type StatementResult } from './database.ts'
import { assertKind, type Rendered } from './render.ts'
import { ListParameter, PositionPlaceholder, type SqlParameter, type SqlValue, type Sql } from './sql.ts'

/** Values as the driver takes them. `positioned` names the values that are offsets and become positions in the commit. */
export type PreparedStatement<Value> = {
  readonly id: number
  readonly text: string
  readonly values: readonly Value[]
  readonly positioned: readonly number[]
  readonly expect: Expectation | undefined
}

export type PreparedList<Value> = {
  readonly statements: readonly PreparedStatement<Value>[]
  readonly positions: number
}

export type Encoding<Value> = {
  readonly render: (sql: Sql) => Rendered
  value(value: SqlValue): Value
  list(list: ListParameter): Value
  /** An offset or position. */
  position(offset: number): Value
}

const NONE: readonly number[] = []

/** Takes a copy of the list in the engine's terms; throws on a mistake in it (wrong kinds, an offset without position). */
export function prepareList<Value>(
  encoding: Encoding<Value>,
  statements: readonly Statement[],
  positions: number,
): PreparedList<Value> {
  assertInteger(positions)
  const prepared = statements.map(({ sql, expect }) => {
    const rendered = encoding.render(sql)
    const values = encodeAll(encoding, sql, rendered)
    return { id: rendered.id, text: rendered.text, values, positioned: positionedIn(sql, positions), expect }
  })
  return { statements: prepared, positions }
}

/** A read, which can name no position. */
export function prepareRead<Value>(
  encoding: Encoding<Value>,
  sql: Sql,
): { readonly id: number; readonly text: string; readonly values: readonly Value[] } {
  const rendered = encoding.render(sql)
  return { id: rendered.id, text: rendered.text, values: encodeAll(encoding, sql, rendered) }
}

function encodeAll<Value>(encoding: Encoding<Value>, sql: Sql, rendered: Rendered): Value[] {
  return sql.parameters.map((parameter, index) => {
    assertKind(rendered, index, parameter)
    return encode(encoding, parameter)
  })
}

/** The driver's values with the list's positions filled in. */
export function withPositions<Value>(
  statement: PreparedStatement<Value>,
  fill: (offset: Value) => Value,
): readonly Value[] {
  if (statement.positioned.length === 0) return statement.values
  const values = [...statement.values]
  for (const index of statement.positioned) values[index] = fill(values[index] as Value)
  return values
}

function encode<Value>(encoding: Encoding<Value>, parameter: SqlParameter): Value {
  if (parameter instanceof ListParameter) return encoding.list(parameter)
  if (parameter instanceof PositionPlaceholder) return encoding.position(parameter.offset)
  return encoding.value(parameter)
}

function positionedIn(sql: Sql, positions: number): readonly number[] {
  let found: number[] | undefined
  for (const [index, parameter] of sql.parameters.entries()) {
    if (!(parameter instanceof PositionPlaceholder)) continue
    if (parameter.offset >= positions) {
      throw new RangeError(`position(${parameter.offset}) in a list that asked for ${positions} positions`)
    }
    found ??= []
    found.push(index)
  }
  return found ?? NONE
}

/** Integers stay exact in JavaScript and in both engines' 64-bit columns. */
export function assertInteger(value: number): void {
  if (!Number.isSafeInteger(value)) throw new TypeError(`not an exact integer: ${value}`)
}

/** What became of one list. Plain data, because it may come from a worker thread. */
export type Outcome =
  | {
      readonly kind: 'committed'
      readonly firstPosition: number | undefined
      readonly results: readonly StatementResult[]
    }
  | { readonly kind: 'expectation'; readonly index: number; readonly result: StatementResult }
  | {
      readonly kind: 'refused'
      readonly index: number
      readonly constraint: Constraint | undefined
      readonly message: string
    }
  | { readonly kind: 'unavailable'; readonly message: string; readonly outcomeUnknown?: boolean }

export type Refusal = Exclude<Outcome, { kind: 'committed' | 'unavailable' }>

export function brokenExpectation(
  statement: PreparedStatement<unknown>,
  index: number,
  result: StatementResult,
): Refusal | undefined {
  return isMet(statement.expect, result) ? undefined : { kind: 'expectation', index, result }
}
