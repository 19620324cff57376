/** Every endpoint against everything that is no request: the specified refusal, never a 5xx, never a hang, nothing half done. */
import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { startTestHomeserver, type TestHomeserver, type TestResponse, type TestUser } from '../testing/homeserver.ts'
import { ENDPOINTS } from './endpoints.ts'
import type { Endpoint } from '../http/endpoint.ts'

const DEEP = 20_000
/** What no JSON parser may let pass, by name. */
const BROKEN_BODIES: Readonly<Record<string, string | Uint8Array>> = {
  'cut off': '{"a":',
  'a byte that is no UTF-8': Uint8Array.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]),
  'an overlong NUL': Uint8Array.from([0x7b, 0x22, 0xc0, 0x80, 0x22, 0x3a, 0x31, 0x7d]),
  'a surrogate in UTF-8': Uint8Array.from([0x7b, 0x22, 0xed, 0xa0, 0x80, 0x22, 0x3a, 0x31, 0x7d]),
  'half a pair': '{"a":"\\ud800"}',
  'a key twice': '{"a":1,"a":2}',
  NaN: '{"a":NaN}',
  'a number beyond all': '{"a":1e400}',
  'arrays without end': '{"a":'.concat('['.repeat(DEEP), ']'.repeat(DEEP), '}'),
  'objects without end': '{"a":'.repeat(DEEP).concat('1', '}'.repeat(DEEP)),
  'two values': '{} {}',
  'a comment': '{/* */}',
}

/** JSON that is no object. */
const OTHER_BODIES = ['null', 'true', '1', '"text"', '[]', '[{}]']

/** In the path, as they come over the wire. */
const PATH_VALUES = [
  '%00',
  '%ff',
  '%ed%a0%80',
  '%',
  '%2f',
  '..',
  '!',
  '@',
  '#',
  '$',
  ':',
  '!:',
  '@a:b:c:99999',
  '%F0%9F%98%80',
  '__proto__',
  'constructor',
  'toString',
  '!nowhere:example.org',
  '@nobody:example.org',
  '%23nothing:example.org',
  '$nothing',
  `!${'x'.repeat(300)}:example.org`,
  'x'.repeat(9_000),
  '%0d%0aX-Evil:%201',
  '*',
  "'%20OR%201=1--",
]

const QUERY_VALUES = [
  '',
  '%00',
  '%ff',
  '-1',
  '0',
  '1.5',
  '1e3',
  '2147483648',
  '9007199254740993',
  '99999999999999999999',
  's',
  's-1',
  's9007199254740991',
  's99999999999999999',
  'p0',
  'true',
  'null',
  'NaN',
  '{}',
  '{',
  '[]',
  '{%22room%22:1}',
  '{%22room%22:{%22timeline%22:{%22limit%22:1e99}}}',
  'x'.repeat(5_000),
  '__proto__',
]
const QUERY_NAMES = [
  'limit',
  'timeout',
  'since',
  'from',
  'to',
  'at',
  'dir',
  'filter',
  'membership',
  'not_membership',
  'format',
  'set_presence',
  'full_state',
  'use_state_after',
  'archived',
  'server',
  'kind',
  'room_id',
  'username',
  'token',
  'access_token',
  'via',
  'server_name',
]

const KNOWN_ERRCODE = /^M_[A-Z0-9_]+$/

