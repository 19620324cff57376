/** What the lying server does to the others, as chance has it. */
import type { EventId } from '@holdfast/protocol/ids/brand'
import type { JsonObject, JsonValue } from '@holdfast/protocol/json/value'
import type { World } from '../world/world.ts'
import type { Draft, KnownEvent, KnownRoom } from './known-room.ts'
import type { Liar } from './liar.ts'
import { SPOILINGS } from './malformed.ts'

type Deed = (liar: Liar, room: KnownRoom, world: World) => Promise<void>

export async function lieOnce(liar: Liar, world: World): Promise<void> {
  const rooms = [...liar.rooms.values()]
  const room = rooms[liar.random.integer(Math.max(1, rooms.length))]
  if (room === undefined) return
  const [name, deed] = DEEDS[liar.random.integer(DEEDS.length)]!
  world.note(liar.name, `does ${name}`)
  await deed(liar, room, world)
}

function message(liar: Liar, extra: Partial<Draft> = {}): Draft {
  const body = `lie ${liar.random.text(6)}`
  return {
    type: 'm.room.message',
    content: { body, msgtype: 'm.text' },
    sender: liar.userId,
    atMs: liar.nowMs(),
    ...extra,
  }
}

function oneOf<T>(liar: Liar, choices: readonly T[]): T {
  return choices[liar.random.integer(choices.length)]!
}

function anEvent(liar: Liar, room: KnownRoom): KnownEvent {
  return oneOf(liar, [...room.events.values()])
}

/** Sound, so that its lies have something to stand on. */
const speakTruth: Deed = async (liar, room) => {
  const event = room.build(message(liar))
  room.tip = event.id
  await liar.sendToAll([event.json])
}

/** Tells each server something else about the same moment. */
const equivocate: Deed = async (liar, room) => {
  const prev = room.tip === undefined ? [] : [room.tip]
  const told = liar.honest.map(() => room.build(message(liar, { prev })))
  for (const [index, name] of liar.honest.entries()) await liar.send(name, [told[index]!.json])
}

const withhold: Deed = async (liar, room) => {
  const hidden = room.build(message(liar))
  const shown = room.build(message(liar, { prev: [hidden.id] }))
  if (liar.random.integer(2) === 0) room.events.delete(hidden.id)
  await liar.sendToAll([shown.json])
}

const backdate: Deed = async (liar, room) => {
  const old = anEvent(liar, room)
  const event = room.build(message(liar, { prev: [old.id], atMs: liar.nowMs() - 1_000_000_000 }))
  await liar.sendToAll([event.json])
}

const sendMalformed: Deed = async (liar, room) => {
  const good = room.build(message(liar))
  const bad = Array.from({ length: 6 }, () => oneOf(liar, SPOILINGS).spoil(room.build(message(liar)).json))
  room.tip = good.id
  await liar.sendToAll([...bad, good.json])
}

const STATES: readonly Omit<Draft, 'sender' | 'atMs'>[] = [
  { type: 'm.room.power_levels', stateKey: '', content: { users: { '@mal:elm': 100 } } },
  { type: 'm.room.topic', stateKey: '', content: { topic: 'lies' } },
  { type: 'm.room.join_rules', stateKey: '', content: { join_rule: 'invite' } },
  { type: 'm.room.create', stateKey: '', content: { creator: '@mal:elm', room_version: '10' } },
  { type: 'm.room.member', stateKey: '@a1:ash', content: { membership: 'ban' } },
  { type: 'm.room.member', stateKey: '@a1:ash', content: { membership: 'leave' } },
  { type: 'm.room.member', stateKey: '@ghost:elm', content: { membership: 'join' } },
  { type: 'm.room.server_acl', stateKey: '', content: { allow: ['elm'], deny: ['*'] } },
  { type: 'm.room.third_party_invite', stateKey: 'x', content: {} },
]

/** Without the power for it. */
const usurp: Deed = async (liar, room) => {
  const before = [...room.state]
  const event = room.build({ ...oneOf(liar, STATES), sender: liar.userId, atMs: liar.nowMs() })
  // What nobody takes is no state of its own either.
  room.state.clear()
  for (const [key, id] of before) room.state.set(key, id)
  await liar.sendToAll([event.json])
}

const AUTH_LIES: readonly ((liar: Liar, room: KnownRoom, own: readonly EventId[]) => readonly EventId[])[] = [
  () => [],
  (_liar, _room, own) => [...own, ...own],
  (liar, room, own) => [...own, anEvent(liar, room).id],
  (_liar, _room, own) => own.slice(1),
  (_liar, _room, own) => [...own, `$${'n'.repeat(43)}` as EventId],
  (liar, room) =>
    room
      .stateEvents()
      .map(({ id }) => id)
      .slice(0, 30 + liar.random.integer(5)),
]

