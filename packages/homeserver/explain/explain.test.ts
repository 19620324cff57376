import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JsonObject, JsonValue } from '@holdfast/protocol/json/value'
import { finish, part, template } from '../rooms/admit/testing/peer-events.ts'
import { startTestHomeserver, type TestPeer } from '../testing/homeserver.ts'
import { startFederatedHomeservers } from '../testing/two-homeservers.ts'
import { until } from '../testing/until.ts'
import type { EventExplanation } from './event.ts'
import { explain, type ExplainDeps } from './explain.ts'
import type { RoomExplanation } from './room.ts'
import type { ServerExplanation } from './server.ts'
import { explanationText } from './text.ts'

const event = async (deps: ExplainDeps, id: string) =>
  (await explain(deps, { subject: 'event', id })) as EventExplanation
const room = async (deps: ExplainDeps, id: string) => (await explain(deps, { subject: 'room', id })) as RoomExplanation
const server = async (deps: ExplainDeps, id: string) =>
  (await explain(deps, { subject: 'server', id })) as ServerExplanation

const BOB = '@bob:far.example'

/** Bob of another server joins; the answer is his membership event. */
async function joined(
  peer: TestPeer,
  roomId: string,
): Promise<{ readonly eventId: string; readonly body: JsonObject }> {
  const join = finish(peer, '11', await template(peer, 'join', { roomId, userId: BOB, version: '11' }))
  await peer.ok('PUT', `/v2/send_join/${part(roomId)}/${part(join.eventId)}`, join.body)
  return join
}

test('an event says what it replaced, whether it still stands, and what it changed', async () => {
  await using homeserver = await startTestHomeserver()
  const ann = await homeserver.user('ann')
  const roomId = (await ann.ok('POST', '/createRoom', {})).room_id
  const setName = async (name: string): Promise<string> =>
    (await ann.ok('PUT', `/rooms/${roomId}/state/m.room.name/`, { name })).event_id
  const [first, second] = [await setName('one'), await setName('two')]
  const message = (await ann.ok('PUT', `/rooms/${roomId}/send/m.room.message/1`, { body: 'x' })).event_id
  const [old] = (await event(homeserver.parts, first)).found
  const [now] = (await event(homeserver.parts, second)).found
  assert.deepEqual([old!.current, old!.replaces, now!.current, now!.replaces], [second, null, second, first])
  const changed = { type: 'm.room.name', state_key: '', before: first, after: second }
  assert.deepEqual(now!.state, { changed: [changed], changed_count: 1 })
  const [said] = (await event(homeserver.parts, message)).found
  assert.deepEqual([said!.state?.changed_count, said!.current], [0, null])
  assert.match(explanationText(await event(homeserver.parts, message)), /accepted +It is part of the room/)
  const text = explanationText(await event(homeserver.parts, first))
  assert.match(text, new RegExp(`Now \\${second} stands in its place`))
  assert.match(explanationText(await event(homeserver.parts, '$nobody')), /is not known here/)
})

test('a rejected event says which rule it broke, in the words for it, and the room lists it', async () => {
  await using homeserver = await startTestHomeserver()
  const ann = await homeserver.user('ann')
  const roomId = (await ann.ok('POST', '/createRoom', { preset: 'public_chat', room_version: '11' })).room_id
  const peer = homeserver.peer('far.example')
  const join = await joined(peer, roomId)
  const naming = finish(peer, '11', {
    ...withoutProofs(join.body),
    type: 'm.room.name',
    state_key: '',
    content: { name: 'mine\u001b[2J' },
    prev_events: [join.eventId],
    auth_events: [...(join.body['auth_events'] as readonly JsonValue[]), join.eventId].slice(-4),
    depth: Number(join.body['depth']) + 1,
  })
  await peer.ok('PUT', '/v1/send/1', {
    origin: 'far.example',
    origin_server_ts: 1,
    pdus: [naming.body],
  })
  const [found] = (await event(homeserver.parts, naming.eventId)).found
  assert.deepEqual(
    found!.marks.map(({ name }) => name),
    ['rejected'],
  )
  assert.ok(found!.verdict)
  assert.equal(found!.state, null)
  const explained = await room(homeserver.parts, roomId)
  assert.deepEqual(
    explained.room?.last_refusals.map((one) => one.rule),
    [found!.verdict.rule],
  )
  assert.deepEqual(explained.room.servers, [{ server_name: 'far.example', joined: 1 }])
  const text = explanationText(await event(homeserver.parts, naming.eventId))
  assert.match(text, /rejected +It breaks a rule of the room/)
  assert.match(text, new RegExp(`rule ${found!.verdict.rule}`))
})

function withoutProofs({ hashes: _hashes, signatures: _signatures, ...event }: JsonObject): JsonObject {
  return event
}

