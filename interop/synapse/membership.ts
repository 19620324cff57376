/** Users of one server in a room of another: how they get in, and how they get out. */
import assert from 'node:assert/strict'
import { uniqueName } from '../server/unique-name.ts'
import { Refused } from './http.ts'
import type { Person } from './person.ts'
import * as rooms from './rooms.ts'
import type { Direction, World } from './world.ts'

export type Versioned = { readonly world: World; readonly version: string; readonly direction: Direction }

/** Of `room_version.md`: the rules of the room that these tests must know about. */
const KNOCKING_SINCE = 7
const RESTRICTED_SINCE = 8

export function testMembership(at: Versioned): void {
  testWaysIn(at)
  if (Number(at.version) >= KNOCKING_SINCE) testKnocking(at)
  if (Number(at.version) >= RESTRICTED_SINCE) testRestricted(at)
  testWaysOut(at)
}

async function bothSee(people: readonly [Person, Person], roomId: string, of: Person, what: rooms.Membership) {
  for (const who of people) await rooms.untilMembership(who, roomId, of, what)
}

export async function refused(promise: Promise<unknown>, status: number, errcode: string): Promise<void> {
  await assert.rejects(promise, (error) => {
    assert.ok(error instanceof Refused, String(error))
    assert.deepEqual([error.status, error.body.errcode], [status, errcode], error.message)
    return true
  })
}

