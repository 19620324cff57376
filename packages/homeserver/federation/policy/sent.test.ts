import assert from 'node:assert/strict'
import test from 'node:test'
import { OutgoingFailed } from '@holdfast/platform/http/client'
import type { JsonObject } from '@holdfast/protocol/json/value'
import { until } from '../../testing/until.ts'
import {
  BOB,
  OTHER,
  POLICY,
  policedRoom,
  policyKey,
  signed,
  type Answer,
  type PolicedRoom,
} from './testing/policed-room.ts'

function say({ ann, path }: PolicedRoom, body: string, txnId = body) {
  return ann.request('PUT', path(`/send/m.room.message/${txnId}`), { msgtype: 'm.text', body })
}

function signaturesOf(event: JsonObject): Record<string, string[]> {
  return Object.fromEntries(
    Object.entries(event['signatures'] as JsonObject).map(([by, keys]) => [by, Object.keys(keys as JsonObject)]),
  )
}

test('[PS1] an event is signed by us, then by the policy server, and only then sent', async (t) => {
  const room = await policedRoom(t)
  const { status, body } = await say(room, 'hello')
  assert.equal(status, 200)
  assert.deepEqual(
    room.shown.map(({ pdu }) => [pdu.eventId, pdu.content['body']]),
    [[body.event_id, 'hello']],
  )
  assert.deepEqual(Object.keys(room.shown[0]!.signatures), ['example.org'])
  const signatures = signaturesOf(await room.stored(body.event_id))
  assert.deepEqual(signatures[POLICY], ['ed25519:policy_server'])
  assert.equal(signatures['example.org']?.length, 1)
  assert.deepEqual((await say(room, 'hello')).body, body)
  assert.equal(room.shown.length, 1, 'a repeated transaction is answered from memory')
  const event = await room.ann.ok('GET', room.path(`/event/${encodeURIComponent(body.event_id)}`))
  assert.equal(event.unsigned.transaction_id, 'hello')
})

test('[PS1] every kind of event of a user is signed: state, redactions, memberships, and other m.room.policy events', async (t) => {
  const room = await policedRoom(t)
  const { ann, path } = room
  const carl = await room.server.user('carl')
  const { body } = await say(room, 'mistake')
  await ann.ok('PUT', path(`/redact/${encodeURIComponent(body.event_id)}/1`), {})
  await ann.ok('PUT', path('/state/m.room.topic/'), { topic: 'birds' })
  await ann.ok('PUT', path('/state/m.room.topic/'), { topic: 'birds' })
  await ann.ok('PUT', path('/state/m.room.policy/other'), {})
  await ann.ok('PUT', path('/send/m.room.policy/2'), {})
  await ann.ok('POST', path('/invite'), { user_id: carl.userId })
  await carl.ok('POST', path('/join'), {})
  await ann.ok('POST', path('/kick'), { user_id: carl.userId })
  await ann.ok('PUT', '/profile/@ann:example.org/displayname', { displayname: 'Ann' })
  assert.deepEqual(
    room.shown.map(({ pdu }) => pdu.type.slice('m.room.'.length)),
    'message redaction topic policy policy member member member member'.split(' '),
  )
  const gone = await ann.ok('GET', path(`/event/${encodeURIComponent(body.event_id)}`))
  assert.deepEqual(gone.content, {})
  for (const { pdu } of room.shown) assert.ok(POLICY in signaturesOf(await room.stored(pdu.eventId)), pdu.type)
})

test('[PS1] the policy server is neither asked about its own designation, nor once the room has none', async (t) => {
  const room = await policedRoom(t)
  room.answers(() => ({ status: 400, body: { errcode: 'M_FORBIDDEN', error: 'never' } }))
  assert.equal((await say(room, 'one')).status, 400)
  await room.ann.ok('PUT', room.path('/state/m.room.policy/'), {})
  assert.equal((await say(room, 'two')).status, 200)
  assert.equal(room.shown.length, 1)
})

