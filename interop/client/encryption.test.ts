/** Encrypted rooms, with the SDK's cryptography in Rust: keys are uploaded, found, claimed and told of. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CryptoEvent } from 'matrix-js-sdk/lib/crypto-api/index.js'
import type { HoldfastProcess } from '../server/holdfast.ts'
import {
  eventOf,
  eventually,
  newDevice,
  newUser,
  pause,
  PATIENCE_MS,
  roomWith,
  startSyncing,
  type Session,
} from './session.ts'
import { serverForTests } from './suite.ts'

const TRIES_MAX = 100

const server: HoldfastProcess = await serverForTests()

async function withCrypto(session: Session): Promise<Session> {
  await session.client.initRustCrypto({ useIndexedDB: false })
  await startSyncing(session.client)
  return session
}

async function aPerson(stem: string): Promise<Session> {
  return withCrypto(await newUser(server, stem, { start: false }))
}

async function encryptedRoom(creator: Session, ...others: readonly Session[]): Promise<string> {
  const roomId = await roomWith(creator, ...others)
  await creator.client.sendStateEvent(
    roomId,
    'm.room.encryption' as never,
    { algorithm: 'm.megolm.v1.aes-sha2' } as never,
  )
  for (const person of [creator, ...others]) {
    await eventually(() => person.client.getRoom(roomId)?.hasEncryptionStateEvent())
  }
  return roomId
}

async function send({ client }: Session, roomId: string, body: string): Promise<string> {
  const { event_id: eventId } = await client.sendTextMessage(roomId, body)
  return eventId
}

/** What a person reads of an encrypted event. */
async function read(session: Session, roomId: string, eventId: string): Promise<unknown> {
  const event = await eventOf(session, roomId, eventId)
  assert.equal(event.getWireType(), 'm.room.encrypted')
  await eventually(
    () => !event.isBeingDecrypted() && event.getType() === 'm.room.message',
    () => `${session.name} cannot read ${eventId}: ${event.decryptionFailureReason}`,
  )
  return event.getContent().body
}

test('two people read what the other writes in an encrypted room', async () => {
  const [ann, bob] = [await aPerson('ann'), await aPerson('bob')]
  const roomId = await encryptedRoom(ann, bob)
  assert.equal(await read(bob, roomId, await send(ann, roomId, 'from ann')), 'from ann')
  assert.equal(await read(ann, roomId, await send(bob, roomId, 'from bob')), 'from bob')
  assert.equal(await read(bob, roomId, await send(ann, roomId, 'again')), 'again')
})

test('a new device of somebody, and somebody who joins later, read what is written from then on', async () => {
  const [ann, bob, cat] = [await aPerson('ann'), await aPerson('bob'), await aPerson('cat')]
  const roomId = await encryptedRoom(ann, bob)
  await read(bob, roomId, await send(ann, roomId, 'first'))
  const told = new Promise<void>((resolve) => {
    ann.client.on(CryptoEvent.DevicesUpdated, (users: string[]) => {
      if (users.includes(bob.userId)) resolve()
    })
  })
  const second = await withCrypto(await newDevice(server, bob, { start: false }))
  await told
  await ann.client.invite(roomId, cat.userId)
  await eventually(() => cat.client.getRoom(roomId)?.getMyMembership() === 'invite')
  await cat.client.joinRoom(roomId)
  await eventually(() => ann.client.getRoom(roomId)?.getMember(cat.userId)?.membership === 'join')
  const eventId = await send(ann, roomId, 'second')
  for (const reader of [bob, second, cat]) assert.equal(await read(reader, roomId, eventId), 'second')
})

test('cross-signing is set up, and a device is signed so that others see it', async () => {
  const [ann, bob] = [await aPerson('ann'), await aPerson('bob')]
  await encryptedRoom(ann, bob)
  const identifier = { type: 'm.id.user', user: ann.userId }
  await ann.client.getCrypto()!.bootstrapCrossSigning({
    authUploadDeviceSigningKeys: async (request) => {
      await request({ type: 'm.login.password', identifier, password: ann.password })
    },
  })
  const crypto = bob.client.getCrypto()!
  let isSigned = false
  for (let tries = 0; tries < TRIES_MAX && !isSigned; tries += 1) {
    await pause(PATIENCE_MS / TRIES_MAX)
    const status = await crypto.getDeviceVerificationStatus(ann.userId, ann.deviceId)
    isSigned = status?.signedByOwner ?? false
  }
  assert.ok(isSigned, 'bob does not see that ann has signed the device')
})
