import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import * as fc from 'fast-check'
import { MatrixError, type Errcode } from '@holdfast/protocol/errors'
import { parseJson } from '@holdfast/protocol/json/parse'
import type { JsonValue } from '@holdfast/protocol/json/value'
import { createRoom } from './generated/client-server/create_room.ts'
import { inviteUser } from './generated/client-server/inviting.ts'
import { joinRoom } from './generated/client-server/joining.ts'
import { queryKeys, uploadKeys } from './generated/client-server/keys.ts'
import { login } from './generated/client-server/login.ts'
import { getEvents } from './generated/client-server/old_sync.ts'
import { getRoomEvents } from './generated/client-server/message_pagination.ts'
import { setPresence } from './generated/client-server/presence.ts'
import { sendMessage } from './generated/client-server/room_send.ts'
import { sync } from './generated/client-server/sync.ts'
import { queryUserByProtocol } from './generated/client-server/third_party_lookup.ts'
import { setTyping } from './generated/client-server/typing.ts'
import { sendTransaction } from './generated/server-server/transactions.ts'
import { entriesOf, members, type Operation } from './operation.ts'

function refused(read: () => unknown, errcode: Errcode, message: string | RegExp): void {
  assert.throws(read, (error) => {
    assert.ok(error instanceof MatrixError, String(error))
    assert.deepEqual([error.errcode, error.status], [errcode, 400])
    if (typeof message === 'string') assert.equal(error.message, message)
    else assert.match(error.message, message)
    return true
  })
}

/** As a request body arrives. */
function parsed(text: string): JsonValue {
  const result = parseJson(text)
  assert.ok(result.ok, text)
  return result.value
}

async function everyOperation(): Promise<Operation[]> {
  const root = join(import.meta.dirname, 'generated')
  const folders = readdirSync(root).filter((name) => name !== 'responses')
  const files = folders.flatMap((folder) => readdirSync(join(root, folder)).map((file) => join(root, folder, file)))
  const modules = await Promise.all(files.map((file) => import(file) as Promise<Record<string, Operation>>))
  return modules.flatMap((module) => Object.values(module))
}

