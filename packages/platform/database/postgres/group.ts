/** Applies a group of statement lists in one pipelined transaction. */
import { nextTurn } from '../commit-queue.ts'
import type { StatementResult } from '../database.ts'
import { brokenExpectation, withPositions, type Outcome, type PreparedList, type Refusal } from '../prepared.ts'
import { isConnectionLoss, type Answer, type PostgresConnection, type Rows } from './connection.ts'
import { namedRows, type PostgresValue } from './encoding.ts'
import { engineFault, isAftermath, refusal } from './faults.ts'
import { Fenced } from './session.ts'

type List = PreparedList<PostgresValue>

/** Where the stream stands; the marker counts the commits. */
export type StreamState = { readonly position: number; readonly marker: number }

/** How an attempt to commit a group ended. */
export type Attempt =
  | { readonly kind: 'done'; readonly outcomes: readonly Outcome[]; readonly state: StreamState }
  /** Nothing was applied. */
  | { readonly kind: 'not-applied'; readonly message: string; readonly connectionLost: boolean }
  /** The connection was lost while the server committed: if the marker says so, this is what was done. */
  | { readonly kind: 'in-doubt'; readonly outcomes: readonly Outcome[]; readonly state: StreamState }

/** The engine, not a list, is to blame. */
class EngineFault extends Error {
  readonly connectionLost: boolean
  constructor(error: Error) {
    super(engineFault(error) ?? error.message)
    this.connectionLost = isConnectionLoss(error)
  }
}

/** Statements sent in one turn of the event loop. */
const STATEMENTS_PER_SLICE = 128

/** Negative, so that these never meet the ids of rendered templates. */
const ALLOCATE = {
  id: -30,
  text: `UPDATE holdfast_stream SET position = position + $1, marker = marker + 1 WHERE id = 1
    RETURNING position, marker`,
}
const ADVANCE = { id: -31, text: 'UPDATE holdfast_stream SET position = position + $1 WHERE id = 1' }

export async function applyGroup(
  connection: PostgresConnection,
  state: StreamState,
  lists: readonly List[],
): Promise<Attempt> {
  try {
    return (await together(connection, state, lists)) ?? (await oneByOne(connection, state, lists))
  } catch (error) {
    if (!(error instanceof EngineFault)) throw error
    if (!error.connectionLost) await connection.sendText('ROLLBACK')
    return { kind: 'not-applied', message: error.message, connectionLost: error.connectionLost }
  }
}

/** All lists in one pipeline, as nearly every group goes. Undefined when one of several was refused: all is undone. */
async function together(
  connection: PostgresConnection,
  state: StreamState,
  lists: readonly List[],
): Promise<Attempt | undefined> {
  const total = lists.reduce((sum, { positions }) => sum + positions, 0)
  const begun = begin(connection, total)
  const answers: Promise<Answer>[][] = []
  let position = state.position
  for (const list of lists) {
    answers.push(await sendList(connection, list, position))
    position += list.positions
  }
  const after = { position, marker: state.marker + 1 }
  checkState(await begun, after)
  const judged = await Promise.all(answers.map(async (sent, index) => judge(lists[index]!, await Promise.all(sent))))
  const refused = judged.find((verdict) => 'refusal' in verdict)
  if (refused === undefined) return commit(connection, after, outcomesOf(lists, state.position, judged as Applied[]))
  checked(await connection.sendText('ROLLBACK'))
  return lists.length === 1 ? { kind: 'done', outcomes: [refused.refusal], state } : undefined
}

