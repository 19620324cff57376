/** Applies a group of statement lists in one transaction: the synchronous heart of the writer, on whichever thread. */
import type { StatementResult } from '../database.ts'
import {
  brokenExpectation,
  withPositions,
  type Outcome,
  type PreparedList,
  type PreparedStatement,
  type Refusal,
} from '../prepared.ts'
import { allRows, type SqliteConnection } from './connection.ts'
import { decodeRows, type SqliteValue } from './encoding.ts'
import { engineFault, messageOf, refusal } from './faults.ts'

type List = PreparedList<SqliteValue>
type Applied = { readonly results: readonly StatementResult[] } | { readonly refusal: Refusal }

/** Yields after this many statements, so that the thread can do other work in between: 1 to 4 ms. */
const STATEMENTS_PER_SLICE = 128

export class GroupApplier {
  readonly #connection: SqliteConnection
  #position: number
  #sinceYield = 0

  constructor(connection: SqliteConnection) {
    this.#connection = connection
    this.#position = readPosition(connection)
  }

  /** The newest position of a durable transaction. */
  get position(): number {
    return this.#position
  }

  /** Yields between slices; the transaction stays open meanwhile and nothing else may use the connection. */
  *apply(lists: readonly List[]): Generator<void, readonly Outcome[]> {
    try {
      return (yield* this.#together(lists)) ?? (yield* this.#oneByOne(lists))
    } catch (error) {
      this.#rollback()
      const message = engineFault(error) ?? `the transaction failed: ${messageOf(error)}`
      return lists.map(() => ({ kind: 'unavailable', message }))
    }
  }

  /** Without savepoints, as nearly every group goes. Undefined when one of several lists was refused: all is undone. */
  *#together(lists: readonly List[]): Generator<void, readonly Outcome[] | undefined> {
    let position = this.#position
    const outcomes: Outcome[] = []
    this.#connection.database.exec('BEGIN IMMEDIATE')
    for (const list of lists) {
      const applied = yield* this.#list(list, position)
      if ('refusal' in applied) {
        this.#rollback()
        return lists.length === 1 ? [applied.refusal] : undefined
      }
      outcomes.push(committed(list, position, applied.results))
      position += list.positions
    }
    this.#commit(position)
    return outcomes
  }

  /** Each list in a savepoint, so that a refused one is undone alone and takes no positions. */
  *#oneByOne(lists: readonly List[]): Generator<void, readonly Outcome[]> {
    let position = this.#position
    const outcomes: Outcome[] = []
    const { database } = this.#connection
    database.exec('BEGIN IMMEDIATE')
    for (const list of lists) {
      database.exec('SAVEPOINT list')
      const applied = yield* this.#list(list, position)
      if ('refusal' in applied) {
        database.exec('ROLLBACK TO list; RELEASE list')
        outcomes.push(applied.refusal)
        continue
      }
      database.exec('RELEASE list')
      outcomes.push(committed(list, position, applied.results))
      position += list.positions
    }
    this.#commit(position)
    return outcomes
  }

  *#list(list: List, position: number): Generator<void, Applied> {
    const results: StatementResult[] = []
    for (const [index, statement] of list.statements.entries()) {
      const result = this.#statement(statement, index, position)
      if ('kind' in result) return { refusal: result }
      results.push(result)
      this.#sinceYield += 1
      if (this.#sinceYield < STATEMENTS_PER_SLICE) continue
      this.#sinceYield = 0
      yield
    }
    return { results }
  }

  #statement(statement: PreparedStatement<SqliteValue>, index: number, position: number): StatementResult | Refusal {
    try {
      const first = BigInt(position + 1)
      const result = this.#run(
        statement,
        withPositions(statement, (offset) => (offset as bigint) + first),
      )
      return brokenExpectation(statement, index, result) ?? result
    } catch (error) {
      if (engineFault(error) !== undefined) throw error
      return refusal(error, index)
    }
  }

  #run({ id, text }: PreparedStatement<SqliteValue>, values: readonly SqliteValue[]): StatementResult {
    const statement = this.#connection.prepare(id, text)
    if (statement.columns.length === 0) {
      return { changes: Number(statement.handle.run(...values).changes), rows: NO_ROWS }
    }
    const rows = decodeRows(statement.columns, allRows(statement, values))
    return { changes: statement.returning ? rows.length : 0, rows }
  }

  #commit(position: number): void {
    const { database } = this.#connection
    if (position !== this.#position) writePosition(this.#connection, position)
    database.exec('COMMIT')
    this.#position = position
  }

  // Some faults end the transaction by themselves.
  #rollback(): void {
    const { database } = this.#connection
    if (database.isOpen && database.isTransaction) database.exec('ROLLBACK')
  }
}

const NO_ROWS: StatementResult['rows'] = []

function committed(list: List, position: number, results: readonly StatementResult[]): Outcome {
  return { kind: 'committed', firstPosition: list.positions === 0 ? undefined : position + 1, results }
}

/** Negative, so that these never meet the ids of rendered templates. */
const READ_POSITION = -1
const WRITE_POSITION = -2

export function readPosition(connection: SqliteConnection): number {
  const read = connection.prepare(READ_POSITION, 'SELECT position FROM holdfast_stream WHERE id = 1')
  return Number(allRows(read, [])[0]?.[0] ?? 0)
}

function writePosition(connection: SqliteConnection, position: number): void {
  const write = connection.prepare(WRITE_POSITION, 'UPDATE holdfast_stream SET position = ?1 WHERE id = 1')
  write.handle.run(BigInt(position))
}
