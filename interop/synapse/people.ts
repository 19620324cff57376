/** What servers tell each other about their users, and about where their rooms are. */
import assert from 'node:assert/strict'
import { uniqueName } from '../server/unique-name.ts'
import { newDeviceKeys } from './device-keys.ts'
import { type Body, segment } from './http.ts'
import { refused } from './membership.ts'
import type { Person } from './person.ts'
import * as rooms from './rooms.ts'
import { type Direction, type World, once } from './world.ts'

type Of = { readonly world: World; readonly direction: Direction }

export function testPeople(of: Of): void {
  testQueries(of)
  testLiveData(of)
}

/** Neither of these needs a room of both. */
function testQueries({ world, direction: { host, guest } }: Of): void {
  world.rule('the profile of a user of the other server is found', async () => {
    await host.put(`/profile/${segment(host.userId)}/displayname`, { displayname: 'Hösting' })
    await host.put(`/profile/${segment(host.userId)}/avatar_url`, { avatar_url: 'mxc://example.org/face' })
    const profile = await guest.get(`/profile/${segment(host.userId)}`)
    assert.deepEqual([profile.displayname, profile.avatar_url], ['Hösting', 'mxc://example.org/face'])
    const nobody = `@${uniqueName('nobody')}:${host.peer.serverName}`
    await refused(guest.get(`/profile/${segment(nobody)}`), 404, 'M_NOT_FOUND')
  })

  world.rule('an alias of the other server is found', async () => {
    const alias = uniqueName('alias')
    const roomId = await rooms.createRoom(host, { version: '10', alias })
    const found = await guest.get(`/directory/room/${segment(`#${alias}:${host.peer.serverName}`)}`)
    assert.equal(found.room_id, roomId)
    assert.ok(found.servers.includes(host.peer.serverName))
    const nowhere = `#${uniqueName('nowhere')}:${host.peer.serverName}`
    await refused(guest.get(`/directory/room/${segment(nowhere)}`), 404, 'M_NOT_FOUND')
  })

  world.rule('the public rooms of the other server are listed, searched and paged', async () => {
    const word = uniqueName('market')
    const made: string[] = []
    for (const name of ['one', 'two', 'three']) {
      made.push(await rooms.createRoom(host, { version: '10', name: `${word} ${name}`, visibility: 'public' }))
    }
    const search = (since: object): Promise<Body> =>
      guest.post(`/publicRooms?server=${segment(host.peer.serverName)}`, {
        limit: 2,
        filter: { generic_search_term: word },
        ...since,
      })
    const first = await search({})
    const second = await search({ since: first.next_batch })
    const found: readonly Body[] = [...first.chunk, ...second.chunk]
    assert.deepEqual(found.map((room): string => room.room_id).toSorted(), made.toSorted())
    assert.ok(found.every((room) => room.num_joined_members === 1 && room.name.startsWith(word)))
    const all = await guest.get(`/publicRooms?server=${segment(host.peer.serverName)}`)
    assert.ok(made.every((roomId) => all.chunk.some((room: Body) => room.room_id === roomId)))
  })
}

/** `room` is one of both. */
type Live = {
  readonly world: World
  readonly ways: readonly (readonly [Person, Person])[]
  readonly room: () => Promise<void>
}

function testLiveData({ world, direction: { host, guest } }: Of): void {
  const room = once(async () => {
    const roomId = await rooms.createRoom(host, { version: '10' })
    await rooms.joinVia(guest, roomId, host.peer.serverName)
    await rooms.untilMembership(host, roomId, guest, 'join')
    world.shared.push({ roomId, host, guest })
  })
  const ways: readonly (readonly [Person, Person])[] = [
    [host, guest],
    [guest, host],
  ]
  for (const tests of [testPresence, testToDevice, testKeys]) tests({ world, ways, room })
}

function testPresence({ world, ways, room }: Live): void {
  world.rule('who shares a room sees who is there', async () => {
    await room()
    for (const [from, to] of ways) {
      const status = uniqueName('busy')
      await from.put(`/presence/${segment(from.userId)}/status`, { presence: 'unavailable', status_msg: status })
      const seen = await to.hears(`${from.userId} is ${status}`, (sync) => {
        const events: readonly Body[] = sync.presence?.events ?? []
        return events.find(({ sender, content }) => sender === from.userId && content.status_msg === status)
      })
      assert.equal(seen.content.presence, 'unavailable')
    }
  })
}

function testToDevice({ world, ways, room }: Live): void {
  world.rule('a message from device to device arrives once', async () => {
    await room()
    for (const [from, to] of ways) {
      const type = `org.example.${uniqueName('note')}`
      const note = { text: uniqueName('note') }
      const sending = { messages: { [to.userId]: { [to.deviceId]: note } } }
      // The second one is the same request again.
      for (let times = 0; times < 2; times += 1) await from.put(`/sendToDevice/${type}/txn`, sending)
      const notes = (sync: Body): readonly Body[] =>
        (sync.to_device?.events ?? []).filter((event: Body) => event.type === type)
      const [event] = await to.hears(type, (sync) => (notes(sync).length > 0 ? notes(sync) : undefined))
      assert.deepEqual([event.sender, event.content], [from.userId, note])
      const path = `/sendToDevice/${type}/${uniqueName('txn')}`
      await from.put(path, { messages: { [to.userId]: { '*': { text: 'the last' } } } })
      const all: Body[] = []
      await to.hears('the last', (sync) => {
        all.push(...notes(sync))
        return all.some(({ content }) => content.text === 'the last') ? true : undefined
      })
      assert.equal(all.length, 2)
    }
  })
}

function testKeys({ world, ways, room }: Live): void {
  world.rule('new keys of a device are told of, queried and claimed, each one-time key once', async () => {
    await room()
    for (const [from, to] of ways) {
      const keys = newDeviceKeys(from)
      const mark = to.heardSoFar()
      await from.post('/keys/upload', { device_keys: keys.device, one_time_keys: keys.oneTime })
      await to.hears(
        `the devices of ${from.userId} changed`,
        (sync) => (sync.device_lists?.changed?.includes(from.userId) ? true : undefined),
        mark,
      )
      const queried = await to.post('/keys/query', { device_keys: { [from.userId]: [] } })
      assert.deepEqual(queried.failures ?? {}, {})
      const { unsigned: _, ...device } = queried.device_keys[from.userId][from.deviceId]
      assert.deepEqual(device, keys.device)

      const claim = async (): Promise<Body> => {
        const wanted = { [from.userId]: { [from.deviceId]: 'signed_curve25519' } }
        const claimed = await to.post('/keys/claim', { one_time_keys: wanted })
        return claimed.one_time_keys[from.userId]?.[from.deviceId] ?? {}
      }
      const claimed = Object.assign({}, await claim(), await claim())
      assert.deepEqual(claimed, keys.oneTime)
      assert.deepEqual(await claim(), {})
    }
  })
}
