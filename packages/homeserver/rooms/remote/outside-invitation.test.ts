import assert from 'node:assert/strict'
import test from 'node:test'
import type { EventId, RoomId } from '@holdfast/protocol/ids/brand'
import { startFederatedHomeservers } from '../../testing/two-homeservers.ts'
import { until } from '../../testing/until.ts'

for (const version of ['1', '12']) {
  test(`an invitation that came from outside is part of the room only as the room tells it: version ${version}`, async (t) => {
    const federation = await startFederatedHomeservers(['a.example', 'b.example'])
    t.after(() => federation[Symbol.asyncDispose]())
    const [a, b] = federation.servers
    const ann = await a!.user('ann')
    const bob = await b!.user('bob')
    const carl = await b!.user('carl')
    const content = { preset: 'private_chat', room_version: version }
    const roomId: string = (await ann.ok('POST', '/createRoom', content)).room_id
    const path = `/rooms/${encodeURIComponent(roomId)}`
    for (const { userId } of [carl, bob]) await ann.ok('POST', `${path}/invite`, { user_id: userId })
    await bob.ok('POST', `/join/${encodeURIComponent(roomId)}?server_name=a.example`, {})

    const { parts } = b!
    const head = (await parts.heads.byId(roomId as RoomId))!
    const member = await bob.ok('GET', `${path}/state`)
    const invitation = member.find((event: { state_key?: string }) => event.state_key === carl.userId)
    const stored = (await parts.events.inRoom(head.roomNid, invitation.event_id as EventId))!
    const cited = (await parts.authGraph.authNids([stored.nid])).get(stored.nid)!
    assert.equal(cited.length, stored.pdu.authEvents.length)
    assert.ok(cited.every((nid) => nid < stored.nid))

    const { rooms } = await carl.ok('GET', '/sync')
    assert.ok(rooms.invite[roomId])
    await carl.ok('POST', `/join/${encodeURIComponent(roomId)}`, {})
    const joined = async (): Promise<number> =>
      Object.keys((await ann.ok('GET', `${path}/joined_members`)).joined).length
    await until(async () => (await joined()) === 3, 'carl is to join')
    assert.deepEqual(Object.keys((await carl.ok('GET', '/sync')).rooms.join), [roomId])
  })
}