test('[PS1] while an event is with the policy server the room goes on, and the event keeps its place', async (t) => {
  const room = await policedRoom(t)
  const held = Promise.withResolvers<void>()
  room.answers(async (event) => {
    if (event.pdu.content['body'] === 'slow') await held.promise
    return signed(event)
  })
  const slow = say(room, 'slow')
  await until(() => room.shown.length === 1, 'the policy server is asked')
  const quick = await say(room, 'quick')
  assert.equal(quick.status, 200)
  const from = room.bobs({})
  await room.receive(from)
  held.resolve()
  const { body } = await slow
  const [one, other] = [await room.stored(body.event_id), await room.stored(quick.body.event_id)]
  assert.deepEqual(one['prev_events'], other['prev_events'])
  const last = await room.stored((await say(room, 'last')).body.event_id)
  assert.deepEqual(
    new Set(last['prev_events'] as string[]),
    new Set([body.event_id, quick.body.event_id, from.eventId]),
  )
})

test('[PS1] what the room forbids by then is not sent, and its transaction may be tried again', async (t) => {
  const room = await policedRoom(t)
  const carl = await room.server.user('carl')
  await carl.ok('POST', room.path('/join'), {})
  const held = Promise.withResolvers<void>()
  room.answers(async (event) => {
    if (event.pdu.type === 'm.room.message') await held.promise
    return signed(event)
  })
  const asked = room.shown.length
  const target = room.path('/send/m.room.message/1')
  const late = carl.request('PUT', target, { body: 'late' })
  await until(() => room.shown.length === asked + 1, 'the policy server is asked')
  await room.ann.ok('POST', room.path('/ban'), { user_id: carl.userId })
  held.resolve()
  assert.equal((await late).status, 403)
  assert.equal(await room.isShown(room.shown[asked]!.pdu.eventId), false)
  await room.ann.ok('POST', room.path('/unban'), { user_id: carl.userId })
  await carl.ok('POST', room.path('/join'), {})
  assert.equal((await carl.request('PUT', target, { body: 'late' })).status, 200)
})

const refusal = (status: number, body: unknown): Answer => ({ status, body })
const otherSignature = policyKey.sign('something else')

const ANSWERS: readonly (readonly [string, Answer, number, string, RegExp])[] = [
  ['its refusal', refusal(400, { errcode: 'M_FORBIDDEN', error: 'spam!' }), 400, 'M_FORBIDDEN', /^spam!$/],
  ['that we are shut out', refusal(403, { errcode: 'M_FORBIDDEN', error: 'go' }), 403, 'M_FORBIDDEN', /^go$/],
  [
    'a pause',
    refusal(429, { errcode: 'M_LIMIT_EXCEEDED', error: 'slow down', retry_after_ms: 5 }),
    429,
    'M_LIMIT_EXCEEDED',
    /^slow down$/,
  ],
  ['a logout', refusal(401, { errcode: 'M_UNKNOWN_TOKEN', error: 'out' }), 403, 'M_FORBIDDEN', /policy server/],
  ['that it is none', refusal(404, { errcode: 'M_UNRECOGNIZED', error: 'what' }), 403, 'M_FORBIDDEN', /policy server/],
  ['a page', refusal(500, '<html>'), 403, 'M_FORBIDDEN', /policy server/],
  ['nobody', new OutgoingFailed('unreachable', 'gone', { maybeSent: false }), 403, 'M_FORBIDDEN', /policy server/],
  ['too late', new OutgoingFailed('timeout', 'late', { maybeSent: true }), 403, 'M_FORBIDDEN', /policy server/],
  ['too much', new OutgoingFailed('too-large', 'much', { maybeSent: true }), 403, 'M_FORBIDDEN', /policy server/],
  ['no JSON', refusal(200, 'yes'), 403, 'M_FORBIDDEN', /policy server/],
  ['a list', refusal(200, []), 403, 'M_FORBIDDEN', /policy server/],
  ['nothing', refusal(200, {}), 403, 'M_FORBIDDEN', /policy server/],
  ['words', refusal(200, { [POLICY]: { 'ed25519:policy_server': 'yes' } }), 403, 'M_FORBIDDEN', /did not sign/],
  ['no text', refusal(400, { errcode: 'M_FORBIDDEN', error: ['x'] }), 400, 'M_FORBIDDEN', /M_FORBIDDEN/],
  [
    'a signature of something else',
    refusal(200, { [POLICY]: { 'ed25519:policy_server': otherSignature } }),
    403,
    'M_FORBIDDEN',
    /did not sign/,
  ],
]