describe('hostile input', () => {
  let server: TestHomeserver
  let ann: TestUser
  let roomId: string
  beforeEach(async () => {
    server = await startTestHomeserver()
    ann = await server.user('ann')
    roomId = (await ann.ok('POST', '/createRoom', { preset: 'public_chat', name: 'Tea' })).room_id
  })
  afterEach(() => server[Symbol.asyncDispose]())

  /** A wait ends when who asks gives up. */
  async function send(endpoint: Endpoint, target: string, body?: string | Uint8Array): Promise<TestResponse> {
    const signal = AbortSignal.timeout(50)
    const sent = { body, signal, ...(endpoint.auth === 'none' ? {} : { token: ann.token }) }
    const answer = await server.request(endpoint.method, target, sent)
    assert.ok(answer.status < 500, `${endpoint.method} ${target.slice(0, 200)} answered ${answer.status}`)
    // A 401 that asks for more authentication has no code.
    if (answer.status >= 400 && typeof answer.body === 'object' && answer.body.flows === undefined) {
      assert.match(answer.body.errcode ?? '', KNOWN_ERRCODE, `${endpoint.id} ${JSON.stringify(answer.body)}`)
    }
    return answer
  }

  /** Not the endpoints that would end the session of who asks. */
  const endpoints = ENDPOINTS.filter(({ id }) => !['logout', 'logout_all', 'deactivateAccount'].includes(id))

  test('a body that is not JSON is refused everywhere, and changes nothing', async () => {
    const rooms = (await ann.ok('GET', '/joined_rooms')).joined_rooms
    for (const endpoint of endpoints.filter(({ bodyKind }) => bodyKind === 'json')) {
      const target = pathOf(endpoint, roomId, ann)
      for (const [name, body] of Object.entries(BROKEN_BODIES)) {
        const { status, body: answer } = await send(endpoint, target, body)
        assert.equal(status >= 400, true, `${endpoint.id} takes ${name}`)
        if (status === 400)
          assert.match(answer.errcode, /^M_(NOT_JSON|BAD_JSON|UNRECOGNIZED|INVALID_PARAM)$/, `${endpoint.id}: ${name}`)
      }
      for (const body of OTHER_BODIES)
        assert.notEqual((await send(endpoint, target, body)).status, 200, `${endpoint.id} takes ${body}`)
    }
    assert.deepEqual((await ann.ok('GET', '/joined_rooms')).joined_rooms, rooms)
  })

  test('ids in every wrong form are refused everywhere', async () => {
    for (const endpoint of endpoints) {
      const whole = endpoint.paths.at(-1)!
      for (const [name] of whole.matchAll(/\{[^}]*\}/g)) {
        for (const value of PATH_VALUES) {
          const target = fill(whole.replace(name, value), roomId, ann)
          await send(endpoint, target, endpoint.bodyKind === 'json' ? '{}' : undefined)
        }
      }
    }
  })

  test('values of every wrong type in every place of a body are refused or harmless, and nothing is half done', async () => {
    const bodies = plausibleBodies(roomId, ann)
    let made = 0
    for (const endpoint of endpoints.filter(({ bodyKind }) => bodyKind === 'json')) {
      const good = bodies[endpoint.id] ?? {}
      for (const body of mutations(good)) {
        const { status } = await send(endpoint, pathOf(endpoint, roomId, ann), body)
        if (endpoint.id === 'createRoom' && status === 200) made += 1
      }
    }
    const rooms = (await ann.ok('GET', '/joined_rooms')).joined_rooms.filter((id: string) => id !== roomId)
    assert.equal(rooms.length, made, 'a refused room leaves nothing')
    const { body } = await ann.request('POST', '/createRoom', {
      room_alias_name: 'tea',
      preset: 'public_chat',
      room_version: 'none',
    })
    assert.equal(body.errcode, 'M_UNSUPPORTED_ROOM_VERSION')
    await ann.ok('POST', '/createRoom', { room_alias_name: 'tea' })
  })

  test('parameters of every wrong kind and size are refused or bounded', async () => {
    const token = (await ann.ok('GET', '/sync')).next_batch
    for (const endpoint of endpoints.filter(({ method }) => method === 'GET')) {
      const target = pathOf(endpoint, roomId, ann)
      for (const name of QUERY_NAMES) {
        const values = QUERY_VALUES.map((value) => `${name}=${value}`)
        const waits = name === 'timeout' ? [`since=${token}&timeout=9007199254740993`] : []
        for (const query of [...values, ...waits.slice(0, endpoint.id === 'sync' ? 1 : 0)])
          await send(endpoint, `${target}?${query}`)
      }
    }
  })
})

/** The newest path of the endpoint, with what exists in its places. */
function pathOf(endpoint: Endpoint, roomId: string, user: TestUser): string {
  return fill(endpoint.paths.at(-1)!, roomId, user)
}

function fill(path: string, roomId: string, user: TestUser): string {
  const values: Record<string, string> = {
    roomId,
    room_id: roomId,
    roomIdOrAlias: roomId,
    userId: user.userId,
    deviceId: user.deviceId,
    roomAlias: '#nothing:example.org',
    eventId: '$nothing',
    receiptType: 'm.read',
  }
  return path.replaceAll(/\{([^}]*)\}/g, (_, name: string) => encodeURIComponent(values[name] ?? 'x'))
}

