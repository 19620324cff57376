/** What people do to rooms, and what they see of them. */
import assert from 'node:assert/strict'
import { uniqueName } from '../server/unique-name.ts'
import { type Body, segment } from './http.ts'
import type { Person } from './person.ts'
import { eventually } from './waiting.ts'

export type NewRoom = {
  readonly version: string
  readonly preset?: 'public_chat' | 'private_chat'
  readonly alias?: string
  readonly name?: string
  readonly visibility?: 'public' | 'private'
  readonly state?: readonly { readonly type: string; readonly content: object }[]
  readonly creationContent?: object
}

export async function createRoom(by: Person, room: NewRoom): Promise<string> {
  const created = await by.post('/createRoom', {
    room_version: room.version,
    preset: room.preset ?? 'public_chat',
    visibility: room.visibility ?? 'private',
    name: room.name ?? `a room of version ${room.version}`,
    ...(room.alias === undefined ? {} : { room_alias_name: room.alias }),
    ...(room.creationContent === undefined ? {} : { creation_content: room.creationContent }),
    initial_state: (room.state ?? []).map((event) => ({ state_key: '', ...event })),
  })
  return created.room_id
}

/** `server_name` is what `via` was called before 1.12. */
export async function joinVia(who: Person, roomIdOrAlias: string, via: string): Promise<void> {
  const servers = `via=${segment(via)}&server_name=${segment(via)}`
  await who.post(`/join/${segment(roomIdOrAlias)}?${servers}`)
}

export async function knockVia(who: Person, roomId: string, via: string): Promise<void> {
  await who.post(`/knock/${segment(roomId)}?via=${segment(via)}&server_name=${segment(via)}`, { reason: 'let me in' })
}

export async function join(who: Person, roomId: string): Promise<void> {
  await who.post(`/rooms/${segment(roomId)}/join`)
}

export async function leave(who: Person, roomId: string): Promise<void> {
  await who.post(`/rooms/${segment(roomId)}/leave`)
}

export type Measure = 'invite' | 'kick' | 'ban' | 'unban'

export async function does(measure: Measure, by: Person, to: Person, roomId: string): Promise<void> {
  await by.post(`/rooms/${segment(roomId)}/${measure}`, { user_id: to.userId })
}

/** Gives the event's ID. */
export async function say(by: Person, roomId: string, body: string, more: object = {}): Promise<string> {
  const path = `/rooms/${segment(roomId)}/send/m.room.message/${uniqueName('txn')}`
  return (await by.put(path, { msgtype: 'm.text', body, ...more })).event_id
}

export async function redact(by: Person, roomId: string, eventId: string): Promise<string> {
  const path = `/rooms/${segment(roomId)}/redact/${segment(eventId)}/${uniqueName('txn')}`
  return (await by.put(path, { reason: 'a slip' })).event_id
}

export type StateKey = { readonly type: string; readonly key?: string }

export async function setState(by: Person, roomId: string, state: StateKey, content: object): Promise<string> {
  return (await by.put(statePath(roomId, state), content)).event_id
}

export async function getState(by: Person, roomId: string, state: StateKey): Promise<Body> {
  return by.get(statePath(roomId, state))
}

function statePath(roomId: string, { type, key = '' }: StateKey): string {
  return `/rooms/${segment(roomId)}/state/${segment(type)}/${segment(key)}`
}

export async function givePower(by: Person, roomId: string, to: Person, level: number): Promise<void> {
  const content = await getState(by, roomId, { type: 'm.room.power_levels' })
  const users = { ...content.users, [to.userId]: level }
  await setState(by, roomId, { type: 'm.room.power_levels' }, { ...content, users })
}

export async function untilState(
  who: Person,
  roomId: string,
  state: StateKey & { readonly is: (content: Body) => boolean },
): Promise<Body> {
  return eventually(`${who.userId} sees ${state.type} of ${state.key ?? ''} in ${roomId}`, async () => {
    const content = await getState(who, roomId, state)
    return state.is(content) ? content : undefined
  })
}

export type Membership = 'join' | 'invite' | 'leave' | 'ban' | 'knock'

/** Until `by` sees that `of` is so. */
export async function untilMembership(by: Person, roomId: string, of: Person, membership: Membership): Promise<Body> {
  return untilState(by, roomId, {
    type: 'm.room.member',
    key: of.userId,
    is: (content) => content.membership === membership,
  })
}

/** What the user's own sync says of a room that they are not joined to. */
export async function hearsOf(who: Person, roomId: string, section: 'invite' | 'knock' | 'leave'): Promise<Body> {
  return who.hears(`${section} of ${roomId}`, (sync) => sync.rooms?.[section]?.[roomId])
}

/** The event as it comes by sync. */
export async function hearsEvent(who: Person, roomId: string, eventId: string): Promise<Body> {
  return who.hears(`${eventId} in ${roomId}`, (sync) => {
    const events: readonly Body[] = sync.rooms?.join?.[roomId]?.timeline?.events ?? []
    return events.find((event) => event.event_id === eventId)
  })
}

export async function getEvent(by: Person, roomId: string, eventId: string): Promise<Body> {
  return by.get(`/rooms/${segment(roomId)}/event/${segment(eventId)}`)
}

/** All events that the person can page to, newest first. */
export async function scrollBack(who: Person, roomId: string): Promise<readonly Body[]> {
  const events: Body[] = []
  const pagesMax = 50
  let from = ''
  for (let pages = 0; pages < pagesMax; pages += 1) {
    const page = await who.get(`/rooms/${segment(roomId)}/messages?dir=b&limit=20${from}`)
    events.push(...page.chunk)
    if (page.end === undefined || page.end === page.start) return events
    from = `&from=${segment(page.end)}`
  }
  return assert.fail(`${who.userId} pages back in ${roomId} without end`)
}

/** Until the person can scroll back to all of them. */
export async function untilScrollsTo(who: Person, roomId: string, eventIds: readonly string[]): Promise<void> {
  let missing = eventIds
  await eventually(`${who.userId} scrolls back to ${eventIds.length} events of ${roomId}`, async () => {
    const seen = new Set((await scrollBack(who, roomId)).map((event) => event.event_id))
    missing = eventIds.filter((eventId) => !seen.has(eventId))
    if (missing.length > 0) throw new Error(`${missing.length} of ${eventIds.length} are missing: ${missing.join(' ')}`)
    return true
  })
}

/** What two servers must agree on: which event is the state of what, and what it says. */
async function stateOf(who: Person, roomId: string): Promise<Record<string, Body>> {
  const events: readonly Body[] = await who.get(`/rooms/${segment(roomId)}/state`)
  const entries = events.map(({ type, state_key, event_id, sender, content }): [string, Body] => [
    `${type} ${state_key}`,
    { event_id, sender, content },
  ])
  return Object.fromEntries(entries)
}

/** Until both see the same; otherwise fails with the difference. */
export async function untilSameState(one: Person, other: Person, roomId: string): Promise<void> {
  await eventually(`${one.peer.label} and ${other.peer.label} have the same state of ${roomId}`, async () => {
    const [ofOne, ofOther] = await Promise.all([stateOf(one, roomId), stateOf(other, roomId)])
    assert.ok(Object.keys(ofOne).length > 0)
    assert.deepEqual(ofOne, ofOther)
    return true
  })
}
