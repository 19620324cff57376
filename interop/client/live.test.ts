import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ClientEvent, Direction, EventType, Filter, Preset, ReceiptType, RoomEvent, SetPresence } from 'matrix-js-sdk'
import {
  bodiesOf,
  eventOf,
  eventually,
  newDevice,
  newUser,
  pause,
  QUIET_MS,
  refusedWith,
  roomOf,
  roomWith,
  type Session,
} from './session.ts'
import { serverForTests } from './suite.ts'

const server = await serverForTests()
let ann: Session
let bob: Session

test('two people sign up and sync', async () => {
  ann = await newUser(server, 'ann')
  bob = await newUser(server, 'bob')
})

test('typing is seen, ends when the typist says so, and ends by itself', async () => {
  const roomId = await roomWith(ann, bob)
  const isTyping = () => bob.client.getRoom(roomId)?.getMember(ann.userId)?.typing === true
  await ann.client.sendTyping(roomId, true, 20_000)
  await eventually(isTyping)
  await ann.client.sendTyping(roomId, false, 0)
  await eventually(() => !isTyping())
  await ann.client.sendTyping(roomId, true, 1000)
  await eventually(isTyping)
  await eventually(() => !isTyping(), 'typing did not end by itself')
})

test('a read receipt is seen by the other, and moves on', async () => {
  const roomId = await roomWith(ann, bob)
  const ids: string[] = []
  for (const body of ['one', 'two']) ids.push((await ann.client.sendTextMessage(roomId, body)).event_id)
  for (const id of ids) {
    await bob.client.sendReadReceipt(await eventOf(bob, roomId, id))
    await eventually(() => ann.client.getRoom(roomId)?.getEventReadUpTo(bob.userId, true) === id)
  }
})

test('a private receipt is for one’s own devices only', async () => {
  const roomId = await roomWith(ann, bob)
  const bobsPhone = await newDevice(server, bob)
  const { event_id: eventId } = await ann.client.sendTextMessage(roomId, 'read me in private')
  const event = await eventOf(bob, roomId, eventId)
  const received: string[] = []
  ann.client.getRoom(roomId)?.on(RoomEvent.Receipt, (receipts) => received.push(JSON.stringify(receipts.getContent())))
  await bob.client.sendReadReceipt(event, ReceiptType.ReadPrivate)
  await eventually(() => bobsPhone.client.getRoom(roomId)?.getEventReadUpTo(bob.userId, true) === eventId)
  await pause(QUIET_MS)
  assert.ok(!received.some((content) => content.includes(bob.userId)), received.join())
})

test('receipts of a thread and of the room stand side by side', async () => {
  const roomId = await roomWith(ann, bob)
  const { event_id: rootId } = await ann.client.sendTextMessage(roomId, 'the root')
  const { event_id: replyId } = await ann.client.sendMessage(roomId, {
    msgtype: 'm.text' as never,
    body: 'in the thread',
    'm.relates_to': { rel_type: 'm.thread', event_id: rootId },
  } as never)
  await eventOf(bob, roomId, replyId)
  const seen: Record<string, unknown>[] = []
  ann.client.getRoom(roomId)?.on(RoomEvent.Receipt, (event) => seen.push(event.getContent()))
  const post = (eventId: string, threadId: string) => {
    const path = `/rooms/${encodeURIComponent(roomId)}/receipt/m.read/${encodeURIComponent(eventId)}`
    return bob.client.http.authedRequest('POST' as never, path, undefined, { thread_id: threadId })
  }
  await post(rootId, 'main')
  await post(replyId, rootId)
  const threadOf = (eventId: string): unknown => {
    const contents = seen.map((content) => (content[eventId] as Receipts | undefined)?.['m.read']?.[bob.userId])
    return contents.find((receipt) => receipt !== undefined)?.thread_id
  }
  await eventually(() => threadOf(rootId) === 'main' && threadOf(replyId) === rootId)
  // Both are still there for a client that begins now.
  const annsPhone = await newDevice(server, ann, { create: {} })
  const room = await roomOf(annsPhone, roomId)
  await eventually(() =>
    room.getReceiptsForEvent(room.findEventById(rootId)!).some(({ userId }) => userId === bob.userId),
  )
  await refusedWith('M_INVALID_PARAM', post(rootId, ''))
  await refusedWith('M_INVALID_PARAM', post(rootId, replyId))
})

type Receipts = { readonly 'm.read'?: Record<string, { readonly thread_id?: string }> }

