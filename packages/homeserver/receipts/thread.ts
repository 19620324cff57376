/** Which thread an event belongs to. <https://spec.matrix.org/v1.19/client-server-api/#threaded-read-receipts> */
import { parseEventId } from '@holdfast/protocol/ids/event-id'
import type { EventId } from '@holdfast/protocol/ids/brand'
import { isObject, type JsonValue } from '@holdfast/protocol/json/value'
import { SPEC_LIMITS } from '@holdfast/protocol/limits'
import { matrixError } from '@holdfast/protocol/errors'
import type { Homeserver } from '../homeserver.ts'
import type { StoredEvent } from '../rooms/event-store.ts'
import { MAIN_TIMELINE, NO_THREAD } from '../storage/receipts.ts'

type ThreadDeps = Pick<Homeserver, 'events'>

/** What a client names as thread: nothing, the main timeline, or the root of a thread. */
export type NamedThread = undefined | 'main' | EventId

/** @throws {MatrixError} M_INVALID_PARAM */
export function parseThread(raw: JsonValue | undefined): NamedThread {
  if (raw === undefined || raw === 'main') return raw
  const eventId = typeof raw === 'string' ? parseEventId(raw) : undefined
  if (eventId === undefined) throw invalidThread('`thread_id` is `main` or the id of the event that began the thread.')
  return eventId
}

/**
 * The thread of a receipt as it is stored.
 * @throws {MatrixError} M_INVALID_PARAM if the event is not of that thread
 */
export async function threadNid(deps: ThreadDeps, event: StoredEvent, thread: NamedThread): Promise<number> {
  if (thread === undefined) return NO_THREAD
  const { root, related } = await threadOf(deps, event)
  if (thread === 'main') {
    if (root !== undefined) throw invalidThread('The event is in a thread, not in the main timeline.')
    return MAIN_TIMELINE
  }
  // The root of a thread and what relates to it are of the main timeline, and read with the thread all the same.
  const named =
    root === undefined ? related.find(({ pdu }) => pdu.eventId === thread) : await rootEvent(deps, event, root)
  if (named === undefined || named.pdu.eventId !== thread) throw invalidThread('The event is not in this thread.')
  return named.nid
}

type ThreadPlace = {
  /** The root of the thread that the event is in. */
  readonly root: EventId | undefined
  /** The event and those it relates to, one through the other. */
  readonly related: readonly StoredEvent[]
}

async function threadOf(deps: ThreadDeps, event: StoredEvent): Promise<ThreadPlace> {
  const related: StoredEvent[] = []
  let next: StoredEvent | undefined = event
  while (next !== undefined && related.length <= SPEC_LIMITS.relationHopsMax) {
    related.push(next)
    const relation = relationOf(next)
    if (relation?.isThread === true) return { root: relation.target, related }
    next = relation === undefined ? undefined : await deps.events.inRoom(event.roomNid, relation.target)
  }
  return { root: undefined, related }
}

function rootEvent(deps: ThreadDeps, event: StoredEvent, root: EventId): Promise<StoredEvent | undefined> {
  return deps.events.inRoom(event.roomNid, root)
}

function relationOf({ pdu }: StoredEvent): { readonly target: EventId; readonly isThread: boolean } | undefined {
  const relation = pdu.content['m.relates_to']
  if (!isObject(relation) || typeof relation['event_id'] !== 'string') return undefined
  const target = parseEventId(relation['event_id'])
  return target === undefined ? undefined : { target, isThread: relation['rel_type'] === 'm.thread' }
}

function invalidThread(message: string): Error {
  return matrixError('M_INVALID_PARAM', message)
}
