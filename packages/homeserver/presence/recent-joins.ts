/** Who joined which room lately: those who share a room since then are told of each other's presence. */
import type { RoomChange, Streams } from '../streams/streams.ts'

export type Join = { readonly position: number; readonly userNid: number; readonly roomNid: number }

export type RecentJoins = {
  add(join: Join): void
  /** The joins after a position, newest first; undefined if that is too long ago to know. */
  since(position: number): readonly Join[] | undefined
}

const REMEMBERED_MAX = 20_000

export function openRecentJoins({ startPosition }: { readonly startPosition: number }): RecentJoins {
  const joins: Join[] = []
  let completeAfter = startPosition
  return {
    add: (join) => {
      joins.push(join)
      if (joins.length <= REMEMBERED_MAX) return
      const forgotten = joins.splice(0, REMEMBERED_MAX / 2)
      completeAfter = forgotten.at(-1)!.position
    },
    since: (position) => {
      if (position < completeAfter) return undefined
      const found: Join[] = []
      for (let index = joins.length - 1; index >= 0 && joins[index]!.position > position; index -= 1) {
        found.push(joins[index]!)
      }
      return found
    },
  }
}

/** The streams, with every join that is published noted. */
export function notingJoins(streams: Streams, recentJoins: RecentJoins): Streams {
  return {
    ...streams,
    get startPosition() {
      return streams.startPosition
    },
    roomChanged: (change: RoomChange) => {
      for (const userNid of change.membershipChanged) {
        if (change.joined.has(userNid)) recentJoins.add({ position: change.position, userNid, roomNid: change.roomNid })
      }
      streams.roomChanged(change)
    },
  }
}
