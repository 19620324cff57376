/** Group commit: the lists that wait while a transaction runs form the next one, in the order of their calls. */
import assert from 'node:assert/strict'
import {
  CommitOutcomeUnknown,
  ConstraintFailed,
  DatabaseError,
  DatabaseUnavailable,
  ExpectationFailed,
  type Committed,
  type DatabaseObserver,
} from './database.ts'
import type { Outcome, PreparedList } from './prepared.ts'

/** Applies the lists in one durable transaction and tells what became of each. Never rejects for a list's own fault. */
export type GroupWriter<Value> = (lists: readonly PreparedList<Value>[]) => Promise<readonly Outcome[]>

type Waiting<Value> = {
  readonly list: PreparedList<Value>
  readonly resolve: (committed: Committed) => void
  readonly reject: (error: Error) => void
}

/** A group ends with the list that reaches this, so that the first list of a flood does not wait for all of it. */
const STATEMENTS_PER_GROUP = 4096

/** Answered in one turn of the event loop: whoever waited goes on at once, and all of them together would hold it. */
const SETTLED_PER_TURN = 16

export class CommitQueue<Value> {
  readonly #write: GroupWriter<Value>
  readonly #observer: DatabaseObserver
  readonly #written: () => void
  #waiting: Waiting<Value>[] = []
  #tasks: (() => Promise<void>)[] = []
  #running: Promise<void> | undefined
  #settled: Promise<void> = Promise.resolve()
  #closed = false

  /** `written` is called after each group. */
  constructor(write: GroupWriter<Value>, observer: DatabaseObserver, written: () => void) {
    this.#write = write
    this.#observer = observer
    this.#written = written
  }

  get length(): number {
    return this.#waiting.length
  }

  commit(list: PreparedList<Value>): Promise<Committed> {
    if (this.#closed) return Promise.reject(new DatabaseUnavailable('the database is closed'))
    return new Promise((resolve, reject) => {
      this.#waiting.push({ list, resolve, reject })
      this.#start()
    })
  }

  /** Runs the task while no transaction is under way; commits wait for it. The task's failure is the caller's. */
  exclusively<T>(task: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#tasks.push(() => task().then(resolve, reject))
      this.#start()
    })
  }

  /** Refuses new commits and waits for those that were called before. */
  async close(): Promise<void> {
    this.#closed = true
    await this.#running
    await this.#settled
  }

  #start(): void {
    this.#running ??= this.#run()
  }

  async #run(): Promise<void> {
    // The rest of this turn's callers join the group.
    await nextTurn()
    while (this.#waiting.length + this.#tasks.length > 0) {
      for (const task of this.#tasks.splice(0)) await task()
      const group = this.#takeGroup()
      if (group.length > 0) await this.#commitGroup(group)
    }
    this.#running = undefined
  }

  #takeGroup(): readonly Waiting<Value>[] {
    let statements = 0
    let lists = 0
    while (lists < this.#waiting.length && statements < STATEMENTS_PER_GROUP) {
      statements += this.#waiting[lists]!.list.statements.length
      lists += 1
    }
    return this.#waiting.splice(0, lists)
  }

  async #commitGroup(group: readonly Waiting<Value>[]): Promise<void> {
    const start = performance.now()
    const outcomes = await this.#outcomes(group)
    this.#written()
    this.#observe(group, outcomes, performance.now() - start)
    await this.#settled
    // While this group is being settled, the next one is being written.
    this.#settled = settleInSlices(group, outcomes)
  }

  async #outcomes(group: readonly Waiting<Value>[]): Promise<readonly Outcome[]> {
    try {
      const outcomes = await this.#write(group.map(({ list }) => list))
      assert(outcomes.length === group.length, 'each list has an outcome')
      return outcomes
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error)
      return group.map(() => ({ kind: 'unavailable', message }))
    }
  }

  #observe(group: readonly Waiting<Value>[], outcomes: readonly Outcome[], ms: number): void {
    const lists = group.length
    const unavailable = outcomes.find((outcome) => outcome.kind === 'unavailable')
    if (unavailable !== undefined) return this.#observer.unavailable?.({ lists, message: unavailable.message })
    const statements = group.reduce((sum, { list }) => sum + list.statements.length, 0)
    this.#observer.committed?.({ lists, statements, ms, queued: this.#waiting.length })
  }
}

export function nextTurn(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve))
}

/** In the order of the lists, which is that of their positions. */
async function settleInSlices<Value>(group: readonly Waiting<Value>[], outcomes: readonly Outcome[]): Promise<void> {
  for (const [index, { resolve, reject }] of group.entries()) {
    if (index > 0 && index % SETTLED_PER_TURN === 0) await nextTurn()
    settle(outcomes[index]!, resolve, reject)
  }
}

function settle(outcome: Outcome, resolve: (committed: Committed) => void, reject: (error: Error) => void): void {
  if (outcome.kind === 'committed') resolve({ firstPosition: outcome.firstPosition, results: outcome.results })
  else reject(errorOf(outcome))
}

export function errorOf(outcome: Exclude<Outcome, { kind: 'committed' }>): Error {
  if (outcome.kind === 'expectation') return new ExpectationFailed(outcome.index, outcome.result)
  if (outcome.kind === 'refused') return refusalError(outcome)
  if (outcome.outcomeUnknown === true) return new CommitOutcomeUnknown(outcome.message)
  return new DatabaseUnavailable(outcome.message)
}

function refusalError({ constraint, message, index }: Extract<Outcome, { kind: 'refused' }>): DatabaseError {
  if (constraint === undefined) return new DatabaseError(message, { index })
  return new ConstraintFailed(constraint, message, { index })
}
