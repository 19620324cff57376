/** People with clients of 2018, and waiting for what they should see. */
import assert from 'node:assert/strict'
import type { HoldfastProcess } from '../server/holdfast.ts'
import { uniqueName } from '../server/unique-name.ts'
import { type Client2018, type Event2018, type Room2018, sdk2018 } from './sdk.ts'

export type Person = {
  readonly client: Client2018
  readonly name: string
  readonly userId: string
  readonly deviceId: string
  readonly password: string
}

const PATIENCE_MS = 15_000
const open = new Set<Client2018>()

export function nobody(server: HoldfastProcess): Client2018 {
  return sdk2018.createClient({ baseUrl: server.url })
}

export async function newPerson(server: HoldfastProcess, stem: string): Promise<Person> {
  const name = uniqueName(stem)
  const password = `the password of ${name}`
  const registered = await nobody(server).register(name, password, null, { type: 'm.login.dummy' })
  return startPerson(server, { name, password }, registered)
}

/** A client that can act, and does not sync. */
export async function silentClient(server: HoldfastProcess, stem: string): Promise<Client2018> {
  const made = await nobody(server).register(uniqueName(stem), 'a fine password', null, { type: 'm.login.dummy' })
  return sdk2018.createClient({ baseUrl: server.url, userId: made.user_id, accessToken: made.access_token })
}

/** Another device of the same person. */
export async function secondDevice(server: HoldfastProcess, person: Person, options: object = {}): Promise<Person> {
  const login = await nobody(server).login('m.login.password', { user: person.name, password: person.password })
  return startPerson(server, person, login, options)
}

async function startPerson(
  server: HoldfastProcess,
  { name, password }: { readonly name: string; readonly password: string },
  { user_id: userId, access_token: accessToken, device_id: deviceId }: Record<string, string>,
  options: object = {},
): Promise<Person> {
  assert.ok(userId !== undefined && accessToken !== undefined && deviceId !== undefined)
  const client = sdk2018.createClient({ baseUrl: server.url, userId, accessToken, deviceId, timelineSupport: true })
  open.add(client)
  let state = ''
  client.on('sync', (now: string) => {
    state = now
  })
  client.startClient({ initialSyncLimit: 10, pollTimeout: 5000, ...options })
  await eventually(() => state === 'PREPARED' || state === 'SYNCING', `${name} never synced: ${state}`)
  return { client, name, userId, deviceId, password }
}

export function closePeople(): void {
  for (const client of open) client.stopClient()
}

export async function eventually<T>(look: () => T | undefined | null | false, what = look.toString()): Promise<T> {
  for (const untilMs = performance.now() + PATIENCE_MS; performance.now() < untilMs; await pause(20)) {
    const found = look()
    if (found !== undefined && found !== null && found !== false) return found
  }
  throw new Error(`waited ${PATIENCE_MS} ms: ${what}`)
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => void setTimeout(resolve, ms))
}

export function roomOf({ client, name }: Person, roomId: string, membership = 'join'): Promise<Room2018> {
  const look = () => {
    const room = client.getRoom(roomId)
    return room?.getMyMembership() === membership && room
  }
  return eventually(look, `${name} and ${roomId}: not ${membership}`)
}

export function eventOf({ client, name }: Person, roomId: string, eventId: string): Promise<Event2018> {
  const look = () =>
    client.getRoom(roomId)?.timeline.find((event) => event.getId() === eventId && event.status === null)
  return eventually(look, `${name} does not see ${eventId}`)
}

export function bodies({ client }: Person, roomId: string): string[] {
  return (client.getRoom(roomId)?.timeline ?? []).flatMap((event) => event.getContent().body ?? [])
}

export async function roomWith(creator: Person, ...others: readonly Person[]): Promise<string> {
  const { room_id: roomId } = await creator.client.createRoom({ invite: others.map(({ userId }) => userId) })
  await roomOf(creator, roomId)
  for (const other of others) {
    await roomOf(other, roomId, 'invite')
    await other.client.joinRoom(roomId)
    await roomOf(other, roomId)
    await eventually(() => creator.client.getRoom(roomId)?.getMember(other.userId)?.membership === 'join')
  }
  return roomId
}

export async function refusedWith(errcode: string, promise: Promise<unknown>): Promise<void> {
  await assert.rejects(promise, (error: Error & { errcode?: string }) => {
    assert.equal(error.errcode, errcode, String(error))
    return true
  })
}