suite('bodies', () => {
  test('a wrong type is named with its path', () => {
    refused(() => createRoom.parseBody({ name: 1 }), 'M_BAD_JSON', '`name` must be a string.')
    refused(() => createRoom.parseBody({ invite: '@ann:a' }), 'M_BAD_JSON', '`invite` must be an array.')
    refused(
      () =>
        createRoom.parseBody({
          initial_state: [
            { type: 't', content: {} },
            { type: 't', content: [] },
          ],
        }),
      'M_BAD_JSON',
      '`initial_state[1].content` must be an object.',
    )
    refused(
      () => queryKeys.parseBody({ device_keys: { '@ann:example.org': [1] } }),
      'M_BAD_JSON',
      '`device_keys["@ann:example.org"][0]` must be a string.',
    )
  })

  test('a required member of the body that is missing is a missing parameter; further down it is malformed', () => {
    refused(() => login.parseBody({}), 'M_MISSING_PARAM', '`type` is missing.')
    refused(
      () => uploadKeys.parseBody({ device_keys: { user_id: '@ann:a', device_id: 'D' } }),
      'M_BAD_JSON',
      '`device_keys.algorithms` is missing.',
    )
  })

  test('a wrong value of the right type is an invalid parameter', () => {
    refused(
      () => createRoom.parseBody({ invite: ['ann'] }),
      'M_INVALID_PARAM',
      '`invite[0]` must be a user ID, such as @ann:example.org.',
    )
    refused(
      () => setPresence.parseBody({ presence: 'away' }),
      'M_INVALID_PARAM',
      '`presence` must be one of online, offline, unavailable.',
    )
    refused(
      () => queryKeys.parseBody({ device_keys: { ann: [] } }),
      'M_INVALID_PARAM',
      /^`device_keys.ann` must be a user ID/,
    )
  })

  test('a body that is not an object is refused', () => {
    for (const body of [[], 'text', 1, true, null]) {
      refused(() => createRoom.parseBody(body), 'M_BAD_JSON', 'The body must be an object.')
      refused(() => sendMessage.parseBody(body), 'M_BAD_JSON', 'The body must be an object.')
    }
  })

  test('an empty body counts as {} only where nothing is required and the body is no content', () => {
    assert.deepEqual(joinRoom.parseBody(undefined), {})
    refused(() => login.parseBody(undefined), 'M_NOT_JSON', /empty/)
    refused(() => sendMessage.parseBody(undefined), 'M_NOT_JSON', /empty/)
  })

  test('the body tells which of two operations on one path is meant', () => {
    assert.ok('user_id' in inviteUser.parseBody({ user_id: '@ann:a' }))
    refused(() => inviteUser.parseBody({}), 'M_MISSING_PARAM', '`user_id` is missing.')
    refused(() => inviteUser.parseBody({ medium: 'email' }), 'M_MISSING_PARAM', '`id_server` is missing.')
    assert.ok('medium' in inviteUser.parseBody({ medium: 'email', address: 'a@b', id_server: 'c' }))
  })

  test('what clients of 2018 send is taken', () => {
    assert.equal(login.parseBody({ type: 'm.login.password', user: 'ann', password: 'p' }).user, 'ann')
    assert.ok(queryKeys.parseBody({ device_keys: { '@ann:a': {} } }))
    assert.equal(setTyping.parseBody({ typing: 1, timeout: 30_000 }).typing, 1)
    refused(() => setTyping.parseBody({ typing: 'yes' }), 'M_BAD_JSON', '`typing` must be true or false or an integer.')
  })

  test('numbers are integers where the specification says so (G6)', () => {
    for (const timeout of [true, '1', 1.5, 2 ** 53, -(2 ** 53), Number.NaN, Infinity, null, [1]]) {
      refused(() => setTyping.parseBody({ typing: true, timeout }), 'M_BAD_JSON', /^`timeout` must be an integer/)
    }
    assert.equal(setTyping.parseBody({ typing: true, timeout: 2 ** 53 - 1 }).timeout, 2 ** 53 - 1)
  })

  test('unknown members are kept, whatever their names (G8)', () => {
    const text = '{"type":"t","__proto__":{"user":"mallory"},"constructor":1,"toString":"x","extra":{"deep":[1]}}'
    const body = login.parseBody(parsed(text))
    assert.equal(body.user, undefined)
    assert.deepEqual(Object.keys(members(body)), ['type', '__proto__', 'constructor', 'toString', 'extra'])
    assert.equal(({} as Record<string, unknown>)['user'], undefined)
    const keys = queryKeys.parseBody(parsed('{"device_keys":{"@a:b":["D"]}}')).device_keys
    assert.deepEqual(entriesOf(keys), [['@a:b', ['D']]])
    refused(() => queryKeys.parseBody(parsed('{"device_keys":{"__proto__":[]}}')), 'M_INVALID_PARAM', /__proto__/)
  })

  test('depth is that of the operation, not of the input (G7)', () => {
    let deep: JsonValue = 1
    for (let level = 0; level < 100_000; level += 1) deep = { content: deep }
    assert.equal(sendMessage.parseBody(deep), deep)
    refused(() => createRoom.parseBody({ name: deep }), 'M_BAD_JSON', '`name` must be a string.')
  })

  test('long and strange names are cut in messages', () => {
    const name = `\n"${'x'.repeat(10_000)}`
    refused(
      () => queryKeys.parseBody({ device_keys: { [name]: [] } }),
      'M_INVALID_PARAM',
      /^`device_keys\["\\n\\"x{62}"\]` must/,
    )
  })

  test('a bad event does not fail the transaction that carries it', () => {
    const pdus = [1, null, {}, 'x']
    const body = sendTransaction.parseBody({ origin: 'a', origin_server_ts: 1, pdus })
    assert.deepEqual(body.pdus, pdus)
  })

  test('no JSON makes any operation fail otherwise than with a refusal of the client', async () => {
    const operations = await everyOperation()
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), (value) => {
        for (const one of operations) {
          try {
            one.parseBody(value as JsonValue)
          } catch (error) {
            assert.ok(error instanceof MatrixError && error.status === 400, `${one.id}: ${String(error)}`)
          }
        }
      }),
    )
  })
})

