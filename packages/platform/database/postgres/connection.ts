/** One pipelined PostgreSQL connection: requests go out at once, answers come in their order. */
import { Socket } from 'node:net'
import { Client, type QueryArrayConfig, type QueryArrayResult } from 'pg'
import { postgresTypes, type PostgresRow, type PostgresValue } from './encoding.ts'
import { sqlState } from './faults.ts'

export type Query = { readonly id: number; readonly text: string; readonly values: readonly PostgresValue[] }

export type Rows = {
  readonly kind: 'rows'
  readonly command: string
  readonly changes: number
  readonly columns: readonly string[]
  readonly rows: readonly PostgresRow[]
}

export type Answer = Rows | { readonly kind: 'error'; readonly error: Error }

export type ConnectionOptions = {
  readonly url: string
  readonly connectMsMax: number
  /** Without any answer for this long while one is due, the connection is given up. */
  readonly silenceMsMax: number
}

/** Beyond this many, texts are no longer prepared on the server; code holds a few hundred. */
const STATEMENTS_MAX = 1000

export class PostgresConnection {
  readonly #client: Client
  readonly #socket: Socket
  readonly #options: ConnectionOptions
  readonly #prepared = new Set<number>()
  #pending = 0
  #lastAnswerMs = 0
  #watch: NodeJS.Timeout | undefined
  #lost: Error | undefined
  #onLost: (() => void) | undefined

  private constructor(options: ConnectionOptions) {
    this.#options = options
    this.#socket = new Socket()
    this.#client = new Client({
      connectionString: options.url,
      application_name: 'holdfast',
      connectionTimeoutMillis: options.connectMsMax,
      keepAlive: true,
      pipeline: true,
      types: postgresTypes,
      stream: () => this.#socket,
    })
    // Without a listener the loss of an idle connection would end the process.
    this.#client.on('error', (error) => this.#fail(error))
    this.#client.on('end', () => this.#fail(new Error('the connection was closed')))
  }

  /** @throws the driver's error when there is no connection in time */
  static async connect(options: ConnectionOptions): Promise<PostgresConnection> {
    const connection = new PostgresConnection(options)
    try {
      await connection.#client.connect()
    } catch (error) {
      connection.#socket.destroy()
      throw error
    }
    return connection
  }

  get lost(): Error | undefined {
    return this.#lost
  }

  /** Calls `action` once when the connection is lost or closed. */
  onLost(action: () => void): void {
    this.#onLost = action
    if (this.#lost !== undefined) action()
  }

  /** Requests without an answer yet. */
  get pending(): number {
    return this.#pending
  }

  /** Sends a statement with parameters, prepared once per connection. Never rejects. */
  send({ id, text, values }: Query): Promise<Answer> {
    const config = { text, values: values as unknown[], rowMode: 'array' as const }
    return this.#query(this.#isPrepared(id) ? { ...config, name: `holdfast_${id}` } : config)
  }

  /** Sends a text without parameters, which may hold several statements. Never rejects. */
  sendText(text: string): Promise<Answer> {
    return this.#query({ text, rowMode: 'array' })
  }

  /** Says goodbye; whoever still waits for an answer gets it. */
  async close(): Promise<void> {
    clearTimeout(this.#watch)
    if (this.#lost === undefined) await this.#client.end()
  }

  destroy(reason: Error): void {
    this.#fail(reason)
    this.#socket.destroy()
  }

  #isPrepared(id: number): boolean {
    if (this.#prepared.has(id)) return true
    if (this.#prepared.size >= STATEMENTS_MAX) return false
    this.#prepared.add(id)
    return true
  }

  async #query(config: QueryArrayConfig): Promise<Answer> {
    this.#pending += 1
    this.#holdBack()
    this.#watch ??= setTimeout(() => this.#checkSilence(), this.#options.silenceMsMax).unref()
    if (this.#pending === 1) this.#lastAnswerMs = performance.now()
    try {
      return rowsOf(await this.#client.query(config))
    } catch (error) {
      return { kind: 'error', error: asError(error) }
    } finally {
      this.#pending -= 1
      this.#lastAnswerMs = performance.now()
    }
  }

  /** What is sent during one turn leaves together. */
  #holdBack(): void {
    if (this.#socket.writableCorked > 0) return
    this.#socket.cork()
    process.nextTick(() => this.#socket.uncork())
  }

  #checkSilence(): void {
    this.#watch = undefined
    if (this.#pending === 0) return
    const left = this.#options.silenceMsMax - (performance.now() - this.#lastAnswerMs)
    if (left <= 0) return this.destroy(new Error(`no answer for ${this.#options.silenceMsMax} ms`))
    this.#watch = setTimeout(() => this.#checkSilence(), left).unref()
  }

  #fail(error: Error): void {
    if (this.#lost !== undefined) return
    this.#lost = error
    clearTimeout(this.#watch)
    this.#onLost?.()
  }
}

function rowsOf(result: QueryArrayResult | QueryArrayResult[]): Rows {
  const last = Array.isArray(result) ? result.at(-1)! : result
  const { command, rowCount, fields, rows } = last
  // A SELECT counts the rows it found.
  const changes = command === 'SELECT' ? 0 : (rowCount ?? 0)
  return { kind: 'rows', command, changes, columns: fields.map(({ name }) => name), rows: rows as PostgresRow[] }
}

export function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error))
}

/** Waits for an answer that must be good. */
export async function rowsOrThrow(answer: Promise<Answer>): Promise<readonly PostgresRow[]> {
  const settled = await answer
  if (settled.kind === 'error') throw settled.error
  return settled.rows
}

/** The server said why it closed the connection, or the socket broke; what was sent may or may not have been done. */
export function isConnectionLoss(error: Error): boolean {
  const state = sqlState(error)
  if (state === undefined) return !(error instanceof TypeError)
  return state.startsWith('57P') || state.startsWith('08') || state === '25P03'
}
