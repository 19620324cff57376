import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TestUser } from '../testing/homeserver.ts'
import { startFederatedHomeservers, type Federation } from '../testing/two-homeservers.ts'
import { until } from '../testing/until.ts'

type World = AsyncDisposable & {
  readonly federation: Federation
  readonly ann: TestUser
  readonly bob: TestUser
  readonly room: string
  /** What ann said before bob's server was in the room. */
  readonly said: string
}

/** Bob of b.example may redact, and what ann said is not at his server. */
async function aWorld(roomVersion: string): Promise<World> {
  const federation = await startFederatedHomeservers(['a.example', 'b.example'])
  const [a, b] = federation.servers
  const [ann, bob] = [await a!.user('ann'), await b!.user('bob')]
  const { room_id } = await ann.ok('POST', '/createRoom', { preset: 'public_chat', room_version: roomVersion })
  const room = encodeURIComponent(room_id)
  const { event_id: said } = await ann.ok('PUT', `/rooms/${room}/send/m.room.message/1`, { body: 'secret' })
  const levels = await ann.ok('GET', `/rooms/${room}/state/m.room.power_levels/`)
  const users = { ...levels.users, [bob.userId]: 50 }
  await ann.ok('PUT', `/rooms/${room}/state/m.room.power_levels/`, { ...levels, users })
  await bob.ok('POST', `/join/${room}?via=a.example`, {})
  return { federation, ann, bob, room, said, [Symbol.asyncDispose]: () => federation[Symbol.asyncDispose]() }
}

const redact = (user: TestUser, room: string, eventId: string) =>
  user.request('PUT', `/rooms/${room}/redact/${encodeURIComponent(eventId)}/r${eventId.length}`, { reason: 'so' })

for (const roomVersion of ['1', '11', '12']) {
  test(`[ROOM17] an event that only another server has is redacted there, and here when it comes, in version ${roomVersion}`, async () => {
    await using world = await aWorld(roomVersion)
    const { ann, bob, room, said } = world
    const { status, body } = await redact(bob, room, said)
    assert.equal(status, 200)
    const at = `/rooms/${room}/event/${encodeURIComponent(said)}`
    await until(async () => (await ann.ok('GET', at)).content.body === undefined, 'it is redacted there')
    assert.equal((await ann.ok('GET', at)).unsigned.redacted_because.event_id, body.event_id)
    const { chunk } = await bob.ok('GET', `/rooms/${room}/messages?dir=b&limit=100`)
    const here = chunk.find((event: { event_id: string }) => event.event_id === said)
    assert.deepEqual([here.content, here.unsigned.redacted_because.event_id], [{}, body.event_id])
  })
}

test('[ROOM17] whose event it is is not known of one that is elsewhere: it takes the power to redact those of others', async () => {
  await using world = await aWorld('11')
  const { federation, room, said, ann } = world
  const cat = await federation.servers[1]!.user('cat')
  await cat.ok('POST', `/join/${room}`, {})
  const { status, body } = await redact(cat, room, said)
  assert.deepEqual([status, body.errcode], [403, 'M_FORBIDDEN'])
  assert.equal((await ann.ok('GET', `/rooms/${room}/event/${encodeURIComponent(said)}`)).content.body, 'secret')
})

test('[ROOM17] in a room without other servers nothing can be redacted that is not here', async () => {
  await using world = await aWorld('11')
  const { ann } = world
  const { room_id } = await ann.ok('POST', '/createRoom', {})
  const { status, body } = await redact(ann, encodeURIComponent(room_id), `$${'x'.repeat(43)}`)
  assert.deepEqual([status, body.errcode], [400, 'M_INVALID_PARAM'])
})
