/** What was acknowledged, and whether reading back shows every event once and in order. */

import type { ClientEvent } from '../matrix/rooms.ts'

export type Sent = {
  readonly roomId: string
  readonly eventId: string
  /** When the request was written and when its answer was read. */
  readonly startMs: number
  readonly endMs: number
}
export type Faults = {
  readonly lost: number
  readonly duplicated: number
  readonly reordered: number
  readonly unknown: number
}

export class Ledger {
  readonly #byRoom = new Map<string, Sent[]>()

  add(sent: Sent): void {
    const room = this.#byRoom.get(sent.roomId)
    if (room === undefined) this.#byRoom.set(sent.roomId, [sent])
    else room.push(sent)
  }

  rooms(): string[] {
    return [...this.#byRoom.keys()]
  }

  inRoom(roomId: string): readonly Sent[] {
    return this.#byRoom.get(roomId) ?? []
  }
}

/**
 * An event is out of order when it stands after one whose sending began only once it was already acknowledged: nobody
 * who waits for answers may see that. Sends that overlap in time may take either order.
 */
export function findFaults(sent: readonly Sent[], timeline: readonly string[]): Faults {
  const byId = new Map(sent.map((one) => [one.eventId, one]))
  const seen = new Set<string>()
  const faults = { lost: 0, duplicated: sent.length - byId.size, reordered: 0, unknown: 0 }
  let latestStartMs = Number.NEGATIVE_INFINITY
  for (const eventId of timeline) {
    const one = byId.get(eventId)
    if (one === undefined) faults.unknown += 1
    else if (seen.has(eventId)) faults.duplicated += 1
    else {
      if (one.endMs < latestStartMs) faults.reordered += 1
      latestStartMs = Math.max(latestStartMs, one.startMs)
    }
    seen.add(eventId)
  }
  for (const eventId of byId.keys()) if (!seen.has(eventId)) faults.lost += 1
  return faults
}

/** Throws unless the messages among these events are exactly the sent ones, each once, in an order that may be. */
export function expectAllOnce(what: string, sent: readonly Sent[], events: readonly ClientEvent[]): void {
  const messages = events.filter((event) => event.type === 'm.room.message').map((event) => event.event_id)
  const faults = findFaults(sent, messages)
  const found = Object.entries(faults).filter(([, count]) => count > 0)
  if (found.length === 0) return
  const list = found.map(([kind, count]) => `${count} ${kind}`).join(', ')
  throw new Error(`${what}: of ${sent.length} acknowledged messages, reading back shows ${list}`)
}
