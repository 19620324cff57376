import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type HoldfastProcess, startHoldfast } from '../server/holdfast.ts'
import { uniqueName } from '../server/unique-name.ts'
import {
  bodies,
  closePeople,
  eventOf,
  eventually,
  newPerson,
  nobody,
  pause,
  type Person,
  refusedWith,
  roomOf,
  roomWith,
  secondDevice,
  silentClient,
} from './people.ts'

let server: HoldfastProcess
let ann: Person
let bob: Person

before(async () => {
  server = await startHoldfast()
  ann = await newPerson(server, 'ann')
  bob = await newPerson(server, 'bob')
})
after(async () => {
  closePeople()
  await server.stop()
  await server[Symbol.asyncDispose]()
})

test('registration in two steps, and a name that is taken', async () => {
  const client = nobody(server)
  const name = uniqueName('steps')
  const challenge = await client.register(name, 'a fine password', null, {}).catch((error) => error)
  assert.equal(challenge.httpStatus, 401)
  assert.deepEqual(challenge.data.flows, [{ stages: ['m.login.dummy'] }])
  const made = await client.register(name, 'a fine password', challenge.data.session, { type: 'm.login.dummy' })
  assert.equal(made.user_id, `@${name}:${server.serverName}`)
  await refusedWith('M_USER_IN_USE', client.register(name, 'a fine password', null, { type: 'm.login.dummy' }))
})

test('the forms of login of 2018', async () => {
  const client = nobody(server)
  const { flows } = await client.loginFlows()
  assert.ok(flows.some(({ type }: { type: string }) => type === 'm.login.password'))
  for (const who of [{ user: ann.name }, { user: ann.userId }, { identifier: { type: 'm.id.user', user: ann.name } }]) {
    const login = await client.login('m.login.password', { ...who, password: ann.password })
    assert.deepEqual([login.user_id, login.home_server], [ann.userId, server.serverName])
  }
  await refusedWith('M_FORBIDDEN', client.login('m.login.password', { user: ann.name, password: 'wrong' }))
})

test('two people talk', async () => {
  const roomId = await roomWith(ann, bob)
  const { event_id: first } = await ann.client.sendTextMessage(roomId, 'hello from 2018')
  await eventOf(bob, roomId, first)
  const { event_id: second } = await bob.client.sendTextMessage(roomId, 'and back')
  await eventOf(ann, roomId, second)
  await pause(300)
  assert.deepEqual(bodies(ann, roomId), ['hello from 2018', 'and back'])
  assert.deepEqual(bodies(bob, roomId), ['hello from 2018', 'and back'])
})

test('scrollback reaches the beginning, and a permalink opens in the middle', async () => {
  const roomId = await roomWith(ann, bob)
  const ids: string[] = []
  for (let n = 0; n < 25; n += 1) ids.push((await ann.client.sendTextMessage(roomId, `line ${n}`)).event_id)
  const reader = await secondDevice(server, bob, { initialSyncLimit: 4 })
  const room = await roomOf(reader, roomId)
  const timeline = await reader.client.getEventTimeline(room.getUnfilteredTimelineSet(), ids[8] ?? '')
  assert.ok(timeline.getEvents().some((event: { getId(): string }) => event.getId() === ids[8]))
  await reader.client.paginateEventTimeline(timeline, { backwards: true, limit: 5 })
  assert.ok(timeline.getEvents().some((event: { getId(): string }) => event.getId() === ids[1]))
  const again = await secondDevice(server, bob, { initialSyncLimit: 4 })
  const fresh = await roomOf(again, roomId)
  for (let page = 0; page < 20 && fresh.oldState.paginationToken !== null; page += 1) {
    await again.client.scrollback(fresh, 6)
  }
  assert.equal(fresh.timeline[0]?.getType(), 'm.room.create')
  assert.deepEqual(
    bodies(again, roomId),
    Array.from({ length: 25 }, (_, n) => `line ${n}`),
  )
})

test('invite, refusal, kick, ban, unban, leave, forget', async () => {
  const { room_id: roomId } = await ann.client.createRoom({ preset: 'public_chat', name: 'The yard' })
  await roomOf(ann, roomId)
  await ann.client.invite(roomId, bob.userId)
  assert.equal((await roomOf(bob, roomId, 'invite')).name, 'The yard')
  await bob.client.leave(roomId)
  await roomOf(bob, roomId, 'leave')
  await bob.client.joinRoom(roomId)
  await roomOf(bob, roomId)
  await ann.client.kick(roomId, bob.userId, 'go')
  await roomOf(bob, roomId, 'leave')
  await bob.client.joinRoom(roomId)
  await roomOf(bob, roomId)
  await ann.client.ban(roomId, bob.userId)
  const isBanned = () => bob.client.getRoom(roomId)?.getMember(bob.userId)?.membership === 'ban'
  await eventually(isBanned)
  await refusedWith('M_FORBIDDEN', bob.client.joinRoom(roomId))
  await ann.client.unban(roomId, bob.userId)
  await eventually(() => ann.client.getRoom(roomId)?.getMember(bob.userId)?.membership === 'leave')
  const left = await bob.client.syncLeftRooms()
  assert.ok(left.some((room) => room.roomId === roomId))
  await bob.client.forget(roomId)
})

