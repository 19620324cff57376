import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { JsonValue } from '@holdfast/protocol/json/value'
import { startTestHomeserver, type TestHomeserver, type TestUser } from '../../testing/homeserver.ts'
import { aFarServer, type FarServer } from './testing/far-server.ts'

const UNKNOWN_ROOM = '!nowhere:example.org'
const UNKNOWN_EVENT = '$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'

type Read = {
  readonly method: 'GET' | 'POST'
  readonly path: (room: string, event: string) => string
  readonly body?: (event: string) => JsonValue
}

/** Every read that names a room. */
const ROOM_READS: Readonly<Record<string, Read>> = {
  backfill: { method: 'GET', path: (room, event) => `/backfill/${room}?v=${event}&limit=10` },
  get_missing_events: {
    method: 'POST',
    path: (room) => `/get_missing_events/${room}`,
    body: (event) => ({ earliest_events: [], latest_events: [event], limit: 10 }),
  },
  state: { method: 'GET', path: (room, event) => `/state/${room}?event_id=${event}` },
  state_ids: { method: 'GET', path: (room, event) => `/state_ids/${room}?event_id=${event}` },
  event_auth: { method: 'GET', path: (room, event) => `/event_auth/${room}/${event}` },
  query_auth: {
    method: 'POST',
    path: (room, event) => `/query_auth/${room}/${event}`,
    body: () => ({ auth_chain: [] }),
  },
  timestamp_to_event: { method: 'GET', path: (room) => `/timestamp_to_event/${room}?ts=0&dir=f` },
}

const WITHOUT_EVENT = new Set(['timestamp_to_event'])