for (const [what, answer, status, errcode, words] of ANSWERS) {
  test(`[PS2] where the policy server says ${what}, nothing is sent, and the user is told`, async (t) => {
    const room = await policedRoom(t)
    room.answers(() => answer)
    const refused = await say(room, 'buy')
    assert.deepEqual([refused.status, refused.body.errcode], [status, errcode])
    assert.match(refused.body.error, words)
    assert.equal(await room.isShown(room.shown[0]!.pdu.eventId), false)
    room.answers(signed)
    assert.equal((await say(room, 'buy')).status, 200)
  })
}

test('[PS3] of the many who send at once, those for whom the policy server has no time left are told to try again', async (t) => {
  const room = await policedRoom(t)
  const held = Promise.withResolvers<void>()
  let most = 0
  let now = 0
  room.answers(async (event) => {
    now += 1
    most = Math.max(most, now)
    await held.promise
    now -= 1
    return signed(event)
  })
  const sent = Array.from({ length: 110 }, (_, index) => say(room, `m${index}`))
  const busy = await Promise.race(sent)
  assert.deepEqual([busy.status, busy.body.errcode], [429, 'M_LIMIT_EXCEEDED'])
  held.resolve()
  const statuses = (await Promise.all(sent)).map(({ status }) => status)
  assert.deepEqual([statuses.filter((status) => status === 200).length, most], [108, 8])
})

test('[PS4] a user leaves though the policy server refuses, or is away', async (t) => {
  const room = await policedRoom(t)
  const [carl, dora] = [await room.server.user('carl'), await room.server.user('dora')]
  for (const user of [carl, dora]) await user.ok('POST', room.path('/join'), {})
  room.answers(() => refusal(400, { errcode: 'M_FORBIDDEN', error: 'stay' }))
  assert.equal((await room.ann.request('POST', room.path('/kick'), { user_id: dora.userId })).status, 400)
  await carl.ok('POST', room.path('/leave'), {})
  room.answers(() => new OutgoingFailed('timeout', 'late', { maybeSent: true }))
  await dora.ok('POST', room.path('/leave'), {})
  const { joined } = await room.ann.ok('GET', room.path('/joined_members'))
  assert.deepEqual(Object.keys(joined).sort(), ['@ann:example.org', `@pat:${POLICY}`, BOB].sort())
})

test('[PS1] an invitation reaches the other server with the signature of the policy server', async (t) => {
  const room = await policedRoom(t)
  room.answers(() => refusal(400, { errcode: 'M_FORBIDDEN', error: 'no more of them' }))
  const target = { user_id: `@eve:${OTHER}` }
  const refused = await room.ann.request('POST', room.path('/invite'), target)
  assert.deepEqual([refused.status, refused.body.error], [400, 'no more of them'])
})

test('[PS8] in a room that names this server as its policy server nothing is sent until that changes', async (t) => {
  const room = await policedRoom(t)
  const ours = { via: 'example.org', public_keys: { ed25519: policyKey.publicKey } }
  await room.ann.ok('PUT', room.path('/state/m.room.policy/'), ours)
  assert.equal((await say(room, 'one')).status, 403)
  await room.ann.ok('PUT', room.path('/state/m.room.policy/'), {})
  assert.equal((await say(room, 'two')).status, 200)
  assert.equal(room.shown.length, 0)
})
