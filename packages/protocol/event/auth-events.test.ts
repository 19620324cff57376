import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { JsonObject } from '../json/value.ts'
import { ROOM_VERSIONS, rulesFor } from '../room-version/rules.ts'
import type { RoomVersion } from '../room-version/rules.ts'
import { selectAuthEvents } from './auth-events.ts'

type Subject = { readonly type?: string; readonly stateKey?: string; readonly content?: JsonObject }

/** What Bob's event cites besides the create event, shortened. */
function selected(
  version: RoomVersion,
  { type = 'm.room.member', stateKey = '@bob:b', content = {} }: Subject,
): string[] {
  const rules = rulesFor(version)!
  const keys = selectAuthEvents(rules, { type, stateKey, sender: '@bob:b', content })
  const [first, ...rest] = keys.map((key) => `${key.type.replace('m.room.', '')} ${key.stateKey}`.trim())
  if (rules.roomIdIsCreateHash) return [first!, ...rest]
  assert.equal(first, 'create')
  return rest
}

const MINE = ['power_levels', 'member @bob:b']

for (const version of ROOM_VERSIONS) {
  describe(`in version ${version}`, () => {
    test('a create event cites nothing', () => {
      assert.deepEqual(
        selectAuthEvents(rulesFor(version)!, { type: 'm.room.create', stateKey: '', sender: '@a:a', content: {} }),
        [],
      )
    })

    test("a message cites create event, power levels and the sender's membership", () => {
      assert.deepEqual(selected(version, { type: 'm.room.message' }), MINE)
      assert.deepEqual(selected(version, { type: 'm.room.name', stateKey: '' }), MINE)
    })

    test('join, invitation and knock cite the join rules, other memberships do not', () => {
      for (const membership of ['join', 'invite', 'knock']) {
        assert.deepEqual(selected(version, { content: { membership } }), [...MINE, 'join_rules'])
      }
      for (const membership of ['leave', 'ban', 'x', 5, null]) {
        assert.deepEqual(selected(version, { content: { membership } }), MINE)
      }
    })

    test('a membership of somebody else cites that', () => {
      const expected = [...MINE, 'member @cat:c']
      assert.deepEqual(selected(version, { stateKey: '@cat:c', content: { membership: 'ban' } }), expected)
      assert.deepEqual(selected(version, { stateKey: '@cat:c', content: { membership: 'invite' } }), [
        ...expected,
        'join_rules',
      ])
    })

    test('an invitation of a third party cites its token, if it is one', () => {
      const third = (token: JsonObject): JsonObject => ({ third_party_invite: { signed: token } })
      const cited = (membership: string, more: JsonObject) => selected(version, { content: { membership, ...more } })
      assert.deepEqual(cited('invite', third({ token: 'x' })), [...MINE, 'join_rules', 'third_party_invite x'])
      for (const odd of [
        third({ token: 5 }),
        third({}),
        { third_party_invite: 'x' },
        { third_party_invite: { signed: null } },
      ]) {
        assert.deepEqual(cited('invite', odd as JsonObject), [...MINE, 'join_rules'])
      }
      assert.deepEqual(cited('join', third({ token: 'x' })), [...MINE, 'join_rules'])
    })

    test('a join that somebody vouches for cites their membership where rooms can be restricted', () => {
      const vouched = (membership: string, user: string | number) =>
        selected(version, { content: { membership, join_authorised_via_users_server: user } })
      const more = rulesFor(version)!.restrictedJoins ? ['member @cat:c'] : []
      assert.deepEqual(vouched('join', '@cat:c'), [...MINE, 'join_rules', ...more])
      assert.deepEqual(vouched('join', '@bob:b'), [...MINE, 'join_rules'])
      assert.deepEqual(vouched('join', 5), [...MINE, 'join_rules'])
      assert.deepEqual(vouched('leave', '@cat:c'), MINE)
      for (const user of ['@bob:b', '@cat:c']) {
        const content = { membership: 'join', join_authorised_via_users_server: user }
        assert.deepEqual(selected(version, { stateKey: '@cat:c', content }), [...MINE, 'member @cat:c', 'join_rules'])
      }
    })
  })
}

test('only in version 12 is the create event not cited, as the room id names it', () => {
  const citing = ROOM_VERSIONS.filter((version) => {
    const keys = selectAuthEvents(rulesFor(version)!, { type: 'x', sender: '@bob:b', content: {} })
    return keys.some(({ type }) => type === 'm.room.create')
  })
  assert.deepEqual(citing, ROOM_VERSIONS.slice(0, 11))
})
