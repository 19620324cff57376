import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { startTestHomeserver, type TestHomeserver, type TestUser } from '../../testing/homeserver.ts'
import { act, aFarServer, type FarServer } from './testing/far-server.ts'

type Visibility = 'world_readable' | 'shared' | 'invited' | 'joined'

/** What far.example may read of messages sent at four times: before it knew of the room, invited, joined, and after it came back. */
const READABLE: Readonly<Record<Visibility, string>> = {
  world_readable: 'before invited joined away back',
  shared: 'before invited joined away back',
  invited: 'invited joined back',
  joined: 'joined back',
}

const EVERYTHING = 'before invited joined away back'.split(' ')

type Pdu = { readonly type: string; readonly content: { readonly body?: string } }

describe('history visibility over federation', () => {
  let homeserver: TestHomeserver
  let ann: TestUser
  let far: FarServer
  before(async () => {
    homeserver = await startTestHomeserver()
    ann = await homeserver.user('ann')
    far = await aFarServer(homeserver)
  })
  after(() => homeserver[Symbol.asyncDispose]())

  async function aRoom(visibility: Visibility): Promise<string> {
    const { room_id } = await ann.ok('POST', '/createRoom', {
      preset: 'private_chat',
      name: 'a name',
      initial_state: [
        { type: 'm.room.history_visibility', content: { history_visibility: visibility } },
        { type: 'm.room.join_rules', content: { join_rule: 'public' } },
      ],
    })
    return room_id
  }

  let transactions = 0
  async function say(room: string, body: string): Promise<string> {
    transactions += 1
    return (await ann.ok('PUT', `/rooms/${room}/send/m.room.message/t${transactions}`, { msgtype: 'm.text', body }))
      .event_id
  }

  /** A room in which far.example was invited, came, went, and came back. */
  async function aCareer(visibility: Visibility): Promise<{ room: string; ids: Map<string, string> }> {
    const room = await aRoom(visibility)
    const ids = new Map<string, string>()
    ids.set('before', await say(room, 'before'))
    const invite = { type: 'm.room.member', stateKey: far.user('bob'), content: { membership: 'invite' } }
    await act(homeserver, room, { ...invite, sender: ann.userId })
    ids.set('invited', await say(room, 'invited'))
    await far.member(room, 'bob', 'join')
    ids.set('joined', await say(room, 'joined'))
    await far.member(room, 'bob', 'leave')
    ids.set('away', await say(room, 'away'))
    await far.member(room, 'carl', 'join')
    ids.set('back', await say(room, 'back'))
    return { room, ids }
  }

  const bodies = (pdus: readonly Pdu[]): string[] => pdus.flatMap(({ content }) => content.body ?? [])
  const messages = (pdus: readonly Pdu[]): Pdu[] => pdus.filter(({ type }) => type === 'm.room.message')

  for (const [visibility, readable] of Object.entries(READABLE) as [Visibility, string][]) {
    describe(visibility, () => {
      it('[SERVE3] /backfill gives the whole graph, and redacts what the server may not read', async () => {
        const { room, ids } = await aCareer(visibility)
        const { pdus } = await far.ok(`/backfill/${room}?v=${ids.get('back')}&limit=100`)
        assert.deepEqual(bodies(pdus).toReversed(), readable.split(' '))
        assert.equal(messages(pdus).length, EVERYTHING.length)
        assert.equal(pdus.at(-1).type, 'm.room.create')
      })

      it('[SERVE3] /get_missing_events redacts what the server may not read', async () => {
        const { room, ids } = await aCareer(visibility)
        const { status, body } = await far.request('POST', `/get_missing_events/${room}`, {
          earliest_events: [],
          latest_events: [ids.get('back')!],
          limit: 20,
        })
        assert.equal(status, 200)
        assert.deepEqual(
          bodies(body.events),
          readable.split(' ').filter((name) => name !== 'back'),
        )
        assert.equal(messages(body.events).length, EVERYTHING.length - 1)
      })

      it('[SERVE3] /event redacts what the server may not read', async () => {
        const { ids } = await aCareer(visibility)
        for (const [name, id] of ids) {
          const { pdus } = await far.ok(`/event/${id}`)
          assert.equal(pdus.length, 1)
          assert.deepEqual(bodies(pdus), readable.split(' ').includes(name) ? [name] : [], name)
        }
      })

      it('/timestamp_to_event finds only what the server may read', async () => {
        const { room, ids } = await aCareer(visibility)
        const before = (await far.ok(`/event/${ids.get('before')}`)).pdus[0].origin_server_ts
        const found = await far.ok(`/timestamp_to_event/${room}?ts=${before}&dir=f`)
        const mayReadIt = readable.split(' ').includes('before')
        if (!mayReadIt) assert.notEqual(found.event_id, ids.get('before'))
        const { pdus } = await far.ok(`/event/${found.event_id}`)
        assert.notDeepEqual(pdus[0].content, {})
      })
    })
  }

  it('the events that brought and ended the membership may be read by the server', async () => {
    const room = await aRoom('joined')
    await say(room, 'before')
    const join = await far.member(room, 'bob', 'join')
    const leave = await far.member(room, 'bob', 'leave')
    await far.member(room, 'carl', 'join')
    for (const id of [join, leave]) {
      const { pdus } = await far.ok(`/event/${id}`)
      assert.equal(Object.keys(pdus[0].content).includes('membership'), true)
    }
  })

  it('a change of the visibility may be read by whom either side allows', async () => {
    const room = await aRoom('shared')
    const change = await ann.ok('PUT', `/rooms/${room}/state/m.room.history_visibility/`, {
      history_visibility: 'joined',
    })
    const hidden = await say(room, 'hidden')
    const back = await ann.ok('PUT', `/rooms/${room}/state/m.room.history_visibility/`, {
      history_visibility: 'shared',
    })
    await far.member(room, 'bob', 'join')
    const content = async (id: string): Promise<object> => (await far.ok(`/event/${id}`)).pdus[0].content
    assert.deepEqual(await content(change.event_id), { history_visibility: 'joined' })
    assert.deepEqual(await content(hidden), {})
    assert.deepEqual(await content(back.event_id), { history_visibility: 'shared' })
  })

  it('a server does not read what the users of a server with a longer or differently spelt name could', async () => {
    const room = await aRoom('joined')
    const upper = await aFarServer(homeserver, 'FAR.example')
    const longer = await aFarServer(homeserver, 'so.far.example')
    await upper.member(room, 'eve', 'join')
    await longer.member(room, 'eve', 'join')
    const id = await say(room, 'for the others')
    await far.member(room, 'bob', 'join')
    assert.deepEqual((await far.ok(`/event/${id}`)).pdus[0].content, {})
    assert.equal((await longer.ok(`/event/${id}`)).pdus[0].content.body, 'for the others')
  })

  it('[SERVE4] what an erased user said is redacted, also for servers that were in the room', async () => {
    const zoe = await homeserver.user('zoe')
    const room = await aRoom('shared')
    await zoe.ok('POST', `/join/${room}`, {})
    await far.member(room, 'bob', 'join')
    const { event_id: id } = await zoe.ok('PUT', `/rooms/${room}/send/m.room.message/z1`, { body: 'mine' })
    assert.equal((await far.ok(`/event/${id}`)).pdus[0].content.body, 'mine')
    const auth = { type: 'm.login.password', user: 'zoe', password: 'secret-zoe' }
    await zoe.ok('POST', '/account/deactivate', { auth, erase: true })
    assert.deepEqual((await far.ok(`/event/${id}`)).pdus[0].content, {})
  })

  it('a redacted event is served redacted, though it was served whole before', async () => {
    const room = await aRoom('shared')
    await far.member(room, 'bob', 'join')
    const id = await say(room, 'a mistake')
    assert.equal((await far.ok(`/event/${id}`)).pdus[0].content.body, 'a mistake')
    await ann.ok('PUT', `/rooms/${room}/redact/${id}/r1`, {})
    const { pdus } = await far.ok(`/event/${id}`)
    assert.deepEqual(pdus[0].content, {})
    assert.equal(pdus[0].unsigned, undefined)
  })

  describe('[SERVE5] the state at an event that the server may not read', () => {
    it('shows what holds still and what allows other events; the rest is redacted', async () => {
      const room = await aRoom('joined')
      await ann.ok('PUT', `/rooms/${room}/state/m.room.topic/`, { topic: 'an old topic' })
      const id = await say(room, 'before')
      await ann.ok('PUT', `/rooms/${room}/state/m.room.topic/`, { topic: 'the topic now' })
      await far.member(room, 'bob', 'join')
      const { pdus } = await far.ok(`/state/${room}?event_id=${id}`)
      const contentOf = (type: string): object => pdus.find((pdu: Pdu) => pdu.type === type)?.content
      assert.deepEqual(contentOf('m.room.topic'), {})
      assert.deepEqual(contentOf('m.room.name'), { name: 'a name' })
      assert.notDeepEqual(contentOf('m.room.power_levels'), {})
    })

    it('is whole at an event that the server may read', async () => {
      const room = await aRoom('joined')
      await ann.ok('PUT', `/rooms/${room}/state/m.room.topic/`, { topic: 'an old topic' })
      const join = await far.member(room, 'bob', 'join')
      await ann.ok('PUT', `/rooms/${room}/state/m.room.topic/`, { topic: 'the topic now' })
      const { pdus } = await far.ok(`/state/${room}?event_id=${join}`)
      assert.deepEqual(pdus.find((pdu: Pdu) => pdu.type === 'm.room.topic').content, { topic: 'an old topic' })
    })
  })
})