/** Each list in a savepoint, so that a refused one is undone alone and takes no positions. */
async function oneByOne(connection: PostgresConnection, state: StreamState, lists: readonly List[]): Promise<Attempt> {
  checkState(await begin(connection, 0), { position: state.position, marker: state.marker + 1 })
  const outcomes: Outcome[] = []
  let position = state.position
  for (const list of lists) {
    const savepoint = connection.sendText('SAVEPOINT list')
    const answers = await sendList(connection, list, position)
    checked(await savepoint)
    const verdict = judge(list, await Promise.all(answers))
    if ('refusal' in verdict) {
      checked(await connection.sendText('ROLLBACK TO list; RELEASE list'))
      outcomes.push(verdict.refusal)
      continue
    }
    checked(await connection.sendText('RELEASE list'))
    outcomes.push(committed(list, position, verdict.results))
    position += list.positions
  }
  checked(await connection.send({ ...ADVANCE, values: [String(position - state.position)] }))
  return commit(connection, { position, marker: state.marker + 1 }, outcomes)
}

/** Takes the positions, and with them the row lock that keeps other writers out until the end. */
async function begin(connection: PostgresConnection, positions: number): Promise<Rows> {
  const begun = connection.sendText('BEGIN')
  const allocated = connection.send({ ...ALLOCATE, values: [String(positions)] })
  checked(await begun)
  return checked(await allocated)
}

function checkState(allocated: Rows, expected: StreamState): void {
  const [position, marker] = allocated.rows[0] ?? []
  if (position === expected.position && marker === expected.marker) return
  throw new Fenced(
    `another process wrote to this database: the stream is at ${String(position)}, not ${expected.position}`,
  )
}

async function sendList(connection: PostgresConnection, list: List, position: number): Promise<Promise<Answer>[]> {
  const answers: Promise<Answer>[] = []
  for (let from = 0; from < list.statements.length; from += STATEMENTS_PER_SLICE) {
    if (from > 0) await nextTurn()
    for (const statement of list.statements.slice(from, from + STATEMENTS_PER_SLICE)) {
      const values = withPositions(statement, (offset) => String(Number(offset) + position + 1))
      answers.push(connection.send({ id: statement.id, text: statement.text, values }))
    }
  }
  return answers
}

type Applied = { readonly results: readonly StatementResult[] }

function judge(list: List, answers: readonly Answer[]): Applied | { readonly refusal: Refusal } {
  const results: StatementResult[] = []
  for (const [index, answer] of answers.entries()) {
    if (answer.kind === 'error') return { refusal: refusalOf(answer.error, index) }
    const result = { changes: answer.changes, rows: namedRows(answer.columns, answer.rows) }
    const broken = brokenExpectation(list.statements[index]!, index, result)
    if (broken !== undefined) return { refusal: broken }
    results.push(result)
  }
  return { results }
}

function refusalOf(error: Error, index: number): Refusal {
  if (!isAftermath(error) && (engineFault(error) !== undefined || isConnectionLoss(error))) throw new EngineFault(error)
  return refusal(error, index)
}

async function commit(
  connection: PostgresConnection,
  state: StreamState,
  outcomes: readonly Outcome[],
): Promise<Attempt> {
  const answer = await connection.sendText('COMMIT')
  if (answer.kind === 'rows' && answer.command === 'COMMIT') return { kind: 'done', outcomes, state }
  if (answer.kind === 'error' && isConnectionLoss(answer.error)) return { kind: 'in-doubt', outcomes, state }
  const message = answer.kind === 'error' ? (engineFault(answer.error) ?? answer.error.message) : 'it was rolled back'
  return { kind: 'not-applied', message: `the transaction failed: ${message}`, connectionLost: false }
}

function outcomesOf(lists: readonly List[], from: number, applied: readonly Applied[]): Outcome[] {
  let position = from
  return lists.map((list, index) => {
    const outcome = committed(list, position, applied[index]!.results)
    position += list.positions
    return outcome
  })
}

function committed(list: List, position: number, results: readonly StatementResult[]): Outcome {
  return { kind: 'committed', firstPosition: list.positions === 0 ? undefined : position + 1, results }
}

function checked(answer: Answer): Rows {
  if (answer.kind === 'error') throw new EngineFault(answer.error)
  return answer
}
