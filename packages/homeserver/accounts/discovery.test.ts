import assert from 'node:assert/strict'
import test from 'node:test'
import { ROOM_VERSIONS } from '@holdfast/protocol/room-version/rules'
import { startTestHomeserver } from '../testing/homeserver.ts'

test('every release of the Client-Server API is listed, without a token', async () => {
  await using hs = await startTestHomeserver()
  const { versions, unstable_features: unstable } = await hs.ok('GET', '/_matrix/client/versions')
  assert.equal(versions.at(0), 'r0.0.1')
  assert.equal(versions.at(-1), 'v1.19')
  assert.equal(versions.length, 27)
  assert.deepEqual(unstable, { 'm.lazy_load_members': true })
  assert.equal((await hs.request('GET', '/_matrix/client/versions', { token: 'x' })).status, 401)
})

test('the capabilities name all twelve room versions, and need a token', async () => {
  await using hs = await startTestHomeserver()
  const ann = await hs.user('ann')
  const { capabilities } = await ann.ok('GET', '/capabilities')
  assert.deepEqual(Object.keys(capabilities['m.room_versions'].available), [...ROOM_VERSIONS])
  assert.equal(capabilities['m.room_versions'].default, '12')
  assert.equal(capabilities['m.change_password'].enabled, true)
  assert.equal((await hs.request('GET', '/capabilities')).body.errcode, 'M_MISSING_TOKEN')
})

test('rooms have the version that the settings name, unless their creator names one', async () => {
  await using hs = await startTestHomeserver({ settings: { defaultRoomVersion: '10' } })
  const ann = await hs.user('ann')
  const { capabilities } = await ann.ok('GET', '/capabilities')
  assert.equal(capabilities['m.room_versions'].default, '10')
  const versionOf = async (body: object): Promise<unknown> => {
    const { room_id: roomId } = await ann.ok('POST', '/createRoom', body)
    return (await ann.ok('GET', `/rooms/${encodeURIComponent(roomId)}/state/m.room.create`)).room_version
  }
  assert.equal(await versionOf({}), '10')
  assert.equal(await versionOf({ room_version: '11' }), '11')
})

test('the well-known file leads to the public base URL, if there is one', async () => {
  await using without = await startTestHomeserver()
  assert.equal((await without.request('GET', '/.well-known/matrix/client')).body.errcode, 'M_NOT_FOUND')
  await using hs = await startTestHomeserver({ settings: { publicBaseUrl: 'https://chat.example.org' } })
  const answer = await hs.ok('GET', '/.well-known/matrix/client')
  assert.deepEqual(answer, { 'm.homeserver': { base_url: 'https://chat.example.org' } })
})

test('extra parts and suffixes of a path lead nowhere', async () => {
  await using hs = await startTestHomeserver()
  const paths = ['/login', '/register', '/refresh', '/account/password', '/logout', '/register/available']
  for (const path of paths) {
    for (const suffix of ['/', '/x', '//', ';a', '%2f', '.json', '%00']) {
      const { status, body } = await hs.request('POST', `${path}${suffix}`, { body: {} })
      assert.deepEqual([status, body.errcode], [404, 'M_UNRECOGNIZED'], path + suffix)
    }
  }
  assert.equal((await hs.request('DELETE', '/login')).status, 405)
})
