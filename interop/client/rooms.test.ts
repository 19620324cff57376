import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EventType, JoinRule, Preset, Visibility } from 'matrix-js-sdk'
import { uniqueName } from '../server/unique-name.ts'
import {
  eventOf,
  eventually,
  membershipOf,
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

test('presets set the rules that they stand for', async () => {
  const rules = async (preset: Preset): Promise<unknown[]> => {
    const { room_id: roomId } = await ann.client.createRoom({ preset })
    const room = await roomOf(ann, roomId)
    const content = (type: string): Record<string, unknown> =>
      room.currentState.getStateEvents(type, '')?.getContent() ?? {}
    return [
      room.getJoinRule(),
      content('m.room.history_visibility')['history_visibility'],
      content('m.room.guest_access')['guest_access'],
    ]
  }
  assert.deepEqual(await rules(Preset.PrivateChat), ['invite', 'shared', 'can_join'])
  assert.deepEqual(await rules(Preset.TrustedPrivateChat), ['invite', 'shared', 'can_join'])
  const [joinRule, visibility] = await rules(Preset.PublicChat)
  assert.deepEqual([joinRule, visibility], ['public', 'shared'])
})

test('a trusted private chat gives the invited the creator’s power', async () => {
  const { room_id: roomId } = await ann.client.createRoom({
    preset: Preset.TrustedPrivateChat,
    room_version: '11',
    invite: [bob.userId],
    is_direct: true,
  })
  const room = await roomOf(ann, roomId)
  await eventually(() => room.getMember(bob.userId)?.powerLevel === 100)
  const invited = await roomOf(bob, roomId, 'invite')
  assert.equal(invited.getDMInviter(), ann.userId)
})

test('everything that createRoom can be asked for', async () => {
  const word = uniqueName('hall')
  const { room_id: roomId } = await ann.client.createRoom({
    name: 'The hall',
    topic: 'All of it',
    room_alias_name: word,
    visibility: Visibility.Public,
    preset: Preset.PublicChat,
    creation_content: { 'm.federate': false, type: 'org.example.hall' },
    initial_state: [{ type: 'org.example.light', state_key: 'lamp', content: { on: true } }],
    power_level_content_override: { events: { 'm.room.name': 100 }, users_default: 7 },
  })
  const room = await roomOf(ann, roomId)
  assert.equal(room.name, 'The hall')
  assert.equal(room.getCanonicalAlias(), `#${word}:${server.serverName}`)
  assert.equal(room.currentState.getStateEvents('m.room.topic', '')?.getContent().topic, 'All of it')
  assert.equal(room.currentState.getStateEvents('org.example.light', 'lamp')?.getContent().on, true)
  assert.equal(room.currentState.getStateEvents('m.room.create', '')?.getContent().type, 'org.example.hall')
  const levels = room.currentState.getStateEvents('m.room.power_levels', '')?.getContent()
  assert.deepEqual([levels?.users_default, levels?.events['m.room.name']], [7, 100])
})

for (const version of ['1', '2', '3', '4', '5', '6', '7', '8', '9', '10', '11', '12']) {
  test(`a room of version ${version} is made, joined and written in`, async () => {
    const { room_id: roomId } = await ann.client.createRoom({ room_version: version, invite: [bob.userId] })
    await roomOf(bob, roomId, 'invite')
    await bob.client.joinRoom(roomId)
    const room = await roomOf(bob, roomId)
    assert.equal(room.getVersion(), version)
    const { event_id: eventId } = await bob.client.sendTextMessage(roomId, `hello ${version}`)
    assert.equal((await eventOf(ann, roomId, eventId)).getContent().body, `hello ${version}`)
    const isHash = /^\$[\w-]{43}$|^\$[A-Za-z0-9+/]{43}$/.test(eventId)
    assert.equal(isHash, Number(version) > 2, eventId)
    assert.equal(/^![\w-]{43}$/.test(roomId), version === '12', roomId)
  })
}

test('an unknown room version is refused', async () => {
  await refusedWith('M_UNSUPPORTED_ROOM_VERSION', ann.client.createRoom({ room_version: 'nine' }))
})

test('an invite shows the room before it is accepted, and can be turned down', async () => {
  const { room_id: roomId } = await ann.client.createRoom({ name: 'The garden', invite: [bob.userId] })
  const seen = await roomOf(bob, roomId, 'invite')
  assert.equal(seen.name, 'The garden')
  assert.equal(seen.getMember(bob.userId)?.events.member?.getSender(), ann.userId)
  await bob.client.leave(roomId)
  await roomOf(bob, roomId, 'leave')
  await eventually(() => membershipOf(ann, roomId, bob.userId) === 'leave')
  await refusedWith('M_FORBIDDEN', bob.client.joinRoom(roomId))
})

test('a reason given with an invite and with a kick arrives', async () => {
  const { room_id: roomId } = await ann.client.createRoom({})
  await ann.client.invite(roomId, bob.userId, 'come and see')
  const invited = await roomOf(bob, roomId, 'invite')
  assert.equal(invited.getMember(bob.userId)?.events.member?.getContent().reason, 'come and see')
  await bob.client.joinRoom(roomId)
  await roomOf(bob, roomId)
  await ann.client.kick(roomId, bob.userId, 'that is enough')
  const left = await roomOf(bob, roomId, 'leave')
  const own = left.getMember(bob.userId)?.events.member
  assert.deepEqual([own?.getSender(), own?.getContent().reason], [ann.userId, 'that is enough'])
  await refusedWith('M_FORBIDDEN', bob.client.sendTextMessage(roomId, 'still here?'))
})

test('banned people stay out until they are unbanned', async () => {
  const { room_id: roomId } = await ann.client.createRoom({ preset: Preset.PublicChat })
  await bob.client.joinRoom(roomId)
  await roomOf(bob, roomId)
  await ann.client.ban(roomId, bob.userId, 'noise')
  await roomOf(bob, roomId, 'ban')
  await refusedWith('M_FORBIDDEN', bob.client.joinRoom(roomId))
  await refusedWith('M_FORBIDDEN', ann.client.invite(roomId, bob.userId))
  await ann.client.unban(roomId, bob.userId)
  await eventually(() => membershipOf(ann, roomId, bob.userId) === 'leave')
  await bob.client.joinRoom(roomId)
  await roomOf(bob, roomId)
})

test('people without the power cannot kick, ban, invite or rename', async () => {
  const { room_id: roomId } = await ann.client.createRoom({
    preset: Preset.PrivateChat,
    invite: [bob.userId],
    power_level_content_override: { invite: 50 },
  })
  await roomOf(bob, roomId, 'invite')
  await bob.client.joinRoom(roomId)
  const other = await newUser(server, 'other', { start: false })
  await refusedWith('M_FORBIDDEN', bob.client.kick(roomId, ann.userId))
  await refusedWith('M_FORBIDDEN', bob.client.ban(roomId, ann.userId))
  await refusedWith('M_FORBIDDEN', bob.client.invite(roomId, other.userId))
  await refusedWith('M_FORBIDDEN', bob.client.setRoomName(roomId, 'mine'))
  await ann.client.setPowerLevel(roomId, bob.userId, 50)
  await bob.client.setRoomName(roomId, 'ours')
  await eventually(() => ann.client.getRoom(roomId)?.name === 'ours')
})

test('a knock is seen, answered with an invite, and becomes a join', async () => {
  const { room_id: roomId } = await ann.client.createRoom({
    name: 'The door',
    initial_state: [{ type: 'm.room.join_rules', state_key: '', content: { join_rule: JoinRule.Knock } }],
  })
  await roomOf(ann, roomId)
  await bob.client.knockRoom(roomId, { reason: 'it rains' })
  const knocked = await roomOf(bob, roomId, 'knock')
  assert.equal(knocked.name, 'The door')
  await eventually(() => membershipOf(ann, roomId, bob.userId) === 'knock')
  await ann.client.invite(roomId, bob.userId)
  await roomOf(bob, roomId, 'invite')
  await bob.client.joinRoom(roomId)
  await roomOf(bob, roomId)
})

test('a knock is refused by the one who answers, or taken back by the one who knocks', async () => {
  const { room_id: roomId } = await ann.client.createRoom({
    initial_state: [{ type: 'm.room.join_rules', state_key: '', content: { join_rule: JoinRule.Knock } }],
  })
  await roomOf(ann, roomId)
  for (const refuse of [() => ann.client.kick(roomId, bob.userId), () => bob.client.leave(roomId)]) {
    await bob.client.knockRoom(roomId)
    await roomOf(bob, roomId, 'knock')
    await refuse()
    await roomOf(bob, roomId, 'leave')
  }
  await refusedWith('M_FORBIDDEN', bob.client.joinRoom(roomId))
})

test('a restricted room lets in who is in the other room, and nobody else', async () => {
  const clubId = await roomWith(ann, bob)
  const allow = [{ type: 'm.room_membership', room_id: clubId }]
  const { room_id: roomId } = await ann.client.createRoom({
    initial_state: [{ type: 'm.room.join_rules', state_key: '', content: { join_rule: JoinRule.Restricted, allow } }],
  })
  const other = await newUser(server, 'stranger')
  await refusedWith('M_FORBIDDEN', other.client.joinRoom(roomId))
  await bob.client.joinRoom(roomId)
  const room = await roomOf(bob, roomId)
  const { join_authorised_via_users_server: via } = room.getMember(bob.userId)?.events.member?.getContent() ?? {}
  assert.equal(via, ann.userId)
  await bob.client.leave(clubId)
  await bob.client.leave(roomId)
  await roomOf(bob, roomId, 'leave')
  await refusedWith('M_FORBIDDEN', bob.client.joinRoom(roomId))
})

test('leaving ends what one hears, forgetting ends what one can read', async () => {
  const roomId = await roomWith(ann, bob)
  const { event_id: before } = await ann.client.sendTextMessage(roomId, 'before')
  await eventOf(bob, roomId, before)
  await bob.client.leave(roomId)
  await roomOf(bob, roomId, 'leave')
  const { event_id: after } = await ann.client.sendTextMessage(roomId, 'after')
  await pause(QUIET_MS)
  assert.equal(bob.client.getRoom(roomId)?.findEventById(after), undefined)
  assert.equal((await bob.client.fetchRoomEvent(roomId, before)).event_id, before)
  await assert.rejects(bob.client.fetchRoomEvent(roomId, after), { httpStatus: 404 })
  await bob.client.forget(roomId)
  await assert.rejects(bob.client.fetchRoomEvent(roomId, before))
  await assert.rejects(bob.client.createMessagesRequest(roomId, null, 10, 'b' as never))
  const left = await bob.client.syncLeftRooms()
  assert.ok(left.every((room) => room.roomId !== roomId))
})

test('one can forget only what one has left', async () => {
  const roomId = await roomWith(ann)
  await assert.rejects(ann.client.forget(roomId), { httpStatus: 400 })
})

test('joined rooms and their members', async () => {
  const roomId = await roomWith(ann, bob)
  const { joined_rooms: rooms } = await bob.client.getJoinedRooms()
  assert.ok(rooms.includes(roomId))
  const { joined } = await ann.client.getJoinedRoomMembers(roomId)
  assert.deepEqual(Object.keys(joined).toSorted(), [ann.userId, bob.userId].toSorted())
})

test('state is set, read, changed and seen by others', async () => {
  const roomId = await roomWith(ann, bob)
  await ann.client.sendStateEvent(roomId, 'org.example.score' as never, { points: 1 } as never, 'team')
  await ann.client.sendStateEvent(roomId, 'org.example.score' as never, { points: 2 } as never, 'team')
  assert.deepEqual(await bob.client.getStateEvent(roomId, 'org.example.score', 'team'), { points: 2 })
  await eventually(
    () =>
      bob.client.getRoom(roomId)?.currentState.getStateEvents('org.example.score', 'team')?.getContent().points === 2,
  )
  const event = bob.client.getRoom(roomId)?.currentState.getStateEvents('org.example.score', 'team')
  assert.deepEqual(event?.getPrevContent(), { points: 1 })
  const all = await bob.client.roomState(roomId)
  assert.ok(all.some((one) => one.type === 'org.example.score' && one.state_key === 'team'))
  await refusedWith('M_NOT_FOUND', bob.client.getStateEvent(roomId, 'org.example.score', 'nobody'))
})

test('setting the same state again makes no new event', async () => {
  const roomId = await roomWith(ann)
  const topic = () => ann.client.sendStateEvent(roomId, EventType.RoomTopic, { topic: 'still' })
  assert.equal((await topic()).event_id, (await topic()).event_id)
})

test('name, topic and avatar of a room reach the others', async () => {
  const roomId = await roomWith(ann, bob)
  await ann.client.setRoomName(roomId, 'A name')
  await ann.client.setRoomTopic(roomId, 'A topic')
  await ann.client.sendStateEvent(roomId, EventType.RoomAvatar, { url: 'mxc://interop.test/face' })
  await eventually(() => bob.client.getRoom(roomId)?.name === 'A name')
  await eventually(() => bob.client.getRoom(roomId)?.getMxcAvatarUrl() === 'mxc://interop.test/face')
})

test('aliases: made, found, joined by, listed, removed', async () => {
  const { room_id: roomId } = await ann.client.createRoom({ preset: Preset.PublicChat })
  const alias = `#${uniqueName('alias')}:${server.serverName}`
  await refusedWith('M_NOT_FOUND', bob.client.getRoomIdForAlias(alias))
  await ann.client.createAlias(alias, roomId)
  await assert.rejects(ann.client.createAlias(alias, roomId), { httpStatus: 409 })
  const found = await bob.client.getRoomIdForAlias(alias)
  assert.deepEqual([found.room_id, found.servers], [roomId, [server.serverName]])
  const joined = await bob.client.joinRoom(alias)
  assert.equal(joined.roomId, roomId)
  assert.deepEqual((await ann.client.getLocalAliases(roomId)).aliases, [alias])
  await ann.client.sendStateEvent(roomId, EventType.RoomCanonicalAlias, { alias })
  await eventually(() => bob.client.getRoom(roomId)?.getCanonicalAlias() === alias)
  await refusedWith('M_FORBIDDEN', bob.client.deleteAlias(alias))
  await ann.client.deleteAlias(alias)
  await refusedWith('M_NOT_FOUND', bob.client.getRoomIdForAlias(alias))
})

test('a canonical alias must lead to its room', async () => {
  const roomId = await roomWith(ann)
  const nowhere = `#${uniqueName('nowhere')}:${server.serverName}`
  await refusedWith('M_BAD_ALIAS', ann.client.sendStateEvent(roomId, EventType.RoomCanonicalAlias, { alias: nowhere }))
})

test('public rooms: published, searched, paged, withdrawn', async () => {
  const word = uniqueName('market')
  const publish = (name: string) =>
    ann.client.createRoom({ name, topic: `${word} topic`, preset: Preset.PublicChat, visibility: Visibility.Public })
  const made: string[] = []
  for (const name of ['one', 'two', 'three']) made.push((await publish(`${word} ${name}`)).room_id)
  const [first = ''] = made
  assert.equal((await bob.client.getRoomDirectoryVisibility(first)).visibility, 'public')

  const search = async (limit: number, since?: string) =>
    bob.client.publicRooms({ limit, filter: { generic_search_term: word }, ...(since === undefined ? {} : { since }) })
  const found: string[] = []
  let page = await search(2)
  found.push(...page.chunk.map((room) => room.room_id))
  assert.equal(found.length, 2)
  assert.ok(page.next_batch !== undefined)
  page = await search(2, page.next_batch)
  found.push(...page.chunk.map((room) => room.room_id))
  assert.deepEqual(found.toSorted(), made.toSorted())
  assert.equal(page.next_batch, undefined)
  const entry = page.chunk[0]
  assert.deepEqual([entry?.topic, entry?.num_joined_members, entry?.join_rule], [`${word} topic`, 1, 'public'])

  await refusedWith('M_FORBIDDEN', bob.client.setRoomDirectoryVisibility(first, Visibility.Private))
  await ann.client.setRoomDirectoryVisibility(first, Visibility.Private)
  const later = await search(10)
  assert.deepEqual(later.chunk.map((room) => room.room_id).toSorted(), made.slice(1).toSorted())
  const everything = await bob.client.publicRooms({})
  assert.ok(everything.chunk.some((room) => room.room_id === made[1]))
})
