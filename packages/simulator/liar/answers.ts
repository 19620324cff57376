/** What the lying server answers to the questions of others. */
import type { HttpRequest } from '@holdfast/platform/http/service'
import type { EventId } from '@holdfast/protocol/ids/brand'
import { isObject, type JsonObject, type JsonValue } from '@holdfast/protocol/json/value'
import type { KnownEvent, KnownRoom } from './known-room.ts'
import type { Liar, Told } from './liar.ts'
import { SPOILINGS } from './malformed.ts'

const NOT_FOUND: Told = { status: 404, body: { errcode: 'M_NOT_FOUND', error: 'Never heard of it.' } }
const NONSENSE: readonly JsonValue[] = [null, [], 'yes', 7, {}, { pdus: {} }, { errcode: 5 }]

export function answerFor(liar: Liar, request: HttpRequest): Told {
  const parts = request.path.split('/').slice(3).map(decodeURIComponent)
  const [, version, verb, roomId = '', eventId = ''] = ['', ...parts]
  if (!/^v[12]$/.test(version ?? '')) return NOT_FOUND
  if (verb === 'send') return received(liar, request)
  // Some questions are not answered at all, some with nonsense.
  const mood = liar.random.integer(10)
  if (mood === 0) return { status: 500, body: { errcode: 'M_UNKNOWN', error: 'no' } }
  if (mood === 1) return { status: 200, body: NONSENSE[liar.random.integer(NONSENSE.length)]! }
  if (verb === 'event') return oneEvent(liar, roomId)
  const room = liar.rooms.get(roomId)
  if (room === undefined) return NOT_FOUND
  const asked = new URLSearchParams(request.query)
  return answerInRoom({ liar, room, verb: verb ?? '', eventId: eventId || (asked.get('event_id') ?? ''), request })
}

function received(liar: Liar, request: HttpRequest): Told {
  const body = JSON.parse(Buffer.from(request.body).toString()) as JsonObject
  for (const pdu of (body['pdus'] ?? []) as readonly JsonObject[]) {
    const room = liar.rooms.get(pdu['room_id'] as string)
    const event = room?.learn(pdu)
    if (room !== undefined && event !== undefined) room.tip = event.id
  }
  return { status: 200, body: { pdus: {} } }
}

function oneEvent(liar: Liar, eventId: string): Told {
  for (const room of liar.rooms.values()) {
    const event = room.events.get(eventId as EventId)
    if (event !== undefined) return pdus(liar, [event.json])
  }
  return NOT_FOUND
}

function pdus(liar: Liar, events: readonly JsonValue[]): Told {
  return { status: 200, body: { origin: liar.name, origin_server_ts: liar.nowMs(), pdus: events } }
}

type Question = {
  readonly liar: Liar
  readonly room: KnownRoom
  readonly verb: string
  readonly eventId: string
  readonly request: HttpRequest
}

function answerInRoom({ liar, room, verb, eventId, request }: Question): Told {
  const at = room.events.get(eventId as EventId)
  const chain = room.authChain(at?.authEvents ?? [])
  const state = room.stateEvents()
  switch (verb) {
    case 'get_missing_events':
      return { status: 200, body: { events: spoilt(liar, missingEvents(room, request)) } }
    case 'backfill':
      return pdus(liar, spoilt(liar, [...room.events.values()].slice(-20)))
    case 'event_auth':
      return { status: 200, body: { auth_chain: spoilt(liar, chain) } }
    case 'state_ids':
    case 'state':
      // See README.md.
      return { status: 403, body: { errcode: 'M_FORBIDDEN', error: 'No.' } }
    case 'make_join':
    case 'make_leave':
      return { status: 200, body: template(liar, room, { userId: eventId, verb }) }
    case 'send_join':
      return {
        status: 200,
        body: { origin: liar.name, state: spoilt(liar, state), auth_chain: spoilt(liar, room.authChain(ids(state))) },
      }
    default:
      return NOT_FOUND
  }
}

function missingEvents(room: KnownRoom, request: HttpRequest): readonly KnownEvent[] {
  const body = JSON.parse(Buffer.from(request.body).toString()) as JsonObject
  const latest = Array.isArray(body['latest_events']) ? (body['latest_events'] as readonly EventId[]) : []
  return latest.flatMap((id) => room.events.get(id)?.prevEvents ?? []).flatMap((id) => room.events.get(id) ?? [])
}

/** The template of a membership, and more than was asked for, to be signed. */
function template(liar: Liar, room: KnownRoom, about: { readonly userId: string; readonly verb: string }): JsonObject {
  const membership = about.verb === 'make_join' ? 'join' : 'leave'
  const member = { type: 'm.room.member', sender: about.userId, stateKey: about.userId, content: { membership } }
  const event: JsonObject = {
    type: 'm.room.member',
    room_id: room.roomId,
    sender: about.userId,
    state_key: about.userId,
    content: { membership },
    depth: 5,
    origin: liar.name,
    origin_server_ts: liar.nowMs(),
    prev_events: room.tip === undefined ? [] : [room.tip],
    auth_events: [...room.authOf(member)],
  }
  const lies: readonly JsonObject[] = [
    {},
    { type: 'm.room.power_levels', state_key: '', content: { users: { [liar.userId]: 100 } } },
    { sender: liar.userId },
    { state_key: liar.userId },
    { room_id: '!another:ash' },
    { content: { membership: 'ban' } },
    { depth: 2 ** 60 },
    { prev_events: ['$nothing'] },
  ]
  return { room_version: room.rules.version, event: { ...event, ...lies[liar.random.integer(lies.length)] } }
}

/** As they are, with some left out, or with some spoilt. */
function spoilt(liar: Liar, events: readonly KnownEvent[]): readonly JsonValue[] {
  const all = jsons(events)
  switch (liar.random.integer(4)) {
    case 0:
      return all.filter(() => liar.random.integer(4) > 0)
    case 1:
      return all.map((event) =>
        liar.random.integer(4) > 0
          ? event
          : SPOILINGS[liar.random.integer(SPOILINGS.length)]!.spoil(event as JsonObject),
      )
    default:
      return all
  }
}

function jsons(events: readonly KnownEvent[]): readonly JsonValue[] {
  return events.map(({ json }) => json).filter(isObject)
}

function ids(events: readonly KnownEvent[]): readonly EventId[] {
  return events.map(({ id }) => id)
}