suite('queries', () => {
  test('integers, booleans and listed values are parsed', () => {
    const query = sync.parseQuery('timeout=30000&full_state=true&set_presence=offline&since=s1_2&unknown=%41')
    assert.deepEqual(query, { timeout: 30_000, full_state: true, set_presence: 'offline', since: 's1_2' })
    assert.deepEqual(sync.parseQuery(''), {})
  })

  test('limits in every wrong form are refused, and extremes saturate (G13, G14)', () => {
    for (const timeout of [
      '',
      'abc',
      '1.5',
      '1e3',
      '0x10',
      ' 1',
      '%31%20',
      'NaN',
      'Infinity',
      '--1',
      '9'.repeat(1000),
    ]) {
      refused(() => sync.parseQuery(`timeout=${timeout}`), 'M_INVALID_PARAM', /`timeout` must be an integer/)
    }
    assert.equal(sync.parseQuery('timeout=9223372036854775807').timeout, Number.MAX_SAFE_INTEGER)
    assert.equal(sync.parseQuery('timeout=-9223372036854775808').timeout, Number.MIN_SAFE_INTEGER)
    assert.ok(Object.is(sync.parseQuery('timeout=-0').timeout, 0))
    refused(
      () => sync.parseQuery('full_state=1'),
      'M_INVALID_PARAM',
      'The query parameter `full_state` must be true or false.',
    )
  })

  test('a required parameter is missed, a listed value checked', () => {
    refused(() => getRoomEvents.parseQuery('from=a'), 'M_MISSING_PARAM', 'The query parameter `dir` is missing.')
    refused(() => getRoomEvents.parseQuery('dir=up'), 'M_INVALID_PARAM', /one of b, f/)
  })

  test('a repeated parameter is an array, whose items are checked', () => {
    const query = joinRoom.parseQuery('via=a.example&server_name=b&via=c:8448&via=%5B%3A%3A1%5D')
    assert.deepEqual(query, { via: ['a.example', 'c:8448', '[::1]'], server_name: ['b'] })
    assert.deepEqual(joinRoom.parseQuery(''), { via: [], server_name: [] })
    refused(() => joinRoom.parseQuery('via=a/b'), 'M_INVALID_PARAM', /`via` must be a server name/)
  })

  test('the first of several values counts', () => {
    assert.equal(sync.parseQuery('since=a&since=b').since, 'a')
  })

  test('a query that is not percent-encoded UTF-8 is refused', () => {
    for (const raw of ['since=%', 'since=%ff', '%zz=1', 'since=%ed%a0%80']) {
      refused(() => sync.parseQuery(raw), 'M_INVALID_PARAM', /percent-encoded/)
    }
    assert.equal(sync.parseQuery('since=a+b%2B').since, 'a b+')
  })

  test('the room to peek into is optional, and an id', () => {
    assert.equal(getEvents.parseQuery('').room_id, undefined)
    refused(() => getEvents.parseQuery('room_id=x'), 'M_INVALID_PARAM', /room ID/)
  })

  test('any further parameters are collected without surprises (G8)', () => {
    const { fields } = queryUserByProtocol.parseQuery('access_token=secret&nick=ann&__proto__=x&nick=bob')
    assert.deepEqual(Object.entries(fields), [
      ['nick', 'ann'],
      ['__proto__', 'x'],
    ])
  })

  test('any value comes back as it was sent', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (since) => {
        assert.equal(sync.parseQuery(new URLSearchParams({ since }).toString()).since, since)
      }),
    )
  })
})
