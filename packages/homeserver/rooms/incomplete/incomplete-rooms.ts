/** Which rooms are incomplete, and who waits until they are whole. */
import { matrixError } from '@holdfast/protocol/errors'
import type { ServerName } from '@holdfast/protocol/ids/brand'
import type { Clock } from '@holdfast/platform/clock/clock'
import type { Database } from '@holdfast/platform/database/database'
import * as storage from '../../storage/incomplete-rooms.ts'

export type IncompleteRoom = {
  readonly roomNid: number
  /** Our join: the state before it is what is missing. */
  readonly joinNid: number
  /** The server that let us in. */
  readonly via: ServerName
  readonly beganMs: number
}

/** A room that is being filled in. */
export type Filling = IncompleteRoom & {
  /** Ends when nobody here is in the room any more, or this server stops. */
  readonly signal: AbortSignal
  readonly progress: FillingProgress
}

export type FillingProgress = {
  /** Whose word is being worked in now. */
  server: ServerName | undefined
  /** Events that are here, of those that were told. */
  stored: number
  told: number
}

export type IncompleteRooms = AsyncDisposable & {
  /** What is left to do is left to the next start. */
  readonly isStopping: boolean
  get(roomNid: number): Filling | undefined
  all(): readonly Filling[]
  /**
   * Resolves when the room is whole, at once for most.
   * @throws {MatrixError} M_LIMIT_EXCEEDED if that takes too long
   */
  whole(roomNid: number): Promise<void>
  /** The position from which on the room is whole; 0 for a room that always was. */
  wholeSince(roomNid: number): number
  began(room: IncompleteRoom): Filling
  completed(roomNid: number, position: number): void
  /** The filling has ended without a whole room: nobody here is in it. */
  ended(roomNid: number): void
  /** Everybody here has left the room: its filling ends. */
  left(roomNid: number): void
  /** Work that has to be over before the database is closed. */
  track(work: Promise<unknown>): void
}

/** For whoever needs the room whole. */
const WHOLE_WAIT_MS_MAX = 30_000
const RETRY_AFTER_MS = 5_000

type Entry = {
  readonly filling: Filling
  readonly stopping: AbortController
  readonly waiters: Set<() => void>
}

/** Reads from the database what is incomplete; filling goes on with `resumeFilling`. */
export async function openIncompleteRooms({
  db,
  clock,
}: {
  readonly db: Database
  readonly clock: Clock
}): Promise<IncompleteRooms> {
  const rooms = new Map<number, Entry>()
  const filled = new Map<number, number>()
  const works = new Set<Promise<unknown>>()
  let isStopping = false

  function began(room: IncompleteRoom): Filling {
    const stopping = new AbortController()
    const progress: FillingProgress = { server: undefined, stored: 0, told: 0 }
    const filling: Filling = { ...room, signal: stopping.signal, progress }
    rooms.get(room.roomNid)?.stopping.abort()
    rooms.set(room.roomNid, { filling, stopping, waiters: new Set() })
    if (isStopping) stopping.abort()
    return filling
  }

  function end(roomNid: number): void {
    const entry = rooms.get(roomNid)
    rooms.delete(roomNid)
    entry?.stopping.abort()
    for (const resolve of entry?.waiters ?? []) resolve()
  }

  for (const row of await storage.filledRooms(db)) filled.set(row.room_nid, row.position)
  for (const row of await storage.incompleteRooms(db)) {
    began({ roomNid: row.room_nid, joinNid: row.join_nid, via: row.via as ServerName, beganMs: row.began_ms })
  }

  return {
    get isStopping() {
      return isStopping
    },
    get: (roomNid) => rooms.get(roomNid)?.filling,
    all: () => [...rooms.values()].map(({ filling }) => filling),
    whole: async (roomNid) => {
      const entry = rooms.get(roomNid)
      if (entry !== undefined) await waitFor(entry, clock)
    },
    wholeSince: (roomNid) => filled.get(roomNid) ?? 0,
    began,
    completed: (roomNid, position) => {
      filled.set(roomNid, position)
      end(roomNid)
    },
    ended: end,
    left: (roomNid) => rooms.get(roomNid)?.stopping.abort(),
    track: (work) => {
      const tracked = work.catch(() => undefined).finally(() => works.delete(tracked))
      works.add(tracked)
    },
    [Symbol.asyncDispose]: async () => {
      isStopping = true
      for (const { stopping } of rooms.values()) stopping.abort()
      await Promise.all(works)
    },
  }
}

function waitFor({ waiters }: Entry, clock: Clock): Promise<void> {
  return new Promise((resolve, reject) => {
    const done = (): void => {
      timer[Symbol.dispose]()
      waiters.delete(done)
      resolve()
    }
    const timer = clock.after(WHOLE_WAIT_MS_MAX, () => {
      waiters.delete(done)
      reject(stillIncomplete())
    })
    waiters.add(done)
  })
}

function stillIncomplete(): Error {
  return matrixError(
    'M_LIMIT_EXCEEDED',
    'The room was joined a moment ago, and its members and state are still on their way. Try again in a few seconds.',
    { extra: { retry_after_ms: RETRY_AFTER_MS } },
  )
}
