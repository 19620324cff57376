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

export type TypingUser = { readonly roomNid: number; readonly userNid: number }

export type Typing = Disposable & {
  /** The user types for so long from now. Resolves when the room has been told. */
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
  telling: Promise<void> | undefined
}

/** When storage could not be written, the end of somebody's typing is told this much later. */
const RETRY_MS = 5_000

export type TypingDeps = {
  readonly db: Database
  readonly clock: Clock
  readonly log: Log
  readonly heads: RoomHeads
  readonly streams: Streams
}

export function openTyping(deps: TypingDeps): Typing {
  const rooms = new Map<number, Room>()

  function roomOf(roomNid: number): Room {
    let room = rooms.get(roomNid)
    if (room === undefined) {
      room = { roomNid, users: new Map(), told: [], position: 0, telling: undefined }
      rooms.set(roomNid, room)
    }
    return room
  }

  function expireAfter(room: Room, userNid: number, ms: number): void {
    room.users.get(userNid)?.[Symbol.dispose]()
    const timer = deps.clock.after(ms, () => {
      room.users.delete(userNid)
      tell(room).catch((error: Error) => {
        deps.log.warn({ error: error.message }, 'cannot tell that somebody stopped typing')
        expireAfter(room, userNid, RETRY_MS)
      })
    })
    room.users.set(userNid, timer)
  }

  /** One commit at a time for each room: what changes meanwhile goes into the next one together. */
  function tell(room: Room): Promise<void> {
    room.telling ??= tellUntilTold(deps, room)
    return room.telling
  }

  return {
    begin: (user, timeoutMs) => {
      const room = roomOf(user.roomNid)
      expireAfter(room, user.userNid, timeoutMs)
      return tell(room)
    },
    end: async (user) => {
      const room = rooms.get(user.roomNid)
      if (room === undefined) return
      room.users.get(user.userNid)?.[Symbol.dispose]()
      room.users.delete(user.userNid)
      await tell(room)
    },
    now: (roomNid) => rooms.get(roomNid)?.told ?? [],
    changedSince: async (roomNid, position) => {
      const room = rooms.get(roomNid)
      if (room !== undefined && room.position > position) return room.told
      // Only who comes with a token from before the start may have missed the end of what began before it.
      if (position >= deps.streams.startPosition) return undefined
      const row = await typingRoomPosition(deps.db, roomNid)
      return row !== undefined && row.position > position ? [] : undefined
    },
    resume: () => endAll(deps, roomOf),
    [Symbol.dispose]: () => {
      for (const room of rooms.values()) for (const timer of room.users.values()) timer[Symbol.dispose]()
    },
  }
}

async function tellUntilTold(deps: TypingDeps, room: Room): Promise<void> {
  await Promise.resolve()
  try {
    for (;;) {
      const users = [...room.users.keys()]
      if (users.length !== room.told.length || !users.every((user) => room.told.includes(user))) {
        await tellUsers(deps, room, users)
        continue
      }
      // In the turn that looked: a change that comes later is told anew.
      room.telling = undefined
      return
    }
  } catch (error) {
    room.telling = undefined
    throw error
  }
}

async function tellUsers(deps: TypingDeps, room: Room, users: readonly number[]): Promise<void> {
  const { roomNid } = room
  const { members } = await deps.heads.byNid(roomNid)
  await deps.streams.commit([setTypingRoom({ roomNid, isActive: users.length > 0 })], {
    positions: 1,
    publish: (position) => {
      room.told = users
      room.position = position
      deps.streams.roomChanged({ roomNid, position, joined: members.joined, membershipChanged: [] })
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