for (const version of ['1', '12'])
  describe(`reads by another server, room version ${version}`, () => {
    let homeserver: TestHomeserver
    let ann: TestUser
    let far: FarServer
    let room: string
    let message: string
    let other: string
    let secret: string

    before(async () => {
      homeserver = await startTestHomeserver()
      ann = await homeserver.user('ann')
      far = await aFarServer(homeserver)
      room = await createRoom({ preset: 'public_chat' })
      await far.member(room, 'bob', 'join')
      message = await say(room, 'hello')
      other = await createRoom({ preset: 'public_chat', topic: 'not for far' })
      secret = await say(other, 'a secret')
    })
    after(() => homeserver[Symbol.asyncDispose]())

    async function createRoom(body: object): Promise<string> {
      return (await ann.ok('POST', '/createRoom', { ...body, room_version: version })).room_id
    }

    let transactions = 0
    async function say(roomId: string, body: string): Promise<string> {
      transactions += 1
      const path = `/rooms/${encodeURIComponent(roomId)}/send/m.room.message/t${transactions}`
      return (await ann.ok('PUT', path, { msgtype: 'm.text', body })).event_id
    }

    async function setState(roomId: string, type: string, content: object): Promise<void> {
      await ann.ok('PUT', `/rooms/${encodeURIComponent(roomId)}/state/${type}/`, content)
    }

    function ask(read: Read, roomId: string, eventId: string, who = far): ReturnType<FarServer['request']> {
      const path = read.path(encodeURIComponent(roomId), encodeURIComponent(eventId))
      return who.request(read.method, path, read.body?.(eventId))
    }

    for (const [name, read] of Object.entries(ROOM_READS)) {
      // The one revision that has it knows events of room version 1 only.
      if (name === 'query_auth' && version !== '1') continue

      it(`/${name} answers a server that is in the room`, async () => {
        const { status, body } = await ask(read, room, message)
        assert.equal(status, 200, JSON.stringify(body))
      })

      it(`/${name} of an unknown room is M_NOT_FOUND`, async () => {
        const { status, body } = await ask(read, UNKNOWN_ROOM, message)
        assert.deepEqual([status, body.errcode], [404, 'M_NOT_FOUND'])
      })

      it(`[SERVE1] /${name} by a server that is not in the room is M_FORBIDDEN, whether or not there is such an event`, async () => {
        const known = await ask(read, other, secret)
        const unknown = await ask(read, other, UNKNOWN_EVENT)
        assert.deepEqual([known.status, known.body.errcode], [403, 'M_FORBIDDEN'])
        assert.deepEqual(known, unknown)
      })

      it(`[SERVE1] /${name} by a server that was never in a world-readable room is M_FORBIDDEN`, async () => {
        const open = await createRoom({ preset: 'public_chat' })
        await setState(open, 'm.room.history_visibility', { history_visibility: 'world_readable' })
        assert.equal((await ask(read, open, await say(open, 'to the world'))).status, 403)
      })

      it(`[SERVE9] /${name} answers a server that has left the room about the time when it was there only`, async () => {
        const left = await createRoom({ preset: 'public_chat' })
        const earlier = await say(left, 'before bob comes')
        await far.member(left, 'bob', 'join')
        const event = await say(left, 'while bob is here')
        const end = await far.member(left, 'bob', 'leave')
        const later = await say(left, 'when bob is gone')
        const statuses: number[] = []
        for (const eventId of [earlier, event, end, later, UNKNOWN_EVENT])
          statuses.push((await ask(read, left, eventId)).status)
        assert.deepEqual(statuses, WITHOUT_EVENT.has(name) ? [403, 403, 403, 403, 403] : [403, 200, 200, 403, 403])
      })

      it(`[SERVE9] /${name} by a server that has left the room is M_FORBIDDEN once the access control list shuts it out`, async () => {
        const left = await createRoom({ preset: 'public_chat' })
        await far.member(left, 'bob', 'join')
        const event = await say(left, 'while bob is here')
        await far.member(left, 'bob', 'leave')
        await setState(left, 'm.room.server_acl', { allow: ['*'], deny: ['far.example'] })
        assert.equal((await ask(read, left, event)).status, 403)
      })

      it(`/${name} by a server that the access control list shuts out is M_FORBIDDEN`, async () => {
        const closed = await createRoom({ preset: 'public_chat' })
        await far.member(closed, 'bob', 'join')
        const event = await say(closed, 'before the list')
        await setState(closed, 'm.room.server_acl', { allow: ['*'], deny: ['FAR.example'] })
        const { status, body } = await ask(read, closed, event)
        assert.deepEqual([status, body.errcode], [403, 'M_FORBIDDEN'])
      })

      if (!WITHOUT_EVENT.has(name)) {
        it(`[SERVE2] /${name} of a room that the server is in does not know events of other rooms`, async () => {
          const foreign = await ask(read, room, secret)
          const unknown = await ask(read, room, UNKNOWN_EVENT)
          const comparable = ({ status, body }: typeof foreign): unknown => ({
            status,
            body: { ...body, origin_server_ts: 0 },
          })
          assert.deepEqual(comparable(foreign), comparable(unknown))
          assert.ok(!JSON.stringify(foreign.body).includes('secret'))
        })
      }

      it(`/${name} refuses nonsense and never fails`, async () => {
        for (const event of [
          '',
          '$',
          '%00',
          '%',
          '$%ff',
          '\u{1F600}',
          '$'.padEnd(300, 'x'),
          "$' OR 1=1",
          '__proto__',
        ]) {
          for (const roomId of [encodeURIComponent(room), '!', '%21%00', '!a:b:c', '__proto__', '%ff']) {
            const path = read.path(roomId, encodeURIComponent(event))
            const { status } = await far.request(read.method, path, read.body?.(event))
            assert.ok(status < 500, `${path} answered ${status}`)
          }
        }
      })
    }

    describe('/event', () => {
      it('[SERVE9] answers a server that has left the room about the time when it was there only', async () => {
        const left = await createRoom({ preset: 'public_chat' })
        await far.member(left, 'bob', 'join')
        const event = await say(left, 'while bob is here')
        await far.member(left, 'bob', 'leave')
        const later = await say(left, 'when bob is gone')
        const statuses: number[] = []
        for (const eventId of [event, later])
          statuses.push((await far.get(`/event/${encodeURIComponent(eventId)}`)).status)
        assert.deepEqual(statuses, [200, 404])
      })

      it('answers an event of a room that the server is in', async () => {
        const body = await far.ok(`/event/${encodeURIComponent(message)}`)
        assert.equal(body.origin, 'example.org')
        assert.deepEqual(body.pdus.length, 1)
        assert.equal(body.pdus[0].content.body, 'hello')
      })

      it('[SERVE2] answers the same for an event of another room and for one that does not exist', async () => {
        const foreign = await far.get(`/event/${encodeURIComponent(secret)}`)
        const unknown = await far.get(`/event/${encodeURIComponent(UNKNOWN_EVENT)}`)
        assert.equal(foreign.status, 404)
        assert.deepEqual(foreign, unknown)
      })
    })

    it('a limit that is negative, zero or huge is kept within bounds', async () => {
      for (const [limit, most] of [
        ['-1', 0],
        ['0', 0],
        ['1', 1],
        ['99999999999999999999', 100],
      ] as const) {
        const { pdus } = await far.ok(
          `/backfill/${encodeURIComponent(room)}?v=${encodeURIComponent(message)}&limit=${limit}`,
        )
        assert.ok(pdus.length <= most && (most === 0 || pdus.length > 0), `${limit}: ${pdus.length}`)
      }
      for (const limit of [-1, 0, 1, 20, 2 ** 53 - 1]) {
        const { status, body } = await far.request('POST', `/get_missing_events/${encodeURIComponent(room)}`, {
          earliest_events: [],
          latest_events: [message],
          limit,
          min_depth: -(2 ** 53 - 1),
        })
        assert.equal(status, 200)
        assert.ok(body.events.length <= Math.min(Math.max(limit, 0), 20))
      }
    })

    it('thousands of ids in one request are answered', async () => {
      const ids = Array.from({ length: 5_000 }, (_, index) => `$${index}${UNKNOWN_EVENT.slice(6)}`)
      const { status } = await far.request('POST', `/get_missing_events/${encodeURIComponent(room)}`, {
        earliest_events: ids,
        latest_events: [...ids, message],
      })
      assert.equal(status, 200)
      const many = ids.slice(0, 100).map((id) => `v=${encodeURIComponent(id)}`)
      const backfilled = await far.ok(`/backfill/${encodeURIComponent(room)}?${many.join('&')}&limit=5`)
      assert.deepEqual(backfilled.pdus, [])
    })

    it('without parameters the answer says which are missing', async () => {
      const path = encodeURIComponent(room)
      for (const target of [
        `/backfill/${path}?limit=5`,
        `/backfill/${path}?v=${message}`,
        `/state/${path}`,
        `/state_ids/${path}`,
      ]) {
        const { status, body } = await far.get(target)
        assert.deepEqual([status, body.errcode], [400, 'M_MISSING_PARAM'], target)
      }
    })

    it('/get_missing_events without its lists has nothing to tell', async () => {
      const { status, body } = await far.request('POST', `/get_missing_events/${encodeURIComponent(room)}`, {})
      assert.deepEqual([status, body], [200, { events: [] }])
    })

    it('a request that is not signed reads nothing', async () => {
      for (const read of Object.values(ROOM_READS)) {
        const path = `/_matrix/federation/v1${read.path(encodeURIComponent(room), encodeURIComponent(message))}`
        const { status } = await homeserver.request(read.method, path, { token: ann.token, body: read.body?.(message) })
        assert.equal(status, 401)
      }
    })
  })