test('a room says who is in it, where its tips are and what changed last', async () => {
  await using homeserver = await startTestHomeserver()
  const ann = await homeserver.user('ann')
  const roomId = (await ann.ok('POST', '/createRoom', { name: 'a room', room_version: '12' })).room_id
  const { room: known } = await room(homeserver.parts, roomId)
  assert.deepEqual([known?.version, known?.is_resident, known?.joined_count], ['12', true, 1])
  assert.deepEqual(known?.members, [ann.userId])
  assert.equal(known?.extremity_count, 1)
  assert.equal(known?.last_state_events[0]?.type, 'm.room.name')
  const text = explanationText(await room(homeserver.parts, roomId))
  assert.match(text, /Members of this server are in it/)
  assert.match(explanationText(await room(homeserver.parts, '!nobody:example.org')), /is not known here/)
})

test('a server that does not answer: what waits for it and why, and the event says that it waits', async () => {
  await using federation = await startFederatedHomeservers(['a.example', 'b.example'])
  const [a, b] = federation.servers
  const [ann, bob] = [await a!.user('ann'), await b!.user('bob')]
  const roomId = (await ann.ok('POST', '/createRoom', { preset: 'public_chat' })).room_id
  await bob.ok('POST', `/join/${encodeURIComponent(roomId)}?via=a.example`, {})
  await until(async () => (await server(a!.parts, 'b.example')).queue.events === 0, 'nothing waits')
  federation.cutOff('b.example', true)
  const said = (await ann.ok('PUT', `/rooms/${roomId}/send/m.room.message/1`, { body: 'x' })).event_id
  await until(async () => (await server(a!.parts, 'b.example')).reach.kind !== 'up', 'it is away')
  const away = await server(a!.parts, 'b.example')
  assert.equal(away.reach.kind, 'backing-off')
  assert.match(away.reach.last_error!, /unreachable|cannot be reached/)
  assert.equal(away.queue.events, 1)
  assert.deepEqual(away.rooms, [{ room_id: roomId, joined: 1 }])
  assert.ok(away.key_count > 0)
  assert.match(explanationText(away), /It does not answer since .*\n +next try .*\n +last error/)
  await until(async () => (await server(a!.parts, 'a.example')).outbox!.failed === 1, 'it is to be tried again')
  const own = await server(a!.parts, 'a.example')
  assert.deepEqual([own.is_own, own.outbox!.servers], [true, 1])
  assert.match(explanationText(own), /outbox +Something waits for 1 server: .* 1 to be tried again/)
  assert.equal(away.outbox, undefined)
  const [waiting] = (await event(a!.parts, said)).found
  assert.deepEqual([waiting!.waiting, waiting!.waiting_count], [['b.example'], 1])
  federation.cutOff('b.example', false)
  a!.parts.federation.destinations.heardFrom('b.example' as never)
  await until(async () => (await event(a!.parts, said)).found[0]!.waiting_count === 0, 'it hears of it')
  await until(async () => (await server(a!.parts, 'a.example')).outbox!.servers === 0, 'nothing waits any more')
  assert.match(explanationText(await server(a!.parts, 'a.example')), /Nothing waits for any other server/)
})

test('without a running outbox, what was written down counts', async () => {
  await using homeserver = await startTestHomeserver()
  const ann = await homeserver.user('ann')
  const roomId = (await ann.ok('POST', '/createRoom', { preset: 'public_chat', room_version: '11' })).room_id
  await joined(homeserver.peer('far.example'), roomId)
  const said = (await ann.ok('PUT', `/rooms/${roomId}/send/m.room.message/1`, { body: 'x' })).event_id
  const [found] = (await event(homeserver.parts, said)).found
  assert.deepEqual(found!.waiting, ['far.example'])
  const { queue } = await server(homeserver.parts, 'far.example')
  assert.ok(queue.events > 0)
  assert.match(queue.why, /no server runs/)
})

test('what cannot be an id is refused with a hint', async () => {
  await using homeserver = await startTestHomeserver()
  for (const [subject, id] of [
    ['event', 'x'],
    ['room', '#a:b'],
    ['server', 'a b'],
    ['planet', 'x'],
  ] as const) {
    await assert.rejects(explain(homeserver.parts, { subject: subject as 'event', id }), { errcode: 'M_INVALID_PARAM' })
  }
})

test('what strangers wrote cannot move the cursor of a terminal', () => {
  const text = explanationText({
    kind: 'server',
    server_name: 'a.example',
    is_own: false,
    keys: [],
    key_count: 0,
    reach: { kind: 'dormant', last_success: null, failing_since: 1e300, retry_at: 0, last_error: 'x\u001b[2J\n\u202e' },
    queue: { events: 0, is_more: false, edus: 0, is_sending: false, why: '' },
    rooms: [],
    room_count: 0,
  })
  assert.match(text, /x\ufffd\[2J\ufffd\ufffd/)
})
