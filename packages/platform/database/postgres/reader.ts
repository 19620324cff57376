/** Reads on pipelined connections, each on the newest committed snapshot. */
import { setTimeout as sleep } from 'node:timers/promises'
import { DatabaseError, DatabaseUnavailable, type Reader, type Row } from '../database.ts'
import { prepareRead } from '../prepared.ts'
import type { Sql } from '../sql.ts'
import {
  asError,
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

/** A read that ends the server's process each time must not do so for long. */
const LOSSES_MAX = 3
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
    return prepareRead(postgresEncoding, query)
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
    let losses = 0
    for (let delay = RETRY_MS.first; ; delay = Math.min(delay * 2, RETRY_MS.max)) {
      const connection = await this.#connected().catch(asError)
      const answer = connection instanceof Error ? connection : await connection.send(query)
      if ('kind' in answer && answer.kind === 'rows') return answer
      const error = 'kind' in answer ? answer.error : answer
      if ('kind' in answer) losses += 1
      if (!isConnectionLoss(error)) throw readError(error)
      if (losses > LOSSES_MAX || performance.now() + delay > deadline) throw connectError(error)
      await sleep(delay)
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