test('state: name, power levels, own types, and a redaction', async () => {
  const { room_id: roomId } = await ann.client.createRoom({ room_version: '1', invite: [bob.userId] })
  await roomOf(bob, roomId, 'invite')
  await bob.client.joinRoom(roomId)
  await roomOf(bob, roomId)
  await ann.client.setRoomName(roomId, 'A name')
  await eventually(() => bob.client.getRoom(roomId)?.name === 'A name')
  const room = await roomOf(ann, roomId)
  await ann.client.setPowerLevel(roomId, bob.userId, 50, room.currentState.getStateEvents('m.room.power_levels', ''))
  await eventually(() => bob.client.getRoom(roomId)?.getMember(bob.userId)?.powerLevel === 50)
  await bob.client.sendStateEvent(roomId, 'org.example.score', { points: 3 }, 'team')
  assert.deepEqual(await ann.client.getStateEvent(roomId, 'org.example.score', 'team'), { points: 3 })
  assert.ok((await ann.client.roomState(roomId)).length >= 7)
  const { event_id: eventId } = await ann.client.sendTextMessage(roomId, 'oops')
  assert.match(eventId, /^\$.+:.+$/)
  const seen = await eventOf(bob, roomId, eventId)
  await ann.client.redactEvent(roomId, eventId)
  await eventually(() => seen.isRedacted())
})

test('typing, receipts and read markers', async () => {
  const roomId = await roomWith(ann, bob)
  const room = await roomOf(bob, roomId)
  await ann.client.sendTyping(roomId, true, 10_000)
  await eventually(() => room.getMember(ann.userId)?.typing === true)
  await ann.client.sendTyping(roomId, false, 0)
  await eventually(() => room.getMember(ann.userId)?.typing === false)
  const { event_id: first } = await ann.client.sendTextMessage(roomId, 'one')
  await bob.client.sendReadReceipt(await eventOf(bob, roomId, first))
  await eventually(() => ann.client.getRoom(roomId)?.getEventReadUpTo(bob.userId) === first)
  const { event_id: second } = await ann.client.sendTextMessage(roomId, 'two')
  await bob.client.setRoomReadMarkers(roomId, second, await eventOf(bob, roomId, second))
  await eventually(() => ann.client.getRoom(roomId)?.getEventReadUpTo(bob.userId) === second)
  await eventually(() => room.getAccountData('m.fully_read')?.getContent().event_id === second)
})

test('presence', async () => {
  const carl = await newPerson(server, 'carl')
  await roomWith(carl, bob)
  await carl.client.setPresence({ presence: 'unavailable', status_msg: 'away' })
  await eventually(() => bob.client.getUser(carl.userId)?.presence === 'unavailable')
  assert.equal(bob.client.getUser(carl.userId)?.presenceStatusMsg, 'away')
})

test('to-device messages', async () => {
  const phone = await secondDevice(server, bob)
  const texts: string[] = []
  phone.client.on('toDeviceEvent', (event) => texts.push(event.getContent().text))
  const messages = { [bob.userId]: { [phone.deviceId]: { text: 'psst' } } }
  await ann.client.sendToDevice('org.example.note', messages)
  await eventually(() => texts.length > 0)
  assert.deepEqual(texts, ['psst'])
})

test('account data, tags and ignored people', async () => {
  const carl = await newPerson(server, 'carl')
  const roomId = await roomWith(ann, bob, carl)
  const room = await roomOf(bob, roomId)
  await bob.client.setAccountData('org.example.theme', { dark: true })
  await eventually(() => bob.client.getAccountData('org.example.theme')?.getContent().dark === true)
  await bob.client.setRoomAccountData(roomId, 'org.example.hue', { hue: 7 })
  await eventually(() => room.getAccountData('org.example.hue')?.getContent().hue === 7)
  await bob.client.setRoomTag(roomId, 'm.favourite', { order: 0.1 })
  await eventually(() => room.tags['m.favourite']?.order === 0.1)
  await bob.client.deleteRoomTag(roomId, 'm.favourite')
  await eventually(() => room.tags['m.favourite'] === undefined)
  await bob.client.setIgnoredUsers([carl.userId])
  await eventually(() => bob.client.isUserIgnored(carl.userId))
  await carl.client.sendTextMessage(roomId, 'anyone?')
  const { event_id: eventId } = await ann.client.sendTextMessage(roomId, 'quiet here')
  await eventOf(bob, roomId, eventId)
  assert.deepEqual(bodies(bob, roomId), ['quiet here'])
})

