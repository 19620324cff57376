import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import { type HttpClient, OutgoingFailed, type OutgoingFailure } from '@holdfast/platform/http/client'
import { ERRORS } from '@holdfast/protocol/errors'
import { startTestHomeserver, type TestUser } from '../../testing/homeserver.ts'

/** An address needs no discovery. */
const FAR = '192.0.2.1:8448'

type Said = { readonly status: number; readonly body: unknown } | OutgoingFailure

const UNAUTHORISED = { errcode: 'M_UNKNOWN_TOKEN', error: 'who are you', soft_logout: true, consent_uri: 'https://x' }

/** What the other server says, and what the user is told of a request that only that server can fulfil. */
const TABLE: Record<string, { readonly said: Said; readonly told: string }> = {
  forbidden: { said: { status: 403, body: { errcode: 'M_FORBIDDEN', error: 'no' } }, told: '403 M_FORBIDDEN' },
  'forbidden with another status': { said: { status: 400, body: { errcode: 'M_FORBIDDEN' } }, told: '403 M_FORBIDDEN' },
  blocked: { said: { status: 403, body: { errcode: 'M_INVITE_BLOCKED', error: 'no' } }, told: '403 M_INVITE_BLOCKED' },
  'not found': { said: { status: 404, body: { errcode: 'M_NOT_FOUND', error: 'no' } }, told: '404 M_NOT_FOUND' },
  'no such endpoint': {
    said: { status: 404, body: { errcode: 'M_UNRECOGNIZED', error: 'x' } },
    told: '404 M_NOT_FOUND',
  },
  'not by this method': {
    said: { status: 405, body: { errcode: 'M_UNRECOGNIZED', error: 'x' } },
    told: '404 M_NOT_FOUND',
  },
  'a page that is not there': { said: { status: 404, body: '<html>' }, told: '404 M_NOT_FOUND' },
  'a bad request': { said: { status: 400, body: { errcode: 'M_INVALID_PARAM', error: 'x' } }, told: '403 M_FORBIDDEN' },
  'a code of its own': {
    said: { status: 418, body: { errcode: 'ORG.EXAMPLE.TEA', error: 'x' } },
    told: '403 M_FORBIDDEN',
  },
  'a code that is none': { said: { status: 400, body: { errcode: { a: 1 }, error: [] } }, told: '403 M_FORBIDDEN' },
  'a bad state': { said: { status: 403, body: { errcode: 'M_BAD_STATE', error: 'x' } }, told: '403 M_BAD_STATE' },
  'too large': { said: { status: 413, body: { errcode: 'M_TOO_LARGE', error: 'x' } }, told: '413 M_TOO_LARGE' },
  'too many': {
    said: { status: 429, body: { errcode: 'M_LIMIT_EXCEEDED', error: 'x', retry_after_ms: 7 } },
    told: '429 M_LIMIT_EXCEEDED 7',
  },
  'too many for very long': {
    said: { status: 429, body: { errcode: 'M_LIMIT_EXCEEDED', error: 'x', retry_after_ms: 9e15 } },
    told: '429 M_LIMIT_EXCEEDED 3600000',
  },
  'no voucher': {
    said: { status: 400, body: { errcode: 'M_UNABLE_TO_GRANT_JOIN', error: 'x' } },
    told: '403 M_FORBIDDEN',
  },
  unauthorised: { said: { status: 401, body: UNAUTHORISED }, told: '502 M_UNKNOWN' },
  'an error of its own': { said: { status: 500, body: { errcode: 'M_UNKNOWN', error: 'oh' } }, told: '502 M_UNKNOWN' },
  'an error page': { said: { status: 503, body: '<html>' }, told: '502 M_UNKNOWN' },
  'a redirection': { said: { status: 302, body: '' }, told: '502 M_UNKNOWN' },
  'no JSON': { said: { status: 200, body: '<html>' }, told: '502 M_UNKNOWN' },
  'no object': { said: { status: 200, body: [] }, told: '502 M_UNKNOWN' },
  'nothing in time': { said: 'timeout', told: '504 M_UNKNOWN' },
  'that it is away': { said: 'unreachable', told: '502 M_UNKNOWN' },
  'a wrong certificate': { said: 'certificate', told: '502 M_UNKNOWN' },
  'without end': { said: 'too-large', told: '502 M_UNKNOWN' },
}

