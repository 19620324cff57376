/** Redactions: the event that asks for one, and what it does to the event it names. <https://spec.matrix.org/v1.19/client-server-api/#redactions> */
import type { Statement } from '@holdfast/platform/database/database'
import { powerLevels } from '@holdfast/protocol/auth/power-levels'
import { matrixError } from '@holdfast/protocol/errors'
import { exactEvent } from '@holdfast/protocol/event/exact-json'
import { redactEvent as redactedForm } from '@holdfast/protocol/event/redact'
import { eventText } from '@holdfast/protocol/event/text'
import type { EventId } from '@holdfast/protocol/ids/brand'
import type { JsonObject } from '@holdfast/protocol/json/value'
import type { RoomRules } from '@holdfast/protocol/room-version/rules'
import { requireUnsuspended, type Requester } from '../accounts/requester.ts'
import type { Homeserver } from '../homeserver.ts'
import { redactStoredEvent } from '../storage/events.ts'
import { insertWaitingRedaction } from '../storage/federation-rooms.ts'
import type { StoredEvent } from './event-store.ts'
import { notInRoom } from './room-access.ts'
import type { DraftEvent, NewRoomEvent, RoomDraft } from './room-draft.ts'
import type { StoredEventRef } from './room-changes.ts'
import type { Sending } from './send-event.ts'

/** Without these a room is no longer what it was, and no power is worth that: other servers refuse them, too. */
const NEVER_REDACTED = new Set(['m.room.create', 'm.room.server_acl'])

type RedactDeps = Pick<Homeserver, 'roomQueue' | 'heads' | 'events' | 'clock' | 'incompleteRooms'>

export type Redaction = Omit<Sending, 'event' | 'requester'> & {
  readonly target: EventId
  readonly content: JsonObject
}

/**
 * Sends an m.room.redaction and, in the same commit, reduces the event that it names. One that other servers may have and this one
 * does not is reduced when it comes.
 * @throws {MatrixError} M_INVALID_PARAM, M_FORBIDDEN
 */
export async function redactEvent(deps: RedactDeps, requester: Requester, redaction: Redaction): Promise<DraftEvent> {
  // Who is not in the room does not learn which events it has.
  const { members } = await deps.heads.byNid(redaction.roomNid)
  if (!members.joined.has(requester.userNid)) throw notInRoom()
  let target = await deps.events.inRoom(redaction.roomNid, redaction.target)
  if (target === undefined) {
    // It may be in the rest of a room that is being filled in.
    await deps.incompleteRooms.whole(redaction.roomNid)
    target = await deps.events.inRoom(redaction.roomNid, redaction.target)
  }
  if (target === undefined && members.servers.size === 0) {
    throw matrixError('M_INVALID_PARAM', 'There is no such event in this room.')
  }
  const { redacts: _, ...content } = redaction.content
  const event: NewRoomEvent = {
    type: 'm.room.redaction',
    sender: requester.userId,
    content,
    redacts: redaction.target,
    originServerTs: deps.clock.nowMs(),
  }
  return deps.roomQueue.run(redaction.roomNid, {
    prepare: async () => {
      // It may have come while this waited its turn.
      target ??= await deps.events.inRoom(redaction.roomNid, redaction.target)
      return { events: [event] }
    },
    decide: (draft) => {
      const sent = draft.add(event, { deviceNid: requester.deviceNid, transactionId: redaction.transaction?.id })
      if (target !== undefined) assertRedactable(target)
      // Whose event it is, nobody here knows of one that is elsewhere.
      if (target?.pdu.sender !== requester.userId) assertMayRedactOthers(draft, requester)
      if (target === undefined) draft.also(waitForTarget(redaction, sent))
      else applyRedaction(draft, target, sent)
      if (redaction.transaction !== undefined) draft.also(redaction.transaction.client.remember(sent.event.nid))
      return sent
    },
  })
}

function assertRedactable({ pdu: { type } }: StoredEvent): void {
  if (NEVER_REDACTED.has(type)) throw matrixError('M_FORBIDDEN', `${type} cannot be redacted.`)
}

function assertMayRedactOthers(draft: RoomDraft, requester: Requester): void {
  requireUnsuspended(requester)
  const levels = powerLevels(draft.room.rules, { get: (type, stateKey) => draft.stateEvent({ type, stateKey })?.pdu })
  if (levels.ofUser(requester.userId) >= levels.redact) return
  throw matrixError('M_FORBIDDEN', `Redacting other people's events needs the power level ${levels.redact}.`)
}

function waitForTarget({ roomNid, target }: Redaction, { event }: DraftEvent): Statement {
  return insertWaitingRedaction({ roomNid, targetId: target, redactionNid: event.nid })
}

function applyRedaction(draft: RoomDraft, target: StoredEvent, redaction: DraftEvent): void {
  if (target.redactedByNid !== undefined) return
  const json = redactedJson(target, draft.room.rules)
  draft.also(redactStoredEvent({ targetNid: target.nid, byNid: redaction.event.nid, json }))
  draft.redactedNids.push(target.nid)
}

/** Hashes and signatures hold for the redacted form, so it can still be checked and passed on. */
export function redactedJson(target: StoredEventRef, rules: RoomRules): string {
  return eventText(redactedForm(exactEvent(target.json, rules), rules), rules)!
}