test('read markers: the fully-read position, with receipts in the same request', async () => {
  const roomId = await roomWith(ann, bob)
  const phone = await newDevice(server, bob)
  const { event_id: first } = await ann.client.sendTextMessage(roomId, 'first')
  const { event_id: second } = await ann.client.sendTextMessage(roomId, 'second')
  const last = await eventOf(bob, roomId, second)
  await bob.client.setRoomReadMarkers(roomId, first, last)
  const fullyRead = () => phone.client.getRoom(roomId)?.getAccountData('m.fully_read')?.getContent().event_id
  await eventually(() => fullyRead() === first)
  await eventually(() => ann.client.getRoom(roomId)?.getEventReadUpTo(bob.userId, true) === second)
})

test('presence: set by one, seen by the other who shares a room', async () => {
  // Someone with one device: with more, the most present one counts.
  const dora = await newUser(server, 'dora')
  await roomWith(dora, bob)
  const seen = () => bob.client.getUser(dora.userId)
  await eventually(() => seen()?.presence === 'online')
  await dora.client.setPresence({ presence: 'unavailable', status_msg: 'at lunch' })
  await eventually(() => seen()?.presence === 'unavailable' && seen()?.presenceStatusMsg === 'at lunch')
  const asked = await bob.client.getPresence(dora.userId)
  assert.deepEqual([asked.presence, asked.status_msg], ['unavailable', 'at lunch'])
  await dora.client.setPresence({ presence: 'online' })
  await eventually(() => seen()?.presence === 'online')
})

test('a client that syncs as offline does not look online', async () => {
  const carl = await newUser(server, 'carl', { start: { disablePresence: true } })
  await carl.client.setSyncPresence(SetPresence.Offline)
  await roomWith(ann, carl)
  await pause(QUIET_MS)
  assert.notEqual(ann.client.getUser(carl.userId)?.presence, 'online')
})

test('to-device messages reach the one device, or all, once and in order', async () => {
  const phone = await newDevice(server, bob)
  const received = (session: Session): string[] => {
    const texts: string[] = []
    session.client.on(ClientEvent.ToDeviceEvent, (event) => {
      assert.equal(event.getSender(), ann.userId)
      texts.push(event.getContent().text)
    })
    return texts
  }
  const onLaptop = received(bob)
  const onPhone = received(phone)
  const send = (device: string, text: string) =>
    ann.client.sendToDevice('org.example.note', new Map([[bob.userId, new Map([[device, { text }]])]]))
  for (const text of ['1', '2', '3']) await send(phone.deviceId, text)
  await send('*', 'all')
  await eventually(() => onLaptop.includes('all') && onPhone.includes('all'))
  assert.deepEqual([onLaptop, onPhone], [['all'], ['1', '2', '3', 'all']])
})

test('to-device messages wait for a device that is away, even if the same transaction comes twice', async () => {
  const phone = await newDevice(server, bob, { start: false })
  const note = new Map([[bob.userId, new Map([[phone.deviceId, { text: 'while you were out' }]])]])
  await ann.client.sendToDevice('org.example.note', note, 'note-1')
  await ann.client.sendToDevice('org.example.note', note, 'note-1')
  const texts: string[] = []
  phone.client.on(ClientEvent.ToDeviceEvent, (event) => texts.push(event.getContent().text))
  await phone.client.startClient({ initialSyncLimit: 1 })
  await eventually(() => texts.length > 0)
  await pause(QUIET_MS)
  assert.deepEqual(texts, ['while you were out'])
})

test('account data: global and of a room, on all devices', async () => {
  const roomId = await roomWith(ann)
  const phone = await newDevice(server, ann)
  await ann.client.setAccountData('org.example.theme' as never, { dark: true } as never)
  await ann.client.setRoomAccountData(roomId, 'org.example.colour' as never, { hue: 120 } as never)
  await eventually(() => phone.client.getAccountData('org.example.theme' as never)?.getContent()['dark'] === true)
  const room = await roomOf(phone, roomId)
  await eventually(() => room.getAccountData('org.example.colour')?.getContent().hue === 120)
  assert.deepEqual(await phone.client.getAccountDataFromServer('org.example.theme' as never), { dark: true })
  const later = await newDevice(server, ann)
  assert.equal(later.client.getAccountData('org.example.theme' as never)?.getContent()['dark'], true)
  const others = bob.client.http.authedRequest(
    'GET' as never,
    `/user/${encodeURIComponent(ann.userId)}/account_data/org.example.theme`,
  )
  await refusedWith('M_FORBIDDEN', others)
})

