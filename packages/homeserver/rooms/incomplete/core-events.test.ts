import assert from 'node:assert/strict'
import test from 'node:test'
import type { ServerName, UserId } from '@holdfast/protocol/ids/brand'
import type { JsonObject } from '@holdfast/protocol/json/value'
import { CORE_LIMITS, coreOf, namedServersOf, parseServers, type ToldJoin } from './core-events.ts'

const ANN = '@ann:far.example'
const BOB = '@bob:near.example' as UserId

function event(type: string, key: string, sender: string, content: JsonObject = {}): JsonObject {
  return { type, state_key: key, sender, content }
}

function member(user: string, sender = user): JsonObject {
  return event('m.room.member', user, sender, { membership: 'join' })
}

function crowd(count: number, server = 'far.example'): JsonObject[] {
  return Array.from({ length: count }, (_, index) => member(`@member${index}:${server}`))
}

const BEGINNING = [
  event('m.room.create', '', ANN),
  event('m.room.power_levels', '', ANN),
  event('m.room.join_rules', '', ANN),
  event('m.room.name', '', '@cat:far.example'),
  member(ANN),
  member('@cat:far.example', '@dan:far.example'),
  member('@dan:far.example'),
]

function told(state: readonly JsonObject[], more: Partial<ToldJoin> = {}): ToldJoin {
  return { state, authChain: [], membersOmitted: false, servers: [], ...more }
}

test('[INC1] a room that is told whole and is not large has no core', () => {
  assert.equal(coreOf(told([...BEGINNING, ...crowd(10)]), [BOB]), undefined)
})

test('[INC1] the core of a large room is what authorises and shows it, and whoever brought that', () => {
  const invited = member(BOB, '@inviter:far.example')
  const inviter = member('@inviter:far.example')
  const core = coreOf(told([...crowd(CORE_LIMITS.wholeAtOnceMax), ...BEGINNING, invited, inviter]), [BOB])!
  for (const one of [...BEGINNING, invited, inviter]) assert.ok(core.state.includes(one), JSON.stringify(one))
  assert.ok(core.state.length <= BEGINNING.length + 2 + CORE_LIMITS.heroesMax)
})

test('[INC1] of much other state only what clients need at once is in the core', () => {
  const settings = Array.from({ length: CORE_LIMITS.wholeAtOnceMax }, (_, index) =>
    event('org.example.setting', String(index), `@member${index}:far.example`),
  )
  const core = coreOf(told([...BEGINNING, ...settings, ...crowd(50)]), [BOB])!
  assert.ok(!core.state.some(({ type }) => type === 'org.example.setting'))
  assert.ok(core.state.some(({ type }) => type === 'm.room.name'))
})

test('[INC1] what authorises the core comes with it from the auth chain, and nothing else', () => {
  const older = event('m.room.power_levels', '', '@former:far.example')
  const former = member('@former:far.example')
  const authChain = [older, former, ...crowd(30, 'other.example')]
  const core = coreOf(told([...BEGINNING, ...crowd(CORE_LIMITS.wholeAtOnceMax)], { authChain }), [BOB])!
  assert.ok(core.authChain.includes(older) && core.authChain.includes(former))
  assert.ok(!core.authChain.some(({ sender }) => (sender as string).endsWith('other.example')))
})

test('[INC1] where members are left out, all that is told is the core', () => {
  const state = BEGINNING.slice(0, 4)
  const core = coreOf(told(state, { membersOmitted: true, authChain: BEGINNING }), [BOB])!
  assert.deepEqual([core.state, core.authChain], [state, BEGINNING])
})

test('[INC1] what has no sound form keeps nobody from finding the core', () => {
  const odd = [{}, { type: 5 }, { type: 'm.room.member', state_key: {}, content: [] }, { type: 'm.room.create' }]
  const state = [...BEGINNING, ...crowd(CORE_LIMITS.wholeAtOnceMax), ...(odd as JsonObject[])]
  assert.ok(coreOf(told(state), [BOB])!.state.length > BEGINNING.length)
})

test('[INC4] the servers are those that are named, and those of joined members, up to a bound', () => {
  const servers = parseServers(['a.example', 'near.example', 'not a name', 5, 'a.example'])
  const given = told(
    [member('@x:b.example'), event('m.room.member', '@y:c.example', '@y:c.example', { membership: 'ban' })],
    {
      servers,
    },
  )
  assert.deepEqual(namedServersOf(given, 'near.example' as ServerName), ['a.example', 'b.example'])
  const many = Array.from({ length: CORE_LIMITS.namedServersMax * 2 }, (_, index) => member(`@x:s${index}.example`))
  assert.equal(namedServersOf(told(many), 'near.example' as ServerName).length, CORE_LIMITS.namedServersMax)
  assert.deepEqual(parseServers('x'), [])
})
