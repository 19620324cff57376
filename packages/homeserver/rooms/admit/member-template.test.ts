import assert from 'node:assert/strict'
import test from 'node:test'
import type { UserId } from '@holdfast/protocol/ids/brand'
import { startTestHomeserver, type TestHomeserver } from '../../testing/homeserver.ts'
import { part } from './testing/peer-events.ts'

async function isRemembered({ parts: { dictionary } }: TestHomeserver, userId: string): Promise<boolean> {
  const nids = [
    await dictionary.userNid(userId as UserId),
    await dictionary.stateKeyNid({ type: 'm.room.member', stateKey: userId }),
  ]
  return nids.some((nid) => nid !== undefined)
}

const ROOMS = { public: 200, invite: 403, knock: 403 } as const

for (const version of ['1', '7', '12']) {
  test(`to ask for a template leaves no trace of users who were never here: version ${version}`, async () => {
    await using server = await startTestHomeserver()
    const ann = await server.user('ann')
    const peer = server.peer('other.example')
    for (const [joinRule, joinStatus] of Object.entries(ROOMS)) {
      const { room_id: roomId } = await ann.ok('POST', '/createRoom', {
        room_version: version,
        initial_state: [{ type: 'm.room.join_rules', content: { join_rule: joinRule } }],
      })
      const knockStatus = joinRule === 'knock' && version !== '1' ? 200 : 403
      const statuses = { leave: 403, join: joinStatus, knock: knockStatus }
      for (const [action, expected] of Object.entries(statuses)) {
        const userId = `@${action}_${joinRule}:other.example`
        const query = action === 'leave' ? '' : `?ver=${version}`
        const target = `/v1/make_${action}/${part(roomId)}/${part(userId)}${query}`
        const { status } = await peer.request('GET', target)
        assert.equal(status, expected, `${action} in a room with join rule ${joinRule}`)
        assert.equal(await isRemembered(server, userId), false, `${action} in a room with join rule ${joinRule}`)
      }
    }
  })
}