/** More would be malformed. */
const AUTH_EVENTS_MAX = 10

const citeWrongly: Deed = async (liar, room) => {
  const draft = message(liar)
  const auth = oneOf(liar, AUTH_LIES)(liar, room, room.authOf(draft))
  await liar.sendToAll([room.build({ ...draft, auth: auth.slice(0, AUTH_EVENTS_MAX) }).json])
}

const buildOnNothing: Deed = async (liar, room) => {
  const prev = Array.from({ length: 1 + liar.random.integer(10) }, () => `$${liar.random.text(43)}` as EventId)
  await liar.sendToAll([room.build(message(liar, { prev })).json])
}

const runAhead: Deed = async (liar, room) => {
  const event = room.build(message(liar, { depth: oneOf(liar, [2 ** 53 - 1, 1_000_000, 0]) }))
  await liar.sendToAll([event.json])
}

const redactOthers: Deed = async (liar, room) => {
  const redacts = anEvent(liar, room).id
  const content: JsonObject = { reason: 'lies', redacts }
  await liar.sendToAll([room.build(message(liar, { type: 'm.room.redaction', content, redacts })).json])
}

const leaveAndSpeak: Deed = async (liar, room) => {
  const before = room.tip
  const left = room.build({
    type: 'm.room.member',
    stateKey: liar.userId,
    sender: liar.userId,
    content: { membership: 'leave' },
    atMs: liar.nowMs(),
  })
  await liar.sendToAll([left.json])
  await liar.sendToAll([room.build(message(liar, before === undefined ? {} : { prev: [before] })).json])
  room.tip = left.id
  await liar.join(room.roomId, oneOf(liar, liar.honest))
}

/** In versions with ids of one's own choice, two events can follow each other. */
const goInCircles: Deed = async (liar, room) => {
  const first = room.build(message(liar))
  const second = room.build(message(liar, { prev: [first.id] }))
  const prev = room.rules.edgesAsPairs ? [[second.id, {}]] : [second.id]
  await liar.sendToAll([{ ...first.json, prev_events: prev as JsonValue }, second.json])
}

const EDUS: readonly JsonValue[] = [
  null,
  { edu_type: 'm.typing' },
  { edu_type: 'm.typing', content: { room_id: 5, user_id: '@a1:ash', typing: true } },
  { edu_type: 'm.presence', content: { push: 'x' } },
  { edu_type: 'm.receipt', content: { '!x:ash': null } },
  { edu_type: 'm.direct_to_device', content: { sender: '@a1:ash', type: 'm.x', message_id: 'a', messages: {} } },
  { edu_type: 'm.device_list_update', content: { user_id: '@a1:ash', device_id: 'A', stream_id: -1 } },
  { edu_type: 5, content: [] },
]

const sendBadEdus: Deed = async (liar) => {
  for (const name of liar.honest) await liar.send(name, [], [...EDUS])
}

const sendBadRequests: Deed = async (liar, room) => {
  const id = encodeURIComponent(room.roomId)
  const event = room.build(message(liar))
  const name = oneOf(liar, liar.honest)
  const about = `${id}/${encodeURIComponent(event.id)}`
  for (const verb of ['send_join', 'send_leave', 'send_knock', 'invite'])
    await liar.ask(name, 'PUT', `/_matrix/federation/v${verb === 'send_knock' ? 1 : 2}/${verb}/${about}`, event.json)
  for (const body of [null, [], 'x', { pdus: 'x' }, { pdus: Array.from({ length: 60 }, () => event.json) }])
    await liar.ask(name, 'PUT', `/_matrix/federation/v1/send/bad${liar.random.text(5)}`, body)
  await liar.ask(name, 'POST', `/_matrix/federation/v1/get_missing_events/${id}`, {
    latest_events: [5],
    limit: -1,
  })
  await liar.ask(name, 'GET', `/_matrix/federation/v1/backfill/${id}?v=%24x&limit=1e9`)
  await liar.ask(name, 'GET', `/_matrix/federation/v1/state_ids/${id}?event_id=%24nothing`)
}

const DEEDS: readonly (readonly [string, Deed])[] = [
  ['speakTruth', speakTruth],
  ['equivocate', equivocate],
  ['withhold', withhold],
  ['backdate', backdate],
  ['sendMalformed', sendMalformed],
  ['sendMalformed', sendMalformed],
  ['usurp', usurp],
  ['citeWrongly', citeWrongly],
  ['buildOnNothing', buildOnNothing],
  ['runAhead', runAhead],
  ['redactOthers', redactOthers],
  ['leaveAndSpeak', leaveAndSpeak],
  ['goInCircles', goInCircles],
  ['sendBadEdus', sendBadEdus],
  ['sendBadRequests', sendBadRequests],
]
