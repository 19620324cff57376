import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { createManualClock, type ManualClock } from '@holdfast/platform/clock/manual-clock'
import { DEFAULT_RATE_LIMITS } from '@holdfast/platform/config/rate-limits'
import type { TestOptions, TestUser } from '../../testing/homeserver.ts'
import { startFederatedHomeservers, type Federation } from '../../testing/two-homeservers.ts'

const A = 'a.example'
const B = 'b.example'
/** A server that answers what a test wants. */
const LIAR = 'liar.example'

type World = Federation & {
  readonly ann: TestUser
  readonly bob: TestUser
  readonly clock: ManualClock
  /** Paths that the liar was asked for. */
  readonly asked: string[]
  /** From now on the liar answers this. */
  readonly liarSays: (answer: unknown, status?: number) => void
  /** After it has given that answer once, it gives this. */
  readonly liarThenSays: (answer: unknown) => void
}

async function aWorld(t: TestContext, options: TestOptions = {}): Promise<World> {
  const clock = createManualClock({ nowMs: Date.now() })
  const asked: string[] = []
  const answers: { readonly answer: unknown; readonly status: number }[] = []
  const elsewhere = (url: string) => {
    if (!url.includes(LIAR) || !url.includes('/_matrix/federation/')) return undefined
    asked.push(url.slice(url.indexOf('/_matrix')))
    const said = answers.length > 1 ? answers.shift() : answers[0]
    if (said === undefined) return undefined
    const text = typeof said.answer === 'string' ? said.answer : JSON.stringify(said.answer)
    return { status: said.status, headers: { 'content-type': 'application/json' }, body: Buffer.from(text) }
  }
  const federation = await startFederatedHomeservers([A, B], { ...options, clock, elsewhere })
  t.after(() => federation[Symbol.asyncDispose]())
  const [a, b] = federation.servers
  const [ann, bob] = [await a!.user('ann'), await b!.user('bob')]
  const liarSays = (answer: unknown, status = 200): void => void answers.splice(0, Infinity, { answer, status })
  const liarThenSays = (answer: unknown): void => void answers.push({ answer, status: 200 })
  return { ...federation, ann, bob, clock, asked, liarSays, liarThenSays }
}

/** Things that are not what any member of an answer should be. */
const WRONG: readonly unknown[] = [
  null,
  1,
  -1,
  1.5,
  '',
  'x',
  '\0',
  true,
  [],
  [[]],
  [{}],
  {},
  { a: {} },
  '!',
  '#x',
  '__proto__',
]

test('[RQ1] profiles of users of other servers are asked for once in a while', async (t) => {
  const { ann, bob, exchanges, clock } = await aWorld(t)
  const profile = (rest = '') => ann.request('GET', `/profile/${bob.userId}${rest}`)
  const setName = (displayname: string) => bob.ok('PUT', `/profile/${bob.userId}/displayname`, { displayname })
  const asked = () => exchanges.filter(({ target }) => target.includes('/query/profile')).length
  await setName('Bob')
  const answers = await Promise.all([profile(), profile(), profile('/displayname')])
  assert.deepEqual(
    answers.map(({ body }) => body.displayname),
    ['Bob', 'Bob', 'Bob'],
  )
  assert.equal((await profile('/m.tz')).status, 404)
  assert.deepEqual((await profile('/avatar_url')).body, {})
  assert.equal(asked(), 1)
  await setName('Bobby')
  assert.equal((await profile()).body.displayname, 'Bob')
  await clock.advance(5 * 60_000)
  assert.equal((await profile()).body.displayname, 'Bobby')
  assert.equal(asked(), 2)
})

test('[RQ1] that there is no profile, or no answer, is remembered for a while', async (t) => {
  const { ann, asked, exchanges, clock, servers } = await aWorld(t)
  const missing = () => ann.request('GET', `/profile/@nobody:${B}`)
  assert.deepEqual([(await missing()).status, (await missing()).body.errcode], [404, 'M_NOT_FOUND'])
  assert.equal(exchanges.filter(({ target }) => target.includes('/query/profile')).length, 1)
  await clock.advance(30_000)
  assert.equal((await missing()).status, 404)
  assert.equal(exchanges.filter(({ target }) => target.includes('/query/profile')).length, 2)
  const silent = await ann.request('GET', `/profile/@eve:${LIAR}`)
  assert.deepEqual([silent.status, silent.body.errcode], [404, 'M_NOT_FOUND'])
  const before = asked.length
  assert.equal((await servers[0]!.request('GET', `/profile/@eve:${LIAR}/displayname`)).status, 404)
  assert.equal(asked.length, before)
})

test('[RQ2] of a profile only what may be in one is taken', async (t) => {
  const { ann, liarSays, clock } = await aWorld(t)
  const ask = async () => {
    await clock.advance(10 * 60_000)
    return ann.request('GET', `/profile/@eve:${LIAR}`)
  }
  liarSays({ displayname: 'Eve', avatar_url: 7, 'm.tz': 'UTC', Bad: 1, '': 2, 'x.y': { z: [1] }, ö: 1 })
  assert.deepEqual((await ask()).body, { displayname: 'Eve', 'm.tz': 'UTC', 'x.y': { z: [1] } })
  liarSays({ displayname: 'E'.repeat(257), avatar_url: 'mxc://liar.example/x' })
  assert.deepEqual((await ask()).body, { avatar_url: 'mxc://liar.example/x' })
  for (const [answer, status] of [
    [{ 'x.y': 'z'.repeat(70_000) }, 200],
    ['no JSON', 200],
    ['[]', 200],
    [{ errcode: 'M_UNKNOWN', error: 'no' }, 500],
    [{ errcode: 'M_NOT_FOUND', error: 'no' }, 404],
    ['<html>', 404],
  ] as const) {
    liarSays(answer, status)
    assert.deepEqual([(await ask()).status, (await ask()).body.errcode], [404, 'M_NOT_FOUND'])
  }
  liarSays({ errcode: 'M_FORBIDDEN', error: 'no' }, 403)
  assert.deepEqual([(await ask()).status, (await ask()).body.errcode], [403, 'M_FORBIDDEN'])
  for (const wrong of WRONG) {
    liarSays({ displayname: wrong, avatar_url: wrong, 'm.tz': wrong })
    assert.ok((await ask()).status < 500)
    liarSays(wrong)
    assert.ok((await ask()).status < 500)
  }
})

