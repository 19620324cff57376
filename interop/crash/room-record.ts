/** What one client has seen of one room: its events in order, each once, and its state. */
import type { Body } from './http.ts'

export type SeenEvent = { readonly eventId: string; readonly marker: string | undefined }

export type RoomRecord = {
  readonly events: SeenEvent[]
  readonly ids: Set<string>
  readonly markers: Map<string, number>
  /** `type key` → event id. */
  readonly state: Map<string, string>
  membership: 'join' | 'leave' | 'invite'
}

export function emptyRecord(): RoomRecord {
  return { events: [], ids: new Set(), markers: new Map(), state: new Map(), membership: 'join' }
}

export function markerOf(event: Body): string | undefined {
  const { marker, reason } = event.content
  return marker ?? reason
}

/** The ids that came for a second time. */
export function addEvents(record: RoomRecord, events: readonly Body[]): string[] {
  const doubles: string[] = []
  for (const event of events) {
    const { event_id: eventId } = event
    if (record.ids.has(eventId)) doubles.push(eventId)
    const marker = markerOf(event)
    record.ids.add(eventId)
    record.events.push({ eventId, marker })
    if (marker !== undefined) record.markers.set(marker, (record.markers.get(marker) ?? 0) + 1)
    noteState(record, event)
  }
  return doubles
}

export function noteState({ state }: RoomRecord, event: Body): void {
  if (event.state_key !== undefined) state.set(`${event.type} ${event.state_key}`, event.event_id)
}
