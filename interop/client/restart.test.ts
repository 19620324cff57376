import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ClientEvent, MatrixScheduler, RoomEvent, SyncState } from 'matrix-js-sdk'
import { bodiesOf, eventOf, eventually, newDevice, newUser, roomWith, type Session, timelineOf } from './session.ts'
import { serverForTests } from './suite.ts'

const server = await serverForTests()
let ann: Session
let bob: Session
let roomId: string

/** Retries like a client that people use, but without their waits. */
const impatient = () => ({
  scheduler: new MatrixScheduler((_event, attempts) => (attempts > 40 ? -1 : 200)),
})

const HOW = {
  'a gentle stop': () => server.stop(),
  'kill -9': () => server.kill(),
} as const

test('two people sign up and sync', async () => {
  ann = await newUser(server, 'ann', { create: impatient() })
  bob = await newUser(server, 'bob')
  roomId = await roomWith(ann, bob)
})

for (const [how, end] of Object.entries(HOW)) {
  test(`the server restarts after ${how}: running clients come back, with nothing lost or doubled`, async () => {
    const received: string[] = []
    const listen = (event: { getContent(): { body?: string } }) => {
      const { body } = event.getContent()
      if (body !== undefined) received.push(body)
    }
    bob.client.getRoom(roomId)?.on(RoomEvent.Timeline, listen)
    const texts = Array.from({ length: 20 }, (_, n) => `${how} ${n}`)
    const sends = sendAll(texts)
    await eventually(() => received.length >= 3)
    await end()
    await eventually(() => [SyncState.Reconnecting, SyncState.Error].includes(bob.client.getSyncState() as SyncState))
    await server.start()
    for (const { client } of [ann, bob]) client.retryImmediately()
    await eventually(() => bob.client.getSyncState() === SyncState.Syncing, 'the client did not come back')
    const ids = await sends
    await eventOf(bob, roomId, ids.at(-1) ?? '')
    assert.deepEqual(received, texts)
    assert.equal(new Set(ids).size, texts.length)
    bob.client.getRoom(roomId)?.off(RoomEvent.Timeline, listen)
  })
}

test('everything is there for a client that begins after the restarts', async () => {
  const later = await newDevice(server, bob, { start: { initialSyncLimit: 100 } })
  assert.deepEqual(bodiesOf(later, roomId), bodiesOf(bob, roomId))
  assert.equal(bodiesOf(later, roomId).length, 40)
})

test('to-device messages, account data, tags, receipts and filters outlive a kill', async () => {
  const { event_id: eventId } = await ann.client.sendTextMessage(roomId, 'read before the kill')
  await bob.client.sendReadReceipt(await eventOf(bob, roomId, eventId))
  await bob.client.setAccountData('org.example.kept' as never, { kept: true } as never)
  await bob.client.setRoomTag(roomId, 'm.favourite', { order: 0.5 })
  const phone = await newDevice(server, bob, { start: false })
  const note = new Map([[bob.userId, new Map([[phone.deviceId, { text: 'kept' }]])]])
  await ann.client.sendToDevice('org.example.note', note)
  await server.kill()
  await server.start()
  const texts: string[] = []
  phone.client.on(ClientEvent.ToDeviceEvent, (event) => texts.push(event.getContent().text))
  await phone.client.startClient({ initialSyncLimit: 10 })
  await eventually(() => texts.length > 0)
  const room = await eventually(() => phone.client.getRoom(roomId) ?? undefined)
  await eventually(() => room.tags['m.favourite']?.order === 0.5)
  assert.equal(room.getEventReadUpTo(bob.userId, true), eventId)
  assert.deepEqual(phone.client.getAccountData('org.example.kept' as never)?.getContent(), { kept: true })
  assert.deepEqual(texts, ['kept'])
})

/** One after another, as a person does; the client sends again what got no answer. */
async function sendAll(texts: readonly string[]): Promise<string[]> {
  const ids: string[] = []
  for (const text of texts) ids.push(await sendOnce(text))
  return ids
}

/**
 * The SDK gives up when an event that it was about to send again arrives by sync: the server had taken it, and only the
 * answer was lost. The event is sent then, so what counts is that it is there.
 */
async function sendOnce(text: string): Promise<string> {
  try {
    return (await ann.client.sendTextMessage(roomId, text)).event_id
  } catch (error) {
    if (!String(error).includes('not a local echo')) throw error
    const sent = await eventually(() => timelineOf(ann, roomId).find((event) => event.getContent().body === text))
    assert.equal(sent.status, null)
    return sent.getId() ?? ''
  }
}
