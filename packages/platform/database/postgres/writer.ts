/** The one writer: keeps its connection, and finds out what became of a commit whose answer was lost. */
import { setTimeout as sleep } from 'node:timers/promises'
import { DatabaseUnavailable, type DatabaseObserver } from '../database.ts'
import type { Outcome, PreparedList } from '../prepared.ts'
import { rowsOrThrow, type ConnectionOptions, type PostgresConnection } from './connection.ts'
import type { PostgresValue } from './encoding.ts'
import { applyGroup, type Attempt, type StreamState } from './group.ts'
import { connectError, connectWriter, Fenced, sessionIdentity, type SessionIdentity } from './session.ts'

type List = PreparedList<PostgresValue>
type InDoubt = Extract<Attempt, { kind: 'in-doubt' }>

export type WriterOptions = ConnectionOptions & {
  /** How long a group may take in all when the connection is lost. */
  readonly outageMsMax: number
}

/** A group that comes later in the same outage still gets this long. */
const ATTEMPT_MS_MIN = 500
/** A group that ends the server's process each time must not do so for long. */
const LOSSES_MAX = 3
const RETRY_MS = { first: 25, max: 1000 }

export class PostgresWriter {
  readonly #options: WriterOptions
  readonly #observer: DatabaseObserver
  #connection: PostgresConnection
  #identity: SessionIdentity
  #state: StreamState
  /** A commit of ours whose outcome the next connection will tell. */
  #doubt: InDoubt | undefined
  #connecting: Promise<PostgresConnection> | undefined
  #downSinceMs: number | undefined
  #fenced: Fenced | undefined
  #closed = false

  private constructor(init: {
    options: WriterOptions
    observer: DatabaseObserver
    connection: PostgresConnection
    identity: SessionIdentity
    state: StreamState
  }) {
    this.#options = init.options
    this.#observer = init.observer
    this.#connection = init.connection
    this.#identity = init.identity
    this.#state = init.state
    this.#watch(init.connection)
  }

  /** Takes over a connection that holds the lock and whose schema is in place. */
  static async start(
    connection: PostgresConnection,
    options: WriterOptions,
    observer: DatabaseObserver,
  ): Promise<PostgresWriter> {
    const identity = await sessionIdentity(connection)
    return new PostgresWriter({ options, observer, connection, identity, state: await readState(connection) })
  }

  /** The newest position that readers see. */
  position(): number {
    return this.#state.position
  }

  async write(lists: readonly List[]): Promise<readonly Outcome[]> {
    const start = performance.now()
    let doubted = false
    for (let losses = 0; ; losses += 1) {
      try {
        if (losses > LOSSES_MAX) return unavailable(lists, 'the connection to PostgreSQL is lost again and again')
        const connection = await this.#connected(start)
        const attempt = await applyGroup(connection, this.#state, lists)
        if (attempt.kind === 'done') return this.#advanced(attempt)
        if (attempt.kind === 'not-applied' && !attempt.connectionLost) return unavailable(lists, attempt.message)
        connection.destroy(new Error('the connection was lost in a transaction'))
        if (attempt.kind === 'not-applied') continue
        this.#doubt = attempt
        doubted = true
        await this.#connected(start)
        if (this.#state === attempt.state) return attempt.outcomes
        doubted = false
      } catch (error) {
        if (error instanceof Fenced) this.#fenced = error
        return unavailable(lists, connectError(error).message, doubted)
      }
    }
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#connecting?.catch(() => {})
    await this.#connection.close()
  }

  #advanced({ outcomes, state }: Extract<Attempt, { kind: 'done' }>): readonly Outcome[] {
    this.#state = state
    return outcomes
  }

  /** The connection, or a new one. @throws when there is none in time */
  async #connected(sinceMs: number): Promise<PostgresConnection> {
    if (this.#fenced !== undefined) throw this.#fenced
    if (this.#connection.lost === undefined) return this.#connection
    this.#downSinceMs ??= sinceMs
    const deadline = Math.max(this.#downSinceMs + this.#options.outageMsMax, performance.now() + ATTEMPT_MS_MIN)
    for (let delay = RETRY_MS.first; ; delay = Math.min(delay * 2, RETRY_MS.max)) {
      try {
        return await before(deadline, this.#reconnected())
      } catch (error) {
        if (this.#closed || error instanceof Fenced || performance.now() + delay > deadline) throw error
        await sleep(delay)
      }
    }
  }

  /** One attempt, shared by all who wait. */
  #reconnected(): Promise<PostgresConnection> {
    if (this.#connection.lost === undefined) return Promise.resolve(this.#connection)
    this.#connecting ??= this.#reconnect().finally(() => {
      this.#connecting = undefined
    })
    return this.#connecting
  }

  async #reconnect(): Promise<PostgresConnection> {
    const connection = await connectWriter(this.#options, this.#identity)
    try {
      const [identity, state] = await Promise.all([sessionIdentity(connection), readState(connection)])
      this.#adopt(state)
      this.#identity = identity
    } catch (error) {
      connection.destroy(new Error('the session could not be taken over'))
      throw error
    }
    this.#connection = connection
    this.#downSinceMs = undefined
    this.#watch(connection)
    this.#observer.connection?.('restored')
    return connection
  }

  /** With the lock held again the stream stands where we left it, or where the commit in doubt took it. */
  #adopt(found: StreamState): void {
    const doubt = this.#doubt?.state
    if (doubt !== undefined && isSame(found, doubt)) this.#state = doubt
    else if (!isSame(found, this.#state)) {
      throw new Fenced('another process wrote to this database while the connection was lost; restart this one')
    }
    this.#doubt = undefined
  }

  /** A lost connection is restored at once, because the lock went with it. */
  #watch(connection: PostgresConnection): void {
    connection.onLost(() => {
      if (this.#closed) return
      this.#observer.connection?.('lost')
      this.#connected(performance.now()).catch((error: unknown) => {
        if (error instanceof Fenced) this.#fenced = error
      })
    })
  }
}

/** An attempt to connect may outlast the deadline of the group that waits for it; it goes on for the next one. */
async function before<T>(deadline: number, work: Promise<T>): Promise<T> {
  const waiting = new AbortController()
  const timeout = sleep(deadline - performance.now(), undefined, { signal: waiting.signal }).then(() => {
    throw new DatabaseUnavailable('PostgreSQL does not answer')
  })
  try {
    return await Promise.race([work, timeout])
  } finally {
    waiting.abort()
    timeout.catch(() => {})
  }
}

async function readState(connection: PostgresConnection): Promise<StreamState> {
  const [row] = await rowsOrThrow(connection.sendText('SELECT position, marker FROM holdfast_stream WHERE id = 1'))
  return { position: Number(row?.[0]), marker: Number(row?.[1]) }
}

function isSame(a: StreamState, b: StreamState): boolean {
  return a.position === b.position && a.marker === b.marker
}

function unavailable(lists: readonly List[], message: string, outcomeUnknown = false): readonly Outcome[] {
  return lists.map(() => ({ kind: 'unavailable', message, outcomeUnknown }))
}
