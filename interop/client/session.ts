/** Two people with a client each: registers them, starts matrix-js-sdk for them, and waits for what they should see. */
import assert from 'node:assert/strict'
import {
  ClientEvent,
  createClient,
  type ICreateClientOpts,
  type IStartClientOpts,
  type MatrixClient,
  type MatrixEvent,
  type Room,
  SyncState,
} from 'matrix-js-sdk'
import type { HoldfastProcess } from '../server/holdfast.ts'
import { uniqueName } from '../server/unique-name.ts'
import { quietConsole, silentLogger } from './silent-logger.ts'

quietConsole()

export type Session = {
  readonly client: MatrixClient
  readonly userId: string
  readonly deviceId: string
  readonly token: string
  readonly password: string
  /** The localpart. */
  readonly name: string
}

export type SessionOptions = {
  readonly create?: Partial<ICreateClientOpts>
  /** How the client syncs; `false`: it does not. */
  readonly start?: IStartClientOpts | false
}

/** Waits are for a loaded machine; a test that waits this long has failed. */
export const PATIENCE_MS = 15_000
const POLL_MS = 20

const open = new Set<MatrixClient>()

/** A client that nobody has logged in to. */
export function anonymousClient(server: HoldfastProcess, options: Partial<ICreateClientOpts> = {}): MatrixClient {
  const client = createClient({ baseUrl: server.url, logger: silentLogger, ...options })
  open.add(client)
  return client
}

/** Registers a user of a new name, and starts their client. */
export async function newUser(server: HoldfastProcess, stem: string, options: SessionOptions = {}): Promise<Session> {
  const name = uniqueName(stem)
  const password = `the password of ${name}`
  const auth = { type: 'm.login.dummy' }
  const registered = await anonymousClient(server).registerRequest({ username: name, password, auth })
  const { user_id: userId, access_token: token, device_id: deviceId } = registered
  assert.ok(token !== undefined && deviceId !== undefined)
  return openSession(server, { userId, token, deviceId, password, name }, options)
}

/** Another device of the same user. */
export async function newDevice(
  server: HoldfastProcess,
  { name, password }: Session,
  options: SessionOptions = {},
): Promise<Session> {
  const login = await anonymousClient(server).loginWithPassword(name, password)
  const { user_id: userId, access_token: token, device_id: deviceId } = login
  return openSession(server, { userId, token, deviceId, password, name }, options)
}

async function openSession(
  server: HoldfastProcess,
  who: Omit<Session, 'client'>,
  { create, start = {} }: SessionOptions,
): Promise<Session> {
  const { userId, deviceId, token: accessToken } = who
  const client = anonymousClient(server, { userId, deviceId, accessToken, timelineSupport: true, ...create })
  if (start !== false) await startSyncing(client, start)
  return { ...who, client }
}

export async function startSyncing(client: MatrixClient, options: IStartClientOpts = {}): Promise<void> {
  // The SDK says nothing when it can never start, for example because an endpoint is missing: the error is in its state.
  let problem: unknown
  client.on(ClientEvent.Sync, (_state, _previous, data) => {
    problem = data?.error ?? problem
  })
  await client.startClient({ initialSyncLimit: 20, pollTimeout: 10_000, ...options })
  const isPrepared = () => [SyncState.Prepared, SyncState.Syncing].includes(client.getSyncState() as SyncState)
  await eventually(
    () => (isPrepared() ? true : undefined),
    () => `the client never synced: ${String(problem)}`,
  )
}

/** Stops every client that was opened, so that the process can end. */
export function closeClients(): void {
  for (const client of open) client.stopClient()
  open.clear()
}

/** What `look` finds, as soon as it finds something. */
export async function eventually<T>(
  look: () => T | undefined | false,
  what: string | (() => string) = `nothing: ${look.toString()}`,
): Promise<T> {
  const untilMs = performance.now() + PATIENCE_MS
  while (performance.now() < untilMs) {
    const found = look()
    if (found !== undefined && found !== false) return found
    await pause(POLL_MS)
  }
  throw new Error(`waited ${PATIENCE_MS} ms: ${typeof what === 'string' ? what : what()}`)
}

/** For what must not happen: time enough that it would have. */
export const QUIET_MS = 400

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => void setTimeout(resolve, ms))
}

/** The room as this client knows it, once it does. */
export function roomOf({ client, name }: Session, roomId: string, membership = 'join'): Promise<Room> {
  const look = () => {
    const room = client.getRoom(roomId)
    return room?.getMyMembership() === membership ? room : undefined
  }
  return eventually(
    look,
    () => `${name} sees ${roomId} as ${client.getRoom(roomId)?.getMyMembership()}, not ${membership}`,
  )
}

/** The live timeline. */
export function timelineOf({ client }: Session, roomId: string): MatrixEvent[] {
  return client.getRoom(roomId)?.getLiveTimeline().getEvents() ?? []
}

/** Once the live timeline has it, and the server has given it its id. */
export function eventOf(session: Session, roomId: string, eventId: string): Promise<MatrixEvent> {
  const look = () => timelineOf(session, roomId).find((event) => event.getId() === eventId && event.status === null)
  return eventually(look, () => `${session.name} does not see ${eventId} in ${roomId}`)
}

export function bodiesOf(session: Session, roomId: string): string[] {
  return timelineOf(session, roomId).flatMap((event) => {
    const { body } = event.getContent()
    return typeof body === 'string' ? [body] : []
  })
}

/** Fails unless the promise fails with this code. */
export async function refusedWith(errcode: string, promise: Promise<unknown>): Promise<void> {
  await assert.rejects(promise, (error: Error & { errcode?: string }) => {
    assert.equal(error.errcode, errcode, String(error))
    return true
  })
}

/** Membership of one user in the eyes of another. */
export function membershipOf({ client }: Session, roomId: string, userId: string): string | undefined {
  return client.getRoom(roomId)?.getMember(userId)?.membership
}

/** Everybody joined: the creator invites, the others accept. */
export async function roomWith(creator: Session, ...others: readonly Session[]): Promise<string> {
  const { room_id: roomId } = await creator.client.createRoom({ invite: others.map(({ userId }) => userId) })
  for (const other of others) {
    await roomOf(other, roomId, 'invite')
    await other.client.joinRoom(roomId)
    await roomOf(other, roomId)
  }
  await eventually(() => others.every(({ userId }) => membershipOf(creator, roomId, userId) === 'join'))
  await roomOf(creator, roomId)
  return roomId
}
