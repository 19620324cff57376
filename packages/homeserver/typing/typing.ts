/**
 * Who types in which room: in memory only, told through the stream, over when its time is over.
 * <https://spec.matrix.org/v1.19/client-server-api/#typing-notifications>
 */
import type { Clock } from '@holdfast/platform/clock/clock'
import type { Database } from '@holdfast/platform/database/database'
import type { Log } from '@holdfast/platform/log/log'
import type { RoomHeads } from '../rooms/room-heads.ts'
import { activeTypingRooms, endTypingRooms, setTypingRoom, typingRoomPosition } from '../storage/typing.ts'
import type { Streams } from '../streams/streams.ts'
import { pauseMs } from '../sync/pace.ts'

export type TypingUser = { readonly roomNid: number; readonly userNid: number }

export type Typing = Disposable & {
  /** The user types for so long from now. Resolves when the room has been told, or will be as soon as it is time. */
  begin(user: TypingUser, timeoutMs: number): Promise<void>
  end(user: TypingUser): Promise<void>
  /** Those who type, as the room was told last. */
  now(roomNid: number): readonly number[]
  /** The same if the list changed after a position, otherwise undefined. */
  changedSince(roomNid: number, position: number): Promise<readonly number[] | undefined>
  /** Call at the start: whoever typed when the server stopped does so no more. */
  resume(): Promise<void>
}

/** One for each room in which somebody typed since the start. */
type Room = {
  readonly roomNid: number
  /** By user: when it ends. */
  readonly users: Map<number, Disposable>
  told: readonly number[]
  position: number
  /** The room is told again no sooner. */
  pausesUntilMs: number
  telling: Promise<void> | undefined
}

/** Between two changes that a room is told, however small it is. */
const PAUSE_MS_MIN = 100
/** When storage could not be written, the end of somebody's typing is told this much later. */
const RETRY_MS = 5_000

/** Hears of what the room is told, in `publish`. */
export type TypingListener = {
  told(change: { readonly roomNid: number; readonly began: readonly number[]; readonly ended: readonly number[] }): void
  /** Somebody of whom the room was told says that they still type. */
  prolonged(user: TypingUser): void
}

export type TypingDeps = {
  readonly db: Database
  readonly clock: Clock
  readonly log: Log
  readonly heads: RoomHeads
  readonly streams: Streams
  /** Tells other servers. */
  readonly others?: TypingListener | undefined
}

export function openTyping(deps: TypingDeps): Typing {
  const rooms = new Map<number, Room>()
  const stopping = new AbortController()

  function roomOf(roomNid: number): Room {
    let room = rooms.get(roomNid)
    if (room === undefined) {
      room = { roomNid, users: new Map(), told: [], position: 0, pausesUntilMs: 0, telling: undefined }
      rooms.set(roomNid, room)
    }
    return room
  }

  function expireAfter(room: Room, userNid: number, ms: number): void {
    room.users.get(userNid)?.[Symbol.dispose]()
    const timer = deps.clock.after(ms, () => {
      room.users.delete(userNid)
      tellInBackground(room)
    })
    room.users.set(userNid, timer)
  }

  function tellInBackground(room: Room): void {
    tell(room).catch((error: Error) => {
      if (stopping.signal.aborted) return
      deps.log.warn({ error: error.message }, 'cannot tell who types')
      deps.clock.after(RETRY_MS, () => tellInBackground(room))
    })
  }

  /** Who changes this often is not kept waiting for it. */
  async function tellNowOrSoon(room: Room): Promise<void> {
    const isPausing = deps.clock.monotonicMs() < room.pausesUntilMs
    if (isPausing || room.telling !== undefined) tellInBackground(room)
    else await tell(room)
  }

  /** One commit at a time for each room: what changes meanwhile goes into the next one together. */
  function tell(room: Room): Promise<void> {
    room.telling ??= tellOnce(deps, room, stopping.signal).then(() => {
      if (!isTold(room)) tellInBackground(room)
    })
    return room.telling
  }

  return {
    begin: (user, timeoutMs) => {
      const room = roomOf(user.roomNid)
      expireAfter(room, user.userNid, timeoutMs)
      if (room.told.includes(user.userNid)) deps.others?.prolonged(user)
      return tellNowOrSoon(room)
    },
    end: async (user) => {
      const room = rooms.get(user.roomNid)
      if (room === undefined) return
      room.users.get(user.userNid)?.[Symbol.dispose]()
      room.users.delete(user.userNid)
      await tellNowOrSoon(room)
    },
    now: (roomNid) => rooms.get(roomNid)?.told ?? [],
    changedSince: (roomNid, position) => changedSince(deps, { roomNid, room: rooms.get(roomNid), position }),
    resume: () => endAll(deps, roomOf),
    [Symbol.dispose]: () => {
      stopping.abort()
      for (const room of rooms.values()) for (const timer of room.users.values()) timer[Symbol.dispose]()
    },
  }
}

async function changedSince(
  deps: TypingDeps,
  { roomNid, room, position }: { readonly roomNid: number; readonly room: Room | undefined; readonly position: number },
): Promise<readonly number[] | undefined> {
  if (room !== undefined && room.position > position) return room.told
  // Only who comes with a token from before the start may have missed the end of what began before it.
  if (position >= deps.streams.startPosition) return undefined
  const row = await typingRoomPosition(deps.db, roomNid)
  return row !== undefined && row.position > position ? [] : undefined
}

/** Tells once, after the pause. */
async function tellOnce(deps: TypingDeps, room: Room, signal: AbortSignal): Promise<void> {
  await Promise.resolve()
  try {
    const pauseLeftMs = room.pausesUntilMs - deps.clock.monotonicMs()
    if (pauseLeftMs > 0) await deps.clock.sleep(pauseLeftMs, signal)
    if (!isTold(room)) await tellUsers(deps, room)
  } finally {
    room.telling = undefined
  }
}

function isTold({ users, told }: Room): boolean {
  return users.size === told.length && told.every((user) => users.has(user))
}

async function tellUsers(deps: TypingDeps, room: Room): Promise<void> {
  const { roomNid } = room
  const users = [...room.users.keys()]
  const { members } = await deps.heads.byNid(roomNid)
  await deps.streams.commit([setTypingRoom({ roomNid, isActive: users.length > 0 })], {
    positions: 1,
    publish: (position) => {
      const before = room.told
      room.told = users
      room.position = position
      room.pausesUntilMs = deps.clock.monotonicMs() + Math.max(pauseMs(members.joined.size), PAUSE_MS_MIN)
      deps.streams.roomChanged({ roomNid, position, joined: members.joined, membershipChanged: [] })
      const began = users.filter((userNid) => !before.includes(userNid))
      deps.others?.told({ roomNid, began, ended: before.filter((userNid) => !users.includes(userNid)) })
    },
  })
}

async function endAll(deps: TypingDeps, roomOf: (roomNid: number) => Room): Promise<void> {
  const roomNids = await activeTypingRooms(deps.db)
  if (roomNids.length === 0) return
  await deps.streams.commit([endTypingRooms(roomNids)], {
    positions: 1,
    publish: (position) => {
      for (const roomNid of roomNids) {
        roomOf(roomNid).position = position
        // Nobody waits yet: syncs find the room changed when they come.
        deps.streams.roomChanged({ roomNid, position, joined: new Set(), membershipChanged: [] })
      }
    },
  })
}
