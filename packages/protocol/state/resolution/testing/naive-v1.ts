/** <https://spec.matrix.org/v1.19/rooms/v1/#state-resolution>, read slowly. */
import { createHash } from 'node:crypto'
import type { Pdu } from '../../../event/pdu.ts'
import { allows, keysOf } from './naive.ts'
import type { NaiveRoom, NaiveState } from './naive.ts'

export function naiveV1(room: NaiveRoom, states: readonly NaiveState[]): NaiveState {
  const result = new Map<string, string>()
  const conflicts = new Map<string, Pdu[]>()
  for (const key of keysOf(states)) {
    const ids = new Set(states.flatMap((state) => state.get(key) ?? []))
    const known = [...ids].flatMap((id) => room.events.get(id)?.pdu ?? [])
    if (ids.size === 1) result.set(key, [...ids][0]!)
    else if (known.length === 1) result.set(key, known[0]!.eventId)
    else if (known.length > 1) conflicts.set(key, known)
  }
  for (const type of ['m.room.power_levels', 'm.room.join_rules', 'm.room.member']) {
    const keys = [...conflicts.keys()].filter((key) => key.startsWith(`${type}|`))
    const winners = keys.map((key) => lastOfUnbrokenLine(room, conflicts.get(key)!, { key, result }))
    keys.forEach((key, index) => {
      result.set(key, winners[index]!)
      conflicts.delete(key)
    })
  }
  const rest = [...conflicts].map(([key, events]) => {
    const newestFirst = byDepthThenSha1(events).reverse()
    const passing = newestFirst.find((event) => allows(room, event, (wanted) => result.get(wanted)))
    return [key, (passing ?? newestFirst.at(-1)!).eventId] as const
  })
  return new Map([...result, ...rest])
}

function lastOfUnbrokenLine(
  room: NaiveRoom,
  events: readonly Pdu[],
  { key, result }: { readonly key: string; readonly result: NaiveState },
): string {
  const [first, ...rest] = byDepthThenSha1(events)
  const tried = new Map(result).set(key, first!.eventId)
  for (const event of rest) {
    if (!allows(room, event, (wanted) => tried.get(wanted))) break
    tried.set(key, event.eventId)
  }
  return tried.get(key)!
}

/** Ascending depth, then descending SHA-1. */
function byDepthThenSha1(events: readonly Pdu[]): Pdu[] {
  return [...events].sort((left, right) => {
    if (left.depth !== right.depth) return left.depth < right.depth ? -1 : 1
    return Buffer.compare(sha1(right), sha1(left))
  })
}

function sha1({ eventId }: Pdu): Buffer {
  return createHash('sha1').update(eventId).digest()
}
