/** Who may do what, decided by two servers on their own: they must come to the same. */
import assert from 'node:assert/strict'
import { type Versioned, refused } from './membership.ts'
import * as rooms from './rooms.ts'

/** The first version whose creators are above all levels. */
const CREATORS_SINCE = 12

export function testPower(at: Versioned): void {
  testGuestOfPower(at)
  testServerAcl(at)
  testUpgrade(at)
  if (Number(at.version) >= CREATORS_SINCE) testCreators(at)
}

function testGuestOfPower({ world, version, direction: { host, otherHost, guest, otherGuest } }: Versioned): void {
  world.rule('a guest of power kicks, invites and bans, and one without does not', async () => {
    const roomId = await rooms.createRoom(host, { version })
    await rooms.joinVia(guest, roomId, host.peer.serverName)
    await rooms.join(otherHost, roomId)
    await rooms.untilMembership(guest, roomId, otherHost, 'join')
    await refused(rooms.does('kick', guest, otherHost, roomId), 403, 'M_FORBIDDEN')

    await rooms.givePower(host, roomId, guest, 50)
    await rooms.untilState(guest, roomId, {
      type: 'm.room.power_levels',
      is: (content) => content.users?.[guest.userId] === 50,
    })
    await rooms.does('kick', guest, otherHost, roomId)
    await rooms.hearsOf(otherHost, roomId, 'leave')
    await rooms.does('invite', guest, otherHost, roomId)
    // Between the invite itself and its place in the room, Synapse lets nobody join.
    await rooms.untilMembership(host, roomId, otherHost, 'invite')
    await rooms.join(otherHost, roomId)
    await rooms.untilMembership(guest, roomId, otherHost, 'join')
    await rooms.does('ban', guest, otherHost, roomId)
    await rooms.untilMembership(host, roomId, otherHost, 'ban')
    // The code is M_FORBIDDEN by the specification; Synapse calls it M_BAD_STATE on joins of its own.
    await assert.rejects(rooms.join(otherHost, roomId), { status: 403 })
    await refused(rooms.does('ban', guest, host, roomId), 403, 'M_FORBIDDEN')
    await rooms.joinVia(otherGuest, roomId, host.peer.serverName)
    world.shared.push({ roomId, host, guest })
  })
}

function testServerAcl({ world, version, direction: { host, guest } }: Versioned): void {
  world.rule('a server that the room keeps out cannot come, and can when it is let in', async () => {
    const roomId = await rooms.createRoom(host, { version })
    const [address = ''] = guest.peer.serverName.split(':')
    await rooms.setState(host, roomId, { type: 'm.room.server_acl' }, { allow: ['*'], deny: [address] })
    await refused(rooms.joinVia(guest, roomId, host.peer.serverName), 403, 'M_FORBIDDEN')
    await rooms.setState(host, roomId, { type: 'm.room.server_acl' }, { allow: ['*'], deny: ['*.example.org'] })
    await rooms.joinVia(guest, roomId, host.peer.serverName)
    await rooms.untilMembership(host, roomId, guest, 'join')
    world.shared.push({ roomId, host, guest })
  })
}

function testUpgrade({ world, version, direction: { host, guest } }: Versioned): void {
  world.rule('a guest follows the room into its next version', async () => {
    const roomId = await rooms.createRoom(host, { version })
    await rooms.joinVia(guest, roomId, host.peer.serverName)
    const newVersion = version === '11' ? '12' : '11'
    const upgraded = await host.post(`/rooms/${encodeURIComponent(roomId)}/upgrade`, { new_version: newVersion })
    const replacement: string = upgraded.replacement_room
    await rooms.untilState(guest, roomId, {
      type: 'm.room.tombstone',
      is: (content) => content.replacement_room === replacement,
    })
    await rooms.joinVia(guest, replacement, host.peer.serverName)
    const created = await rooms.getState(guest, replacement, { type: 'm.room.create' })
    assert.deepEqual([created.room_version, created.predecessor?.room_id], [newVersion, roomId])
    world.shared.push({ roomId, host, guest }, { roomId: replacement, host, guest })
  })
}

function testCreators({ world, version, direction: { host, guest, otherGuest } }: Versioned): void {
  world.rule('another creator, of another server, is above all levels too', async () => {
    const creationContent = { additional_creators: [guest.userId] }
    const roomId = await rooms.createRoom(host, { version, creationContent })
    for (const who of [guest, otherGuest]) await rooms.joinVia(who, roomId, host.peer.serverName)
    const levels = await rooms.getState(guest, roomId, { type: 'm.room.power_levels' })
    await rooms.setState(guest, roomId, { type: 'm.room.power_levels' }, { ...levels, events_default: 1000 })
    await rooms.untilState(host, roomId, {
      type: 'm.room.power_levels',
      is: (content) => content.events_default === 1000,
    })
    const eventId = await rooms.say(guest, roomId, 'above them')
    await rooms.hearsEvent(host, roomId, eventId)
    await refused(rooms.say(otherGuest, roomId, 'below them'), 403, 'M_FORBIDDEN')
    await rooms.untilSameState(host, guest, roomId)
    world.shared.push({ roomId, host, guest })
  })
}
