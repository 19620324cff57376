/** Reads on pipelined connections, each on the newest committed snapshot. */
import { setTimeout as sleep } from 'node:timers/promises'
import { DatabaseError, DatabaseUnavailable, type Reader, type Row } from '../database.ts'
import { encodeParameters } from '../prepared.ts'
import type { Sql } from '../sql.ts'
import {
  isConnectionLoss,
  type ConnectionOptions,
  type PostgresConnection,
  type Query,
  type Rows,
} from './connection.ts'
import { namedRows, postgresEncoding } from './encoding.ts'
import { engineFault } from './faults.ts'
import { connectError, connectReader } from './session.ts'

export type PostgresReader = { readonly reader: Reader; close(): Promise<void> }

type ReaderOptions = ConnectionOptions & {
  /** Each is opened when it is needed. */
  readonly connections: number
  /** A read is tried again on a new connection for this long. */
  readonly outageMsMax: number
}

const RETRY_MS = { first: 25, max: 1000 }

export function postgresReader(options: ReaderOptions): PostgresReader {
  const slots = Array.from({ length: options.connections }, () => new Slot(options))
  let closed = false
  const read = async (query: Sql): Promise<Rows> => {
    if (closed) throw new DatabaseUnavailable('the database is closed')
    const prepared = prepare(query)
    return leastBusy(slots).read(prepared)
  }
  return {
    reader: {
      all: async <T extends Row>(query: Sql) => named(await read(query)) as T[],
      row: async <T extends Row>(query: Sql) => named(await read(query))[0] as T | undefined,
      column: async <T>(query: Sql) => (await read(query)).rows.map((row) => (row[0] ?? null) as T),
    },
    close: async () => {
      closed = true
      await Promise.all(slots.map((slot) => slot.close()))
    },
  }
}

function prepare(query: Sql): Query {
  try {
    const { id, text } = postgresEncoding.render(query)
    return { id, text, values: encodeParameters(postgresEncoding, query) }
  } catch (cause) {
    throw new DatabaseError((cause as Error).message, { cause })
  }
}

function leastBusy(slots: readonly Slot[]): Slot {
  return slots.reduce((best, slot) => (slot.waiting < best.waiting ? slot : best))
}

function named({ columns, rows }: Rows): Row[] {
  return namedRows(columns, rows)
}

/** One connection, replaced when it is lost. */
class Slot {
  readonly #options: ReaderOptions
  #connection: Promise<PostgresConnection> | undefined
  /** Reads that have no answer yet. */
  waiting = 0

  constructor(options: ReaderOptions) {
    this.#options = options
  }

  async read(query: Query): Promise<Rows> {
    this.waiting += 1
    try {
      return await this.#read(query, performance.now() + this.#options.outageMsMax)
    } finally {
      this.waiting -= 1
    }
  }

  async close(): Promise<void> {
    const connection = await this.#connection?.catch(() => undefined)
    await connection?.close()
  }

  // A read changes nothing, so it may be asked again when the connection was lost.
  async #read(query: Query, deadline: number): Promise<Rows> {
    for (let delay = RETRY_MS.first; ; delay = Math.min(delay * 2, RETRY_MS.max)) {
      const answer = await this.#ask(query)
      if (answer.kind === 'rows') return answer
      if (!isConnectionLoss(answer.error)) throw readError(answer.error)
      if (performance.now() + delay > deadline) throw connectError(answer.error)
      await sleep(delay)
    }
  }

  async #ask(query: Query): Promise<Rows | { readonly kind: 'error'; readonly error: Error }> {
    try {
      return await (await this.#connected()).send(query)
    } catch (error) {
      return { kind: 'error', error: error as Error }
    }
  }

  async #connected(): Promise<PostgresConnection> {
    const connecting = (this.#connection ??= connectReader(this.#options))
    const connection = await connecting.catch((error: unknown) => {
      if (this.#connection === connecting) this.#connection = undefined
      throw error
    })
    if (connection.lost === undefined) return connection
    if (this.#connection === connecting) this.#connection = undefined
    return this.#connected()
  }
}

function readError(error: Error): Error {
  const fault = engineFault(error)
  if (fault !== undefined) return new DatabaseUnavailable(fault, { cause: error })
  return new DatabaseError(error.message, { cause: error })
}
