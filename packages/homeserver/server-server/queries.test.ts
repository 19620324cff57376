import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { aFarServer, type FarServer } from '../rooms/serve/testing/far-server.ts'
import { startTestHomeserver, type TestHomeserver, type TestUser } from '../testing/homeserver.ts'

describe('queries by other servers', () => {
  let homeserver: TestHomeserver
  let ann: TestUser
  let far: FarServer
  before(async () => {
    homeserver = await startTestHomeserver()
    ann = await homeserver.user('ann')
    far = await aFarServer(homeserver)
  })
  after(() => homeserver[Symbol.asyncDispose]())

  it('an alias leads to its room and the servers in it, ours first', async () => {
    const { room_id: room } = await ann.ok('POST', '/createRoom', { preset: 'public_chat', room_alias_name: 'party' })
    const path = `/query/directory?room_alias=${encodeURIComponent('#party:example.org')}`
    assert.deepEqual(await far.ok(path), { room_id: room, servers: ['example.org'] })
    await far.member(room, 'bob', 'join')
    assert.deepEqual(await far.ok(path), { room_id: room, servers: ['example.org', 'far.example'] })
    await ann.ok('POST', `/rooms/${room}/leave`, {})
    assert.deepEqual(await far.ok(path), { room_id: room, servers: ['far.example'] })
  })

  it('an alias that leads nowhere here is M_NOT_FOUND, and what is no alias M_INVALID_PARAM', async () => {
    for (const alias of ['#nowhere:example.org', '#party:elsewhere.example']) {
      const { status, body } = await far.get(`/query/directory?room_alias=${encodeURIComponent(alias)}`)
      assert.deepEqual([status, body.errcode], [404, 'M_NOT_FOUND'])
    }
    for (const alias of ['', 'party', '!a:b', '#a', `#${'a'.repeat(300)}:example.org`, '#a\0:example.org']) {
      const { status, body } = await far.get(`/query/directory?room_alias=${encodeURIComponent(alias)}`)
      assert.deepEqual([status, body.errcode], [400, 'M_INVALID_PARAM'], alias)
    }
    assert.equal((await far.get('/query/directory')).body.errcode, 'M_MISSING_PARAM')
  })

  it('a profile is told whole or by field; a field that is not set is left out', async () => {
    await ann.ok('PUT', `/profile/${ann.userId}/displayname`, { displayname: 'Ann' })
    await ann.ok('PUT', `/profile/${ann.userId}/avatar_url`, { avatar_url: 'mxc://example.org/a' })
    const path = `/query/profile?user_id=${encodeURIComponent(ann.userId)}`
    assert.deepEqual(await far.ok(path), { displayname: 'Ann', avatar_url: 'mxc://example.org/a' })
    assert.deepEqual(await far.ok(`${path}&field=displayname`), { displayname: 'Ann' })
    for (const field of ['m.tz', '__proto__', 'constructor', '', '%00'])
      assert.deepEqual(await far.ok(`${path}&field=${field}`), {})
  })

  it('what clients put where a media URI belongs is not passed on', async () => {
    const bea = await homeserver.user('bea')
    await bea.ok('PUT', `/profile/${bea.userId}/avatar_url`, { avatar_url: 'javascript:alert(1)' })
    assert.deepEqual(await far.ok(`/query/profile?user_id=${bea.userId}`), {})
    assert.deepEqual(await far.ok(`/query/profile?user_id=${bea.userId}&field=avatar_url`), {})
  })

  it('who is not a user of this server is M_NOT_FOUND, known or not; what is no user id M_INVALID_PARAM', async () => {
    const { room_id: room } = await ann.ok('POST', '/createRoom', { preset: 'public_chat' })
    await far.member(room, 'carl', 'join')
    const answers = new Set<string>()
    for (const user of ['@nobody:example.org', far.user('carl'), '@x:elsewhere.example']) {
      const { status, body } = await far.get(`/query/profile?user_id=${encodeURIComponent(user)}`)
      answers.add(`${status} ${JSON.stringify(body)}`)
    }
    assert.equal(answers.size, 1)
    assert.match([...answers][0]!, /^404 .*M_NOT_FOUND/)
    for (const user of ['', 'ann', '@user1:localhost:http', '@a:b:c:d']) {
      assert.equal((await far.get(`/query/profile?user_id=${encodeURIComponent(user)}`)).status, 400, user)
    }
  })

  it('other types of query are M_UNRECOGNIZED', async () => {
    for (const type of ['client_auth', 'x', '%E2%82%AC', '__proto__']) {
      const { status, body } = await far.get(`/query/${type}?user_id=1`)
      assert.deepEqual([status, body.errcode], [404, 'M_UNRECOGNIZED'])
    }
  })

  it('the public directory is told in pages, searched, and bounded', async () => {
    const rooms = new Set<string>()
    for (const name of ['red', 'green', 'blue']) {
      const { room_id } = await ann.ok('POST', '/createRoom', { preset: 'public_chat', visibility: 'public', name })
      rooms.add(room_id)
    }
    const first = await far.ok('/publicRooms?limit=2')
    assert.equal(first.chunk.length, 2)
    const second = await far.ok(`/publicRooms?limit=2&since=${first.next_batch}`)
    assert.deepEqual(new Set([...first.chunk, ...second.chunk].map((room) => room.room_id)), rooms)
    assert.equal((await far.ok('/publicRooms?limit=0')).chunk.length, 3)
    const search = { filter: { generic_search_term: 'GREEN' }, since: null, limit: 10 }
    const found = await far.request('POST', '/publicRooms', search)
    assert.deepEqual(
      found.body.chunk.map((room: { name: string }) => room.name),
      ['green'],
    )
    const bridged = await far.request('POST', '/publicRooms', { third_party_instance_id: 'irc' })
    assert.deepEqual(bridged.body.chunk, [])
    for (const query of ['limit=x', 'since=nonsense', 'include_all_networks=maybe']) {
      assert.equal((await far.get(`/publicRooms?${query}`)).status, 400, query)
    }
    for (const limit of ['-1', '99999999999999999999'])
      assert.ok((await far.ok(`/publicRooms?limit=${limit}`)).chunk.length <= 100)
  })
})

it('/.well-known/matrix/server names the public base URL', async () => {
  const settings = (publicBaseUrl: string | undefined) => ({ settings: { publicBaseUrl } })
  for (const [url, expected] of [
    ['https://matrix.example.org', 'matrix.example.org:443'],
    ['https://matrix.example.org:8448/', 'matrix.example.org:8448'],
  ] as const) {
    await using homeserver = await startTestHomeserver(settings(url))
    assert.deepEqual(await homeserver.ok('GET', '/.well-known/matrix/server'), { 'm.server': expected })
  }
  for (const url of [undefined, 'http://localhost:8008']) {
    await using homeserver = await startTestHomeserver(settings(url))
    assert.equal((await homeserver.request('GET', '/.well-known/matrix/server')).status, 404)
  }
})
