/**
 * Member events that another server prepares for us. Only what a member event needs is taken from its template, and the event is
 * built anew, so that we sign nothing but what we made. <https://spec.matrix.org/v1.19/server-server-api/#joining-rooms>
 */
import { matrixError } from '@holdfast/protocol/errors'
import { buildEvent, type EdgeRef } from '@holdfast/protocol/event/build'
import { parsePdu } from '@holdfast/protocol/event/format'
import { signBuiltEvent } from '@holdfast/protocol/event/sign'
import type { RoomId, UserId } from '@holdfast/protocol/ids/brand'
import { parseEventId } from '@holdfast/protocol/ids/event-id'
import { isObject, type JsonObject, type JsonValue } from '@holdfast/protocol/json/value'
import { SPEC_LIMITS } from '@holdfast/protocol/limits'
import { ROOM_VERSIONS, rulesFor, type RoomRules } from '@holdfast/protocol/room-version/rules'
import type { Homeserver } from '../../homeserver.ts'
import { ask, BadAnswer, part, type Asking } from '../../federation/remote-rooms/ask.ts'
import type { IncomingEvent } from '../receive/incoming.ts'

export type Template = { readonly rules: RoomRules; readonly event: JsonObject }

type Action = 'join' | 'leave' | 'knock'

/** @throws {FederationFailed} and {BadAnswer} */
export async function askTemplate(
  asking: Asking,
  action: Action,
  {
    roomId,
    userId,
    versionUnnamed = '1',
  }: {
    readonly roomId: RoomId
    readonly userId: UserId
    /** Servers from before room versions do not name one. */
    readonly versionUnnamed?: string
  },
): Promise<Template> {
  const versions = ROOM_VERSIONS.map((version) => `ver=${part(version)}`).join('&')
  const query = action === 'leave' ? '' : `?${versions}`
  const path = `/_matrix/federation/v1/make_${action}/${part(roomId)}/${part(userId)}${query}`
  const answer = await ask(asking, { method: 'GET', path })
  const version = answer['room_version'] ?? versionUnnamed
  const rules = typeof version === 'string' ? rulesFor(version) : undefined
  if (rules === undefined) throw new BadAnswer(asking.server, 'with a room version that nobody asked for')
  const { event } = answer
  if (!isObject(event)) throw new BadAnswer(asking.server, 'without an event')
  return { rules, event }
}

export type TemplateDeps = Pick<Homeserver, 'serverName' | 'signingKey' | 'clock' | 'random'>

/**
 * The member event that the template is for, with our content, signed.
 * @throws {BadAnswer} the event has no place in a room of this version
 */
export function eventFromTemplate(
  deps: TemplateDeps,
  { rules, event }: Template,
  ours: { readonly asking: Asking; readonly roomId: RoomId; readonly userId: UserId; readonly content: JsonObject },
): IncomingEvent {
  const { asking, roomId, userId, content } = ours
  const prevEvents = edgesOf(event['prev_events'], rules)
  const authEvents = edgesOf(event['auth_events'], rules)
  const depth = event['depth']
  const isDepth = typeof depth === 'number' && Number.isSafeInteger(depth) && depth >= 0
  if (prevEvents === undefined || authEvents === undefined || !isDepth) {
    throw new BadAnswer(asking.server, 'with an event whose place in the room cannot be read')
  }
  if (prevEvents.length > SPEC_LIMITS.prevEventsMax || authEvents.length > SPEC_LIMITS.authEventsMax) {
    throw new BadAnswer(asking.server, 'with an event that cites too many others')
  }
  const built = buildEvent({
    rules,
    roomId,
    draft: { type: 'm.room.member', stateKey: userId, sender: userId, content, originServerTs: deps.clock.nowMs() },
    prevEvents,
    authEvents,
    depth,
    serverName: deps.serverName,
    eventIdLocalpart: rules.eventId === 'random' ? deps.random.text(18) : undefined,
  })
  const json = signBuiltEvent(built, deps.serverName, deps.signingKey)
  const parsed = parsePdu(JSON.parse(json) as JsonObject, rules)
  if (parsed.ok) return { parsed, signedBy: new Set([deps.serverName]) }
  // What we say ourselves is of the right form, but people may say too much.
  if (parsed.problem === 'too-large') throw matrixError('M_TOO_LARGE', parsed.message)
  throw new BadAnswer(asking.server, `with what makes no event of the room: ${parsed.message}`)
}

/** An event of ours in the form in which those of others are accepted. */
export function ownIncoming(deps: Pick<Homeserver, 'serverName'>, rules: RoomRules, json: string): IncomingEvent {
  const parsed = parsePdu(JSON.parse(json) as JsonObject, rules)
  // What we say ourselves is of the right form, but people may say too much.
  if (!parsed.ok && parsed.problem === 'too-large') throw matrixError('M_TOO_LARGE', parsed.message)
  if (!parsed.ok) throw new Error(`an event that this server made is malformed: ${parsed.message}`)
  return { parsed, signedBy: new Set([deps.serverName]) }
}

function edgesOf(value: JsonValue | undefined, rules: RoomRules): readonly EdgeRef[] | undefined {
  if (!Array.isArray(value)) return undefined
  const edges = (value as readonly JsonValue[]).map((edge) => edgeOf(edge, rules))
  return edges.includes(undefined) ? undefined : (edges as readonly EdgeRef[])
}

function edgeOf(edge: JsonValue, rules: RoomRules): EdgeRef | undefined {
  const [id, hashes] = rules.edgesAsPairs && Array.isArray(edge) ? (edge as readonly JsonValue[]) : [edge]
  const eventId = typeof id === 'string' ? parseEventId(id) : undefined
  if (eventId === undefined) return undefined
  if (!rules.edgesAsPairs) return { eventId, referenceHash: '' }
  const hash = isObject(hashes) ? hashes['sha256'] : undefined
  // Some servers leave the hash out where they do not know it, and nobody checks it.
  return { eventId, referenceHash: typeof hash === 'string' ? hash : '' }
}