function testWaysIn({ world, version, direction: { host, guest } }: Versioned): void {
  const { rule } = world

  rule('a public room is joined by its ID, through a server that is in it', async () => {
    const roomId = await rooms.createRoom(host, { version })
    await rooms.joinVia(guest, roomId, host.peer.serverName)
    await bothSee([host, guest], roomId, guest, 'join')
    await rooms.untilSameState(host, guest, roomId)
    world.shared.push({ roomId, host, guest })
  })

  rule('a public room is joined by its alias alone', async () => {
    const alias = uniqueName('alias')
    const roomId = await rooms.createRoom(host, { version, alias })
    const joined = await guest.post(`/join/${encodeURIComponent(`#${alias}:${host.peer.serverName}`)}`)
    assert.equal(joined.room_id, roomId)
    await bothSee([host, guest], roomId, guest, 'join')
    world.shared.push({ roomId, host, guest })
  })

  rule('an invite comes with what the room is called, and is accepted', async () => {
    const roomId = await rooms.createRoom(host, { version, preset: 'private_chat', name: 'The invited' })
    await rooms.does('invite', host, guest, roomId)
    const { invite_state: seen } = await rooms.hearsOf(guest, roomId, 'invite')
    const names = seen.events.filter((event: { type: string }) => event.type === 'm.room.name')
    assert.deepEqual(names[0]?.content, { name: 'The invited' })
    await rooms.join(guest, roomId)
    await bothSee([host, guest], roomId, guest, 'join')
    world.shared.push({ roomId, host, guest })
  })

  rule('an invite is rejected, and after another one accepted', async () => {
    const roomId = await rooms.createRoom(host, { version, preset: 'private_chat' })
    await rooms.does('invite', host, guest, roomId)
    await rooms.hearsOf(guest, roomId, 'invite')
    await rooms.leave(guest, roomId)
    await rooms.untilMembership(host, roomId, guest, 'leave')
    await rooms.hearsOf(guest, roomId, 'leave')
    const mark = guest.heardSoFar()
    await rooms.does('invite', host, guest, roomId)
    await guest.hears('the second invite', (sync) => sync.rooms?.invite?.[roomId], mark)
    await rooms.join(guest, roomId)
    await bothSee([host, guest], roomId, guest, 'join')
    world.shared.push({ roomId, host, guest })
  })

  rule('an invite is taken back, and gone for who was invited', async () => {
    const roomId = await rooms.createRoom(host, { version, preset: 'private_chat' })
    await rooms.does('invite', host, guest, roomId)
    await rooms.hearsOf(guest, roomId, 'invite')
    await rooms.does('kick', host, guest, roomId)
    await rooms.hearsOf(guest, roomId, 'leave')
  })

  rule('nobody joins a private room of another server without an invite', async () => {
    const roomId = await rooms.createRoom(host, { version, preset: 'private_chat' })
    await refused(rooms.joinVia(guest, roomId, host.peer.serverName), 403, 'M_FORBIDDEN')
  })
}

function testKnocking({ world, version, direction: { host, guest } }: Versioned): void {
  const aRoomToKnockAt = (): Promise<string> => {
    const state = [{ type: 'm.room.join_rules', content: { join_rule: 'knock' } }]
    return rooms.createRoom(host, { version, preset: 'private_chat', state })
  }

  world.rule('a knock is heard, and let in', async () => {
    const roomId = await aRoomToKnockAt()
    await rooms.knockVia(guest, roomId, host.peer.serverName)
    const content = await rooms.untilMembership(host, roomId, guest, 'knock')
    assert.equal(content.reason, 'let me in')
    await rooms.hearsOf(guest, roomId, 'knock')
    await rooms.does('invite', host, guest, roomId)
    await rooms.hearsOf(guest, roomId, 'invite')
    await rooms.join(guest, roomId)
    await bothSee([host, guest], roomId, guest, 'join')
    world.shared.push({ roomId, host, guest })
  })

  // Synapse forgets through whom it knocked, and tells nobody when its user thinks better of it.
  if (guest.peer.software === 'synapse') return
  world.rule('a knock is taken back', async () => {
    const roomId = await aRoomToKnockAt()
    await rooms.knockVia(guest, roomId, host.peer.serverName)
    await rooms.untilMembership(host, roomId, guest, 'knock')
    await rooms.leave(guest, roomId)
    await rooms.untilMembership(host, roomId, guest, 'leave')
  })
}

function testRestricted({ world, version, direction: { host, guest, otherGuest } }: Versioned): void {
  world.rule('a restricted room lets in who is in the room that it names, and nobody else', async () => {
    const named = await rooms.createRoom(host, { version, creationContent: { type: 'm.space' } })
    const allow = [{ type: 'm.room_membership', room_id: named }]
    const state = [{ type: 'm.room.join_rules', content: { join_rule: 'restricted', allow } }]
    const roomId = await rooms.createRoom(host, { version, preset: 'private_chat', state })
    const via = host.peer.serverName

    await rooms.joinVia(guest, named, via)
    await rooms.joinVia(guest, roomId, via)
    await bothSee([host, guest], roomId, guest, 'join')
    const { join_authorised_via_users_server: by } = await rooms.untilMembership(host, roomId, guest, 'join')
    assert.equal(by, host.userId)

    await refused(rooms.joinVia(otherGuest, roomId, via), 403, 'M_FORBIDDEN')
    // Now a server that is in the room itself answers for it.
    await rooms.joinVia(otherGuest, named, via)
    await rooms.joinVia(otherGuest, roomId, via)
    await bothSee([host, guest], roomId, otherGuest, 'join')
    world.shared.push({ roomId, host, guest })
  })
}

function testWaysOut({ world, version, direction: { host, guest } }: Versioned): void {
  const withGuest = async (): Promise<string> => {
    const roomId = await rooms.createRoom(host, { version })
    await rooms.joinVia(guest, roomId, host.peer.serverName)
    await rooms.untilMembership(host, roomId, guest, 'join')
    return roomId
  }

  world.rule('a guest leaves', async () => {
    const roomId = await withGuest()
    await rooms.leave(guest, roomId)
    await rooms.untilMembership(host, roomId, guest, 'leave')
    await rooms.hearsOf(guest, roomId, 'leave')
  })

  world.rule('a guest is kicked, and comes again', async () => {
    const roomId = await withGuest()
    await rooms.does('kick', host, guest, roomId)
    await rooms.hearsOf(guest, roomId, 'leave')
    await rooms.joinVia(guest, roomId, host.peer.serverName)
    await bothSee([host, guest], roomId, guest, 'join')
    world.shared.push({ roomId, host, guest })
  })

  world.rule('a banned guest cannot come, and can when unbanned', async () => {
    const roomId = await withGuest()
    await rooms.does('ban', host, guest, roomId)
    await rooms.hearsOf(guest, roomId, 'leave')
    await refused(rooms.joinVia(guest, roomId, host.peer.serverName), 403, 'M_FORBIDDEN')
    await rooms.does('unban', host, guest, roomId)
    await rooms.joinVia(guest, roomId, host.peer.serverName)
    await bothSee([host, guest], roomId, guest, 'join')
    world.shared.push({ roomId, host, guest })
  })

  world.rule('the only guest of a server leaves, much happens, and the guest finds it on coming again', async () => {
    const roomId = await withGuest()
    await rooms.leave(guest, roomId)
    await rooms.untilMembership(host, roomId, guest, 'leave')
    await rooms.setState(host, roomId, { type: 'm.room.topic' }, { topic: 'while you were away' })
    const missed = []
    for (const word of ['first', 'second', 'third']) missed.push(await rooms.say(host, roomId, word))
    await rooms.joinVia(guest, roomId, host.peer.serverName)
    await rooms.untilSameState(host, guest, roomId)
    await rooms.untilScrollsTo(guest, roomId, missed)
    world.shared.push({ roomId, host, guest })
  })
}
