import assert from 'node:assert/strict'
import test from 'node:test'
import { OutgoingFailed } from '@holdfast/platform/http/client'
import { parsePdu } from '@holdfast/protocol/event/format'
import type { JsonObject } from '@holdfast/protocol/json/value'
import { rulesFor } from '@holdfast/protocol/room-version/rules'
import { withSignature } from '@holdfast/protocol/signing/sign-json'
import { part, template, finish } from '../../rooms/admit/testing/peer-events.ts'
import { BOB, OTHER, POLICY, policedRoom, policyKey, signed } from './testing/policed-room.ts'

const NO = { status: 400, body: { errcode: 'M_FORBIDDEN', error: 'spam' } }

test('[PS5] an event without the signature of the policy server is shown to it, and kept with the signature', async (t) => {
  const room = await policedRoom(t)
  const one = room.bobs({})
  assert.deepEqual(await room.receive(one), { [one.eventId]: {} })
  assert.equal(await room.isShown(one.eventId), true)
  const { signatures } = await room.stored(one.eventId)
  assert.deepEqual(Object.keys(signatures as JsonObject).sort(), [POLICY, OTHER].sort())
  assert.deepEqual(
    room.shown.map(({ pdu }) => pdu.eventId),
    [one.eventId],
  )
})

test('[PS5] an event that the policy server has signed is not shown to it, but one with a signature of something else is', async (t) => {
  const room = await policedRoom(t)
  const [one, two] = [room.bobs({}), room.bobs({ depth: 21 })]
  const asked = room.bobs({ depth: 22 })
  await room.receive(asked)
  const good = policyKey.sign(room.shown[0]!.signable)
  const claim = { signer: POLICY, keyId: 'ed25519:policy_server', signature: good }
  await room.receive({ ...one, body: withSignature(one.body, claim) })
  assert.deepEqual(
    room.shown.map(({ pdu }) => pdu.eventId),
    [asked.eventId, one.eventId],
  )
  room.answers((event) => {
    throw new Error(`asked about ${event.pdu.eventId}`)
  })
  await room.receive({
    ...two,
    body: withSignature(two.body, { ...claim, signature: policyKey.sign(signableOf(two.body)) }),
  })
  assert.deepEqual([await room.isShown(one.eventId), await room.isShown(two.eventId)], [true, true])
})

function signableOf(body: JsonObject): string {
  const parsed = parsePdu(body, rulesFor('11')!)
  assert.ok(parsed.ok)
  return parsed.signable
}

for (const [what, answer] of [
  ['refuses', NO],
  ['signs something else', { body: { [POLICY]: { 'ed25519:policy_server': policyKey.sign('x') } } }],
  ['is away', new OutgoingFailed('unreachable', 'gone', { maybeSent: false })],
  ['is too slow', new OutgoingFailed('timeout', 'late', { maybeSent: true })],
  ['says too much', new OutgoingFailed('too-large', 'much', { maybeSent: true })],
  ['fails', { status: 502, body: '<html>' }],
] as const) {
  test(`[PS5] an event is soft-failed where the policy server ${what}: it is handled, shown to nobody, and built on`, async (t) => {
    const room = await policedRoom(t)
    room.answers((event) => (event.pdu.depth === 20 ? answer : signed(event)))
    const spam = room.bobs({})
    assert.deepEqual(await room.receive(spam), { [spam.eventId]: {} })
    assert.equal(await room.isShown(spam.eventId), false)
    const { parts } = room.server
    const head = (await parts.heads.byId(room.roomId as never))!
    assert.equal(
      head.extremities.some(({ pdu }) => pdu.eventId === spam.eventId),
      false,
    )
  })
}

test('[PS5] a refused state event changes nothing, and an event on top of it is judged for itself', async (t) => {
  const room = await policedRoom(t)
  room.answers((event) => (event.pdu.type === 'm.room.message' ? signed(event) : NO))
  const content = { membership: 'join', displayname: 'BUY' }
  const renamed = room.bobs({ type: 'm.room.member', state_key: BOB, content })
  const onTop = room.bobs({ prev_events: [renamed.eventId], depth: 21 })
  await room.receive(renamed, onTop)
  assert.deepEqual([await room.isShown(renamed.eventId), await room.isShown(onTop.eventId)], [false, true])
})

test('[PS5] a user of another server joins only with leave of the policy server', async (t) => {
  const room = await policedRoom(t)
  const peer = room.server.peer(OTHER)
  const userId = `@eve:${OTHER}`
  const joined = finish(peer, '11', await template(peer, 'join', { roomId: room.roomId, userId, version: '11' }))
  const target = `/v2/send_join/${part(room.roomId)}/${part(joined.eventId)}`
  room.answers(() => NO)
  const refused = await peer.request('PUT', target, joined.body)
  assert.deepEqual([refused.status, refused.body.errcode], [403, 'M_FORBIDDEN'])
  room.answers(signed)
  const again = finish(peer, '11', await template(peer, 'join', { roomId: room.roomId, userId, version: '11' }))
  await peer.ok('PUT', `/v2/send_join/${part(room.roomId)}/${part(again.eventId)}`, again.body)
  assert.ok(POLICY in ((await room.stored(again.eventId))['signatures'] as JsonObject))
})

test('[PS6] nothing is asked twice, nor about events that are here, nor for servers that have nobody in the room', async (t) => {
  const room = await policedRoom(t)
  room.answers(() => NO)
  const spam = room.bobs({})
  const late = room.bobs({ prev_events: ['$' + 'A'.repeat(43)], depth: 30 })
  await room.receive(spam)
  await room.receive(spam)
  await room.receive(late)
  await room.receive(late)
  const stranger = finish(room.server.peer('192.0.2.3:8448'), '11', {
    ...room.bobs({}).body,
    sender: '@x:192.0.2.3:8448',
  })
  await room.receive(stranger)
  assert.deepEqual(
    room.shown.map(({ pdu }) => pdu.eventId),
    [spam.eventId, late.eventId],
  )
  assert.equal(await room.isShown(stranger.eventId), false)
})

test('[PS7] what follows the end of a policy server in the same batch needs no signature of it', async (t) => {
  const room = await policedRoom(t)
  const power = { users: { '@ann:example.org': 100, [BOB]: 100 } }
  const levels = (await room.ann.ok('PUT', room.path('/state/m.room.power_levels/'), power)).event_id as string
  room.answers(() => NO)
  const base = room.bobs({})
  const [create, , member] = base.body['auth_events'] as string[]
  const auth = { auth_events: [create!, levels, member!] }
  const end = room.bobs({ ...auth, type: 'm.room.policy', state_key: '', content: {}, prev_events: [levels] })
  const after = room.bobs({ ...auth, prev_events: [end.eventId], depth: 21 })
  await room.receive(end, after)
  assert.deepEqual([await room.isShown(end.eventId), await room.isShown(after.eventId)], [true, true])
})

test('[PS7] a refusal counts only while the room has the same policy server', async (t) => {
  const room = await policedRoom(t)
  const held = Promise.withResolvers<void>()
  const asked = Promise.withResolvers<void>()
  room.answers(async () => {
    asked.resolve()
    await held.promise
    return NO
  })
  const one = room.bobs({})
  const received = room.receive(one)
  await asked.promise
  await room.ann.ok('PUT', room.path('/state/m.room.policy/'), {})
  held.resolve()
  await received
  assert.equal(await room.isShown(one.eventId), true)
})