function saying(what: { said: Said }): HttpClient {
  return {
    send: ({ url }) => {
      const { said } = what
      if (typeof said === 'string') return Promise.reject(new OutgoingFailed(said, 'so it is'))
      if (url.includes('/_matrix/key/')) return Promise.reject(new OutgoingFailed('unreachable', 'no keys'))
      const { status, body } = said
      const text = typeof body === 'string' ? body : JSON.stringify(body)
      const headers = { 'content-type': 'application/json', location: 'https://192.0.2.2/' }
      return Promise.resolve({ status, headers, body: Buffer.from(text) })
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }
}

type World = { readonly ann: TestUser; readonly roomId: string; readonly what: { said: Said } }

async function world(t: TestContext): Promise<World> {
  const what: World['what'] = { said: 'unreachable' }
  const server = await startTestHomeserver({ http: saying(what) })
  t.after(() => server[Symbol.asyncDispose]())
  const ann = await server.user('ann')
  const { room_id: roomId } = await ann.ok('POST', '/createRoom', { preset: 'public_chat' })
  return { ann, roomId, what }
}

function part(text: string): string {
  return encodeURIComponent(text)
}

type Request = readonly [method: string, target: string, body?: unknown]

/** Each fails if the other server does not help. */
const REQUESTS: Record<string, (w: World) => Request> = {
  invite: ({ roomId }) => ['POST', `/rooms/${part(roomId)}/invite`, { user_id: `@bob:${FAR}` }],
  join: () => ['POST', `/join/${part(`!far:${FAR}`)}?server_name=${part(FAR)}`, {}],
  'join by alias': () => ['POST', `/join/${part(`#far:${FAR}`)}`, {}],
  knock: () => ['POST', `/knock/${part(`!far:${FAR}`)}?server_name=${part(FAR)}`, {}],
  alias: () => ['GET', `/directory/room/${part(`#far:${FAR}`)}`],
  'public rooms': () => ['GET', `/publicRooms?server=${part(FAR)}`],
  'searched public rooms': () => ['POST', `/publicRooms?server=${part(FAR)}`, { filter: { generic_search_term: 'x' } }],
}

/** These have another answer when the other server gives none. */
const ANSWERED: Record<string, (w: World) => Request> = {
  profile: () => ['GET', `/profile/${part(`@bob:${FAR}`)}`],
  'a field of a profile': () => ['GET', `/profile/${part(`@bob:${FAR}`)}/displayname`],
  hierarchy: () => ['GET', `/_matrix/client/v1/rooms/${part(`!far:${FAR}`)}/hierarchy`],
  'the event at a time': ({ roomId }) => [
    'GET',
    `/_matrix/client/v1/rooms/${part(roomId)}/timestamp_to_event?ts=1&dir=f`,
  ],
  keys: () => ['POST', '/keys/query', { device_keys: { [`@bob:${FAR}`]: [] } }],
  'one-time keys': () => ['POST', '/keys/claim', { one_time_keys: { [`@bob:${FAR}`]: { D: 'signed_curve25519' } } }],
  'a room with somebody of it': () => ['POST', '/createRoom', { invite: [`@bob:${FAR}`] }],
  leave: () => ['POST', `/rooms/${part(`!far:${FAR}`)}/leave`, {}],
}

for (const [what, { said, told }] of Object.entries(TABLE)) {
  test(`a user is told what another server said: ${what}`, async (t) => {
    const w = await world(t)
    w.what.said = said
    for (const [name, request] of Object.entries(REQUESTS)) {
      const { status, body } = await w.ann.request(...request(w))
      const { errcode, error, retry_after_ms: wait, ...more } = body
      const version = errcode === 'M_UNSUPPORTED_ROOM_VERSION' ? 'M_INCOMPATIBLE_ROOM_VERSION' : errcode
      assert.equal([status, version, ...(wait === undefined ? [] : [wait])].join(' '), told, name)
      assert.ok(Object.hasOwn(ERRORS, errcode), name)
      assert.ok(error.includes(FAR), `${name}: ${error}`)
      assert.deepEqual(more, {}, name)
      if (status >= 500) assert.match(error, /\. (Try again later|Tell the administrators)\.$/, name)
    }
    for (const [name, request] of Object.entries(ANSWERED)) {
      const { status } = await w.ann.request(...request(w))
      assert.ok(status < 500 && status !== 401, `${name}: ${status}`)
    }
    assert.equal((await w.ann.request('GET', '/sync')).status, 200)
  })
}

test('who joins and who invites hear of a version that is not spoken, each by its code', async (t) => {
  const w = await world(t)
  w.what.said = { status: 400, body: { errcode: 'M_INCOMPATIBLE_ROOM_VERSION', error: 'x', room_version: '99' } }
  const codes: Record<string, unknown> = {}
  for (const name of ['invite', 'join', 'knock']) {
    const { status, body } = await w.ann.request(...REQUESTS[name]!(w))
    assert.equal(status, 400)
    codes[name] = [body.errcode, body.room_version]
  }
  assert.deepEqual(codes, {
    invite: ['M_UNSUPPORTED_ROOM_VERSION', undefined],
    join: ['M_INCOMPATIBLE_ROOM_VERSION', '99'],
    knock: ['M_INCOMPATIBLE_ROOM_VERSION', '99'],
  })
})