test('[RQ3] who has no account cannot make us ask without end', async (t) => {
  const { servers } = await aWorld(t, { settings: { rateLimits: DEFAULT_RATE_LIMITS } })
  const statuses: number[] = []
  for (let n = 0; n < 70; n += 1) {
    statuses.push((await servers[0]!.request('GET', `/profile/@u${n}:${B}`)).status)
  }
  assert.deepEqual([...new Set(statuses)], [404, 429])
  assert.equal((await servers[0]!.request('GET', `/profile/@u0:${B}`)).status, 404)
})

test('[RQ4] the public rooms of another server are shown, in pages and searched', async (t) => {
  const { ann, bob, servers } = await aWorld(t)
  for (const name of ['Harbour', 'Lighthouse', 'Pier']) {
    await bob.ok('POST', '/createRoom', { preset: 'public_chat', visibility: 'public', name })
  }
  const all = await ann.ok('GET', `/publicRooms?server=${B}`)
  assert.equal(all.chunk.length, 3)
  assert.equal(all.total_room_count_estimate, 3)
  const first = await ann.ok('GET', `/publicRooms?server=${B}&limit=2`)
  const second = await ann.ok('GET', `/publicRooms?server=${B}&limit=2&since=${first.next_batch}`)
  assert.deepEqual([...first.chunk, ...second.chunk], all.chunk)
  const body = { limit: 5, filter: { generic_search_term: 'HOUSE' } }
  const found = await ann.ok('POST', `/publicRooms?server=${B}`, body)
  assert.deepEqual(
    found.chunk.map((room: { name: string }) => room.name),
    ['Lighthouse'],
  )
  assert.deepEqual((await ann.ok('POST', `/publicRooms?server=${A}`, {})).chunk, [])
  const stranger = await servers[0]!.request('GET', `/publicRooms?server=${B}`)
  assert.deepEqual([stranger.status, stranger.body.errcode], [401, 'M_MISSING_TOKEN'])
})

test('[RQ4] of what another server says of its rooms only what may be there is taken', async (t) => {
  const { ann, liarSays } = await aWorld(t)
  const ask = (query = '') => ann.request('GET', `/publicRooms?server=${LIAR}${query}`)
  const room = { room_id: '!r:liar.example', num_joined_members: 3, world_readable: true, guest_can_join: false }
  liarSays({
    chunk: [{ ...room, name: 'R', topic: 5, canonical_alias: 'none', join_rule: 'public', extra: 1 }, {}, 7],
    next_batch: 'more',
    prev_batch: 5,
    total_room_count_estimate: -1,
  })
  assert.deepEqual((await ask()).body, {
    chunk: [{ ...room, name: 'R', join_rule: 'public' }],
    next_batch: 'more',
    total_room_count_estimate: 1,
  })
  liarSays({ chunk: Array.from({ length: 200 }, () => room) })
  assert.equal((await ask('&limit=3')).body.chunk.length, 3)
  assert.equal((await ask()).body.chunk.length, 100)
  for (const wrong of WRONG) {
    liarSays({ chunk: wrong, next_batch: wrong, prev_batch: wrong, total_room_count_estimate: wrong })
    assert.equal((await ask()).status, 200)
    const keys = ['room_id', 'num_joined_members', 'world_readable', 'guest_can_join', 'name', 'canonical_alias']
    liarSays({ chunk: keys.map((key) => ({ ...room, [key]: wrong })) })
    assert.equal((await ask()).status, 200)
  }
  liarSays({ errcode: 'M_FORBIDDEN', error: 'no' }, 403)
  assert.deepEqual([(await ask()).status, (await ask()).body.errcode], [403, 'M_FORBIDDEN'])
})

test('[RQ5] a server that cannot search is searched here', async (t) => {
  const { ann, asked, ...world } = await aWorld(t)
  const room = { room_id: '!r:liar.example', num_joined_members: 3, world_readable: true, guest_can_join: false }
  const chunk = [
    { ...room, name: 'Pier' },
    { ...room, name: 'Harbour' },
  ]
  world.liarSays({ errcode: 'M_UNRECOGNIZED', error: 'what?' }, 404)
  world.liarThenSays({ chunk, next_batch: 'more' })
  const body = { filter: { generic_search_term: 'pier' }, include_all_networks: true, third_party_instance_id: 'x' }
  const found = await ann.ok('POST', `/publicRooms?server=${LIAR}`, body)
  assert.deepEqual(
    found.chunk.map(({ name }: { name: string }) => name),
    ['Pier'],
  )
  assert.equal(found.next_batch, 'more')
  assert.deepEqual(
    asked.map((target) => target.split('?')[1]),
    [undefined, 'limit=100&include_all_networks=true&third_party_instance_id=x'],
  )
})
