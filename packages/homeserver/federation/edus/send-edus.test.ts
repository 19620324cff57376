import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { createManualClock, type ManualClock } from '@holdfast/platform/clock/manual-clock'
import type { EventId, RoomId, UserId } from '@holdfast/protocol/ids/brand'
import type { JsonObject } from '@holdfast/protocol/json/value'
import { act } from '../../rooms/serve/testing/far-server.ts'
import { startTestHomeserver, type TestHomeserver, type TestUser } from '../../testing/homeserver.ts'
import { until } from '../../testing/until.ts'
import type { Outbox } from '../outbox/outbox.ts'
import { PresenceSender } from './send-presence.ts'
import { openReceiptSender } from './send-receipts.ts'
import { openTypingSender } from './send-typing.ts'

const FAR = 'far.example'
const OTHER = 'other.example'

type Sent = { readonly to: readonly string[]; readonly content: JsonObject }

type World = {
  readonly server: TestHomeserver
  readonly clock: ManualClock
  readonly ann: TestUser
  readonly sent: Sent[]
  readonly outbox: Outbox
  readonly aRoom: (...members: readonly string[]) => Promise<{ readonly roomId: string; readonly roomNid: number }>
  readonly nid: (userId: string) => Promise<number>
}

/** A homeserver, and an outbox that writes down what it is given. */
async function aWorld(t: TestContext): Promise<World> {
  const clock = createManualClock({ nowMs: Date.now() })
  const server = await startTestHomeserver({ clock })
  t.after(() => server[Symbol.asyncDispose]())
  const ann = await server.user('ann')
  const sent: Sent[] = []
  const sendEphemeral: Outbox['sendEphemeral'] = (servers, { content }) => {
    const to = [...servers]
    if (to.length > 0) sent.push({ to, content })
  }
  return {
    server,
    clock,
    ann,
    sent,
    outbox: { ...server.parts.outbox, sendEphemeral },
    aRoom: async (...members) => {
      const { room_id: roomId } = await ann.ok('POST', '/createRoom', { preset: 'public_chat', room_version: '10' })
      for (const userId of members) {
        const content = { membership: 'join' }
        await act(server, roomId, { type: 'm.room.member', stateKey: userId, sender: userId, content })
      }
      return { roomId, roomNid: (await server.parts.heads.roomNid(roomId as RoomId))! }
    },
    nid: async (userId) => (await server.parts.dictionary.userNid(userId as UserId))!,
  }
}

test('[EDU10] typing is told to the servers of the room, and repeated every 10 seconds at most', async (t) => {
  const { server, clock, ann, sent, outbox, aRoom, nid } = await aWorld(t)
  const { roomId, roomNid } = await aRoom(`@bob:${FAR}`, `@bo:${FAR}`, `@eve:${OTHER}`)
  const sender = openTypingSender({ ...server.parts, outbox })
  const [userNid, bobNid] = [await nid(ann.userId), await nid(`@bob:${FAR}`)]
  sender.told({ roomNid, began: [userNid, bobNid], ended: [] })
  await until(() => sent.length === 1, 'the beginning is told')
  await clock.advance(9_999)
  sender.prolonged({ roomNid, userNid })
  await clock.advance(1)
  sender.prolonged({ roomNid, userNid })
  sender.prolonged({ roomNid, userNid })
  sender.told({ roomNid, began: [], ended: [bobNid, userNid] })
  sender.prolonged({ roomNid, userNid })
  await until(() => sent.length === 3, 'the end is told')
  const content = (typing: boolean) => ({ room_id: roomId, user_id: ann.userId, typing })
  assert.deepEqual(
    sent,
    [true, true, false].map((typing) => ({ to: [FAR, OTHER], content: content(typing) })),
  )
})

test('[EDU11] receipts of many users are told in one EDU, and those of threads in others', async (t) => {
  const { server, clock, sent, outbox, aRoom } = await aWorld(t)
  const { roomId, roomNid } = await aRoom(`@bob:${FAR}`)
  const alone = await aRoom()
  const sender = openReceiptSender({ ...server.parts, outbox })
  const moved = (userId: string, eventId: string, threadId?: string, room = roomNid) =>
    sender.moved({
      roomNid: room,
      userId: userId as UserId,
      eventId: eventId as EventId,
      threadId,
      atMs: 5,
    })
  moved('@a:x', '$1')
  moved('@b:x', '$1')
  moved('@a:x', '$2')
  moved('@a:x', '$3', 'main')
  moved('@a:x', '$3', undefined, alone.roomNid)
  await clock.advance(199)
  assert.deepEqual(sent, [])
  await clock.advance(1)
  await until(() => sent.length === 2, 'they are told')
  const one = (eventId: string, data: object) => ({ event_ids: [eventId], data })
  const of = (byUser: object) => ({ to: [FAR], content: { [roomId]: { 'm.read': byUser } } })
  assert.deepEqual(JSON.parse(JSON.stringify(sent)), [
    of({ '@a:x': one('$2', { ts: 5 }), '@b:x': one('$1', { ts: 5 }) }),
    of({ '@a:x': one('$3', { ts: 5, thread_id: 'main' }) }),
  ])
})

test('[EDU12] presence is told to those who share a room, to who comes in, and again after a while', async (t) => {
  const { server, clock, ann, sent, outbox, aRoom, nid } = await aWorld(t)
  const { roomId, roomNid } = await aRoom(`@bob:${FAR}`)
  const userNid = await nid(ann.userId)
  let state: 'online' | 'offline' = 'online'
  const presenceOf = async () => ({ state, statusMessage: undefined, lastActiveMs: clock.nowMs() })
  const sender = new PresenceSender({ ...server.parts, outbox, presenceOf, present: () => new Set([userNid]) })
  t.after(() => sender[Symbol.dispose]())
  sender.changed(userNid)
  sender.changed(userNid)
  await clock.advance(500)
  await until(() => sent.length === 1, 'the change is told')
  const presence = { user_id: ann.userId, last_active_ago: 0, presence: 'online', currently_active: true }
  assert.deepEqual(sent[0], { to: [FAR], content: { push: [presence] } })
  const eve = `@eve:${OTHER}`
  await act(server, roomId, { type: 'm.room.member', stateKey: eve, sender: eve, content: { membership: 'join' } })
  sender.joined({ roomNid, userNid: await nid(eve) })
  sender.joined({ roomNid: (await aRoom()).roomNid, userNid })
  await clock.advance(500)
  await until(() => sent.length === 2, 'who comes in is told')
  assert.deepEqual(sent[1]!.to, [OTHER])
  await clock.advance(20 * 60_000)
  await until(() => sent.length === 3, 'it is told again')
  assert.deepEqual(sent[2]!.to, [FAR, OTHER])
  state = 'offline'
  sender.changed(userNid)
  await clock.advance(500)
  await until(() => sent.length === 4, 'the end is told')
  await clock.advance(60 * 60_000)
  assert.equal(sent.length, 4)
})