test('profile, aliases and public rooms', async () => {
  const word = uniqueName('plaza')
  const { room_id: roomId } = await ann.client.createRoom({ name: word, preset: 'public_chat', visibility: 'public' })
  const alias = `#${word}:${server.serverName}`
  await ann.client.createAlias(alias, roomId)
  assert.equal((await bob.client.getRoomIdForAlias(alias)).room_id, roomId)
  assert.equal((await bob.client.joinRoom(alias)).roomId, roomId)
  const { chunk } = await bob.client.publicRooms({ limit: 5, filter: { generic_search_term: word } })
  assert.deepEqual(
    chunk.map((room: { room_id: string }) => room.room_id),
    [roomId],
  )
  await roomOf(bob, roomId)
  await ann.client.setDisplayName('Ann of 2018')
  await ann.client.setAvatarUrl('mxc://interop.test/ann')
  await eventually(() => bob.client.getRoom(roomId)?.getMember(ann.userId)?.name === 'Ann of 2018')
  const profile = await bob.client.getProfileInfo(ann.userId)
  assert.deepEqual([profile.displayname, profile.avatar_url], ['Ann of 2018', 'mxc://interop.test/ann'])
  await ann.client.deleteAlias(alias)
  await refusedWith('M_NOT_FOUND', bob.client.getRoomIdForAlias(alias))
})

test('a room can be looked into without joining, and followed', async () => {
  const visible = { history_visibility: 'world_readable' }
  const { room_id: roomId } = await ann.client.createRoom({
    preset: 'public_chat',
    initial_state: [{ type: 'm.room.history_visibility', state_key: '', content: visible }],
  })
  await ann.client.sendTextMessage(roomId, 'look')
  const room = await bob.client.peekInRoom(roomId)
  assert.ok(room.timeline.some((event) => event.getContent().body === 'look'))
  await ann.client.sendTextMessage(roomId, 'live')
  await eventually(() => room.timeline.some((event) => event.getContent().body === 'live'))
  bob.client.stopPeeking()
  const snapshot = await ann.client.roomInitialSync(roomId, 3)
  assert.deepEqual([snapshot.room_id, snapshot.membership], [roomId, 'join'])
  assert.ok(snapshot.messages.chunk.length <= 3 && snapshot.state.length > 5)
})

test('lazy loading of members', async () => {
  const { room_id: roomId } = await ann.client.createRoom({ preset: 'public_chat', name: 'The crowd' })
  for (let n = 0; n < 8; n += 1) await (await silentClient(server, `crowd${n}`)).joinRoom(roomId)
  await bob.client.joinRoom(roomId)
  await roomOf(bob, roomId)
  // This SDK takes the usual ten events then, whatever limit it was given.
  for (let n = 0; n < 10; n += 1) await ann.client.sendTextMessage(roomId, `${n}`)
  const reader = await secondDevice(server, bob, { lazyLoadMembers: true })
  const room = await roomOf(reader, roomId)
  assert.ok(room.getJoinedMembers().length < 10)
  await room.loadMembersIfNeeded()
  assert.equal(room.getJoinedMembers().length, 10)
})

test('devices, a new password, logout, and the end of the account', async () => {
  const carl = await newPerson(server, 'carl')
  const phone = await secondDevice(server, carl)
  await carl.client.setDeviceDetails(phone.deviceId, { display_name: 'the phone' })
  const { devices } = await carl.client.getDevices()
  const named = devices.find(({ device_id: id }: { device_id: string }) => id === phone.deviceId)
  assert.equal(named.display_name, 'the phone')
  const auth = (session: string) => ({ type: 'm.login.password', user: carl.userId, password: carl.password, session })
  const challenge = await carl.client.deleteDevice(phone.deviceId).catch((error) => error)
  assert.equal(challenge.httpStatus, 401)
  await carl.client.deleteDevice(phone.deviceId, auth(challenge.data.session))
  assert.equal((await carl.client.getDevices()).devices.length, 1)

  const change = await carl.client.setPassword({ type: 'm.login.password' }, 'another one').catch((error) => error)
  await carl.client.setPassword(auth(change.data.session), 'another one')
  const tablet = await secondDevice(server, { ...carl, password: 'another one' })
  await tablet.client.logout()
  await refusedWith('M_UNKNOWN_TOKEN', tablet.client.getDevices())

  const farewell = await carl.client.deactivateAccount({}, true).catch((error) => error)
  assert.equal(farewell.httpStatus, 401)
  const { session } = farewell.data
  await carl.client.deactivateAccount({ ...auth(session), password: 'another one' }, true)
  await assert.rejects(nobody(server).login('m.login.password', { user: carl.name, password: 'another one' }))
})

test('a running client outlives a restart of the server', async () => {
  const roomId = await roomWith(ann, bob)
  const { event_id: first } = await ann.client.sendTextMessage(roomId, 'before')
  await eventOf(bob, roomId, first)
  await server.kill()
  await server.start()
  const send = () => ann.client.sendTextMessage(roomId, 'after').catch(() => undefined)
  const sent = await eventually(await untilSent(send))
  await eventOf(bob, roomId, sent)
  assert.deepEqual(bodies(bob, roomId), ['before', 'after'])
})

/** The client may still think the server away: a person presses "send" until it goes. */
async function untilSent(send: () => Promise<{ event_id: string } | undefined>): Promise<() => string | undefined> {
  for (let tries = 0; tries < 10; tries += 1) {
    const sent = await send()
    if (sent !== undefined) return () => sent.event_id
    await pause(300)
  }
  return () => undefined
}