const WRONG_VALUES = [
  'null',
  'true',
  '-1',
  '1.5',
  '1e3',
  '9007199254740992',
  '-9007199254740992',
  '1e308',
  '""',
  '"\\u0000"',
  '"\\ud83d\\ude00"',
  '[]',
  '{}',
  '[[[]]]',
  '{"__proto__":{"a":1}}',
  '{"constructor":1}',
  JSON.stringify('x'.repeat(70_000)),
]

/** The body with each of its values, at any depth, replaced by each of the wrong ones. */
function mutations(good: unknown): readonly string[] {
  const found: string[] = WRONG_VALUES.map(
    (value) => `{"__proto__":${value},"constructor":${value},"toString":${value}}`,
  )
  const walk = (value: unknown, around: (inner: string) => string): void => {
    for (const wrong of WRONG_VALUES) found.push(around(wrong))
    if (typeof value !== 'object' || value === null) return
    for (const [key, inner] of Object.entries(value)) {
      walk(inner, (text) => {
        const members = Object.entries(value).map(([name, other]) => {
          const shown = name === key ? text : JSON.stringify(other)
          return Array.isArray(value) ? shown : `${JSON.stringify(name)}:${shown}`
        })
        return around(Array.isArray(value) ? `[${members.join(',')}]` : `{${members.join(',')}}`)
      })
    }
  }
  walk(good, (text) => text)
  return found
}

/** Bodies that the endpoints would take. */
function plausibleBodies(roomId: string, user: TestUser): Readonly<Record<string, unknown>> {
  const target = { user_id: '@nobody:example.org', reason: 'because' }
  const login = {
    type: 'm.login.password',
    identifier: { type: 'm.id.user', user: 'nobody' },
    password: 'x',
    device_id: 'D',
  }
  return {
    createRoom: {
      preset: 'public_chat',
      name: 'Tea',
      topic: 'leaves',
      room_version: '11',
      is_direct: false,
      visibility: 'private',
      invite: ['@nobody:example.org'],
      creation_content: { 'm.federate': true, type: 'm.space', predecessor: { room_id: roomId, event_id: '$x' } },
      initial_state: [{ type: 'm.room.topic', state_key: '', content: { topic: 'leaves' } }],
      power_level_content_override: { users: { [user.userId]: 100 }, events: { 'm.room.name': 50 }, users_default: 0 },
    },
    inviteUser: target,
    kick: target,
    ban: target,
    unban: target,
    joinRoom: {
      reason: 'because',
      third_party_signed: { sender: '@a:b', mxid: '@a:b', token: 't', signatures: { b: { k: 's' } } },
    },
    joinRoomById: { reason: 'because' },
    setRoomStateWithKey: { topic: 'leaves', nested: [{ deep: 1 }] },
    sendMessage: { msgtype: 'm.text', body: 'hello', 'm.relates_to': { rel_type: 'm.thread', event_id: '$x' } },
    redactEvent: { reason: 'because' },
    setRoomAlias: { room_id: roomId },
    setRoomVisibilityOnDirectory: { visibility: 'public' },
    queryPublicRooms: {
      limit: 10,
      since: 'p0',
      filter: { generic_search_term: 'x', room_types: [null] },
      include_all_networks: false,
      third_party_instance_id: '',
    },
    defineFilter: {
      event_fields: ['type'],
      event_format: 'client',
      room: { rooms: ['!a:b'], timeline: { limit: 1, types: ['m.*'], senders: ['@a:b'], lazy_load_members: true } },
    },
    setAccountData: { 'm.direct': { '@a:b': [roomId] } },
    setAccountDataPerRoom: { tags: { u: { order: 0.5 } } },
    setRoomTag: { order: 0.5 },
    login,
    register: { username: 'somebody', password: 'x', device_id: 'D', auth: { type: 'm.login.dummy', session: 'x' } },
    setReadMarker: { 'm.fully_read': '$x', 'm.read': '$x', 'm.read.private': '$x' },
    postReceipt: { thread_id: 'main' },
    setTyping: { typing: true, timeout: 10 },
    setPresence: { presence: 'online', status_msg: 'tea' },
    sendToDevice: { messages: { [user.userId]: { '*': { a: 1 } } } },
    updateDevice: { display_name: 'telephone' },
    setProfileField: { x: 1 },
    upgradeRoom: { new_version: '11', additional_creators: ['@nobody:example.org'] },
  }
}