test('tags are set, ordered, seen on the other device, and removed', async () => {
  const roomId = await roomWith(ann)
  const phone = await newDevice(server, ann)
  const room = await roomOf(phone, roomId)
  await ann.client.setRoomTag(roomId, 'm.favourite', { order: 0.25 })
  await ann.client.setRoomTag(roomId, 'u.work', {})
  await eventually(() => room.tags['m.favourite']?.order === 0.25 && room.tags['u.work'] !== undefined)
  assert.deepEqual((await phone.client.getRoomTags(roomId)).tags, { 'm.favourite': { order: 0.25 }, 'u.work': {} })
  await ann.client.deleteRoomTag(roomId, 'u.work')
  await eventually(() => room.tags['u.work'] === undefined)
  assert.equal(room.tags['m.favourite']?.order, 0.25)
})

test('messages and invites of ignored people do not arrive, until they are forgiven', async () => {
  const carl = await newUser(server, 'carl')
  const roomId = await roomWith(ann, bob, carl)
  await bob.client.setIgnoredUsers([carl.userId])
  await eventually(() => bob.client.isUserIgnored(carl.userId))
  await carl.client.sendTextMessage(roomId, 'can you hear me?')
  const { room_id: lure } = await carl.client.createRoom({ invite: [bob.userId] })
  const { event_id: eventId } = await ann.client.sendTextMessage(roomId, 'how quiet')
  await eventOf(bob, roomId, eventId)
  assert.deepEqual(bodiesOf(bob, roomId), ['how quiet'])
  assert.equal(bob.client.getRoom(lure), null)
  assert.ok(bodiesOf(ann, roomId).includes('can you hear me?'))
  await bob.client.setIgnoredUsers([])
  await eventually(() => !bob.client.isUserIgnored(carl.userId))
  const { event_id: later } = await carl.client.sendTextMessage(roomId, 'and now?')
  await eventOf(bob, roomId, later)
})

test('profile: name and picture reach the rooms, the others, and the profile API', async () => {
  const roomId = await roomWith(ann, bob)
  await ann.client.setDisplayName('Ann of the hills')
  await ann.client.setAvatarUrl('mxc://interop.test/ann')
  await eventually(() => {
    const member = bob.client.getRoom(roomId)?.getMember(ann.userId)
    return member?.rawDisplayName === 'Ann of the hills' && member.getMxcAvatarUrl() === 'mxc://interop.test/ann'
  })
  const profile = await bob.client.getProfileInfo(ann.userId)
  assert.deepEqual([profile.displayname, profile.avatar_url], ['Ann of the hills', 'mxc://interop.test/ann'])
  const carl = await newUser(server, 'carl', { start: false })
  await carl.client.setDisplayName('Carl')
  const { room_id: later } = await carl.client.createRoom({ preset: Preset.PublicChat })
  await bob.client.joinRoom(later)
  const room = await roomOf(bob, later)
  await eventually(() => room.getMember(carl.userId)?.rawDisplayName === 'Carl')
  await refusedWith('M_NOT_FOUND', bob.client.getProfileInfo(`@nobody:${server.serverName}`))
})

test('extended profile fields', async () => {
  assert.equal(await ann.client.doesServerSupportExtendedProfiles(), true)
  await ann.client.setExtendedProfileProperty('m.tz', 'Europe/Lisbon')
  assert.equal(await bob.client.getExtendedProfileProperty(ann.userId, 'm.tz'), 'Europe/Lisbon')
  assert.equal((await bob.client.getExtendedProfile(ann.userId))['m.tz'], 'Europe/Lisbon')
  await ann.client.deleteExtendedProfileProperty('m.tz')
  // The SDK keeps what it has read; a client that has not read it asks the server.
  const phone = await newDevice(server, bob, { start: false })
  assert.equal(await phone.client.getExtendedProfileProperty(ann.userId, 'm.tz'), undefined)
})

test('a stored filter is the user’s own', async () => {
  const filterId = await ann.client.getOrCreateFilter('MINE', Filter.fromJson(ann.userId, '', { room: { rooms: [] } }))
  const path = `/user/${encodeURIComponent(ann.userId)}/filter/${filterId}`
  await refusedWith('M_FORBIDDEN', bob.client.http.authedRequest('GET' as never, path))
})

test('what the client of 2018 used is still there: room initialSync, members at a point', async () => {
  const roomId = await roomWith(ann, bob)
  const snapshot = await ann.client.roomInitialSync(roomId, 5)
  assert.equal(snapshot.room_id, roomId)
  assert.ok((snapshot.messages?.chunk.length ?? 0) > 0)
  const { start } = await ann.client.createMessagesRequest(roomId, null, 1, Direction.Backward)
  await bob.client.leave(roomId)
  const now = (await ann.client.members(roomId, 'join')).chunk ?? []
  const then = (await ann.client.members(roomId, 'join', undefined, start)).chunk ?? []
  assert.deepEqual([now.length, then.length], [1, 2])
  assert.equal(now[0]?.type, EventType.RoomMember)
})
