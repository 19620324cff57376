/** Messages put anywhere into the graph of a room, as others could have sent them. */
import { buildEvent } from '@holdfast/protocol/event/build'
import type { EventId, RoomId, UserId } from '@holdfast/protocol/ids/brand'
import { insertEvent, NOWHERE } from '../../../storage/events.ts'
import type { TestHomeserver } from '../../../testing/homeserver.ts'
import { edgeRef } from '../../edge-ref.ts'
import { packEdges } from '../../edges.ts'
import { eventIdHash, type StoredEvent } from '../../event-store.ts'

export type Grafted = { readonly eventId: EventId; readonly nid: number }

let nids = 1_000_000_000

/** With the state that the first of `prev` left, and allowed by what allowed it. */
export async function graft(
  { parts }: TestHomeserver,
  roomId: string,
  draft: {
    readonly sender: string
    readonly body: string
    readonly prev: readonly string[]
    readonly flags?: number
    readonly depth?: number
  },
): Promise<Grafted> {
  const { events, heads, dictionary, db } = parts
  const room = await events.room((await heads.roomNid(roomId as RoomId))!)
  const find = async (id: EventId): Promise<StoredEvent> => (await events.inRoom(room.roomNid, id))!
  const prev = await Promise.all(draft.prev.map((id) => find(id as EventId)))
  const auth = await Promise.all(prev[0]!.pdu.authEvents.map(find))
  const sender = draft.sender as UserId
  const originServerTs = parts.clock.nowMs()
  nids += 1
  const { pdu, json } = buildEvent({
    rules: room.rules,
    roomId: room.roomId,
    draft: { type: 'm.room.message', sender, content: { body: draft.body }, originServerTs },
    prevEvents: prev.map((event) => edgeRef(event, room.rules)),
    authEvents: auth.map((event) => edgeRef(event, room.rules)),
    depth: draft.depth ?? Math.max(...prev.map((event) => event.pdu.depth)) + 1,
    serverName: parts.serverName,
    eventIdLocalpart: room.rules.eventId === 'random' ? `grafted${nids}` : undefined,
  })
  const row = insertEvent({
    nid: nids,
    roomNid: room.roomNid,
    position: { at: NOWHERE },
    eventId: pdu.eventId,
    eventIdHash: eventIdHash(pdu.eventId),
    typeNid: await dictionary.internEventType(pdu.type),
    senderNid: await dictionary.internUser(sender),
    stateKeyNid: null,
    originServerTs,
    depth: pdu.depth,
    flags: draft.flags ?? 0,
    stateNid: prev[0]!.stateNid,
    roomStateNid: null,
    edges: packEdges({ prev: prev.map(({ nid }) => nid), auth: auth.map(({ nid }) => nid) }),
    replacesNid: null,
    deviceNid: null,
    transactionId: null,
    json,
  })
  await db.commit([row])
  return { eventId: pdu.eventId, nid: nids }
}
