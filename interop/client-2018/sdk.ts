/** matrix-js-sdk 0.14.2, which has no types: what of it the tests use. */
import assert from 'node:assert/strict'
import { createRequire } from 'node:module'

// oxlint-disable-next-line typescript/no-explicit-any -- contents of events and answers
export type Content = any

export type Event2018 = {
  getId(): string
  getType(): string
  getSender(): string
  getContent(): Content
  getPrevContent(): Content
  isRedacted(): boolean
  readonly status: string | null
  readonly event: Content
}

export type Member2018 = {
  readonly userId: string
  readonly name: string
  readonly membership: string
  readonly powerLevel: number
  readonly typing: boolean
}

export type Room2018 = {
  readonly roomId: string
  readonly name: string
  readonly timeline: readonly Event2018[]
  readonly tags: Record<string, { order?: number }>
  readonly oldState: { readonly paginationToken: string | null }
  readonly currentState: { getStateEvents(type: string, key: string): Event2018 | null }
  getMyMembership(): string
  getMember(userId: string): Member2018 | null
  getJoinedMembers(): Member2018[]
  getEventReadUpTo(userId: string): string | null
  getAccountData(type: string): Event2018 | undefined
  getUnfilteredTimelineSet(): Content
  loadMembersIfNeeded(): Promise<unknown>
}

type Json = Promise<Content>

export type Client2018 = {
  on(name: string, listener: (...args: Content[]) => void): void
  startClient(options: Record<string, unknown>): void
  stopClient(): void
  getRoom(roomId: string): Room2018 | null
  getUser(userId: string): { readonly presence: string; readonly presenceStatusMsg: string } | null
  getAccountData(type: string): Event2018 | undefined
  isUsernameAvailable(name: string): Promise<boolean>
  register(name: string, password: string, session: string | null, auth: object): Json
  login(type: string, data: object): Json
  loginFlows(): Json
  logout(): Json
  setPassword(auth: object, password: string): Json
  deactivateAccount(auth: object, erase: boolean): Json
  getDevices(): Json
  setDeviceDetails(device: string, body: object): Json
  deleteDevice(device: string, auth?: object): Json
  createRoom(options: object): Promise<{ room_id: string }>
  joinRoom(room: string, options?: object): Promise<Room2018>
  invite(roomId: string, userId: string): Json
  leave(roomId: string): Json
  forget(roomId: string): Json
  kick(roomId: string, userId: string, reason?: string): Json
  ban(roomId: string, userId: string, reason?: string): Json
  unban(roomId: string, userId: string): Json
  setPowerLevel(roomId: string, userId: string, level: number, event: Event2018 | null): Json
  sendTextMessage(roomId: string, body: string, txnId?: string): Promise<{ event_id: string }>
  sendStateEvent(roomId: string, type: string, content: object, key?: string): Promise<{ event_id: string }>
  getStateEvent(roomId: string, type: string, key: string): Json
  roomState(roomId: string): Json
  setRoomName(roomId: string, name: string): Json
  redactEvent(roomId: string, eventId: string): Promise<{ event_id: string }>
  scrollback(room: Room2018, limit: number): Promise<Room2018>
  getEventTimeline(set: Content, eventId: string): Json
  paginateEventTimeline(timeline: Content, options: object): Json
  sendTyping(roomId: string, typing: boolean, timeoutMs: number): Json
  sendReadReceipt(event: Event2018): Json
  setRoomReadMarkers(roomId: string, fullyRead: string, read?: Event2018): Json
  setPresence(presence: object): Json
  sendToDevice(type: string, messages: object, txnId?: string): Json
  setAccountData(type: string, content: object): Json
  setRoomAccountData(roomId: string, type: string, content: object): Json
  setRoomTag(roomId: string, tag: string, metadata: object): Json
  deleteRoomTag(roomId: string, tag: string): Json
  setIgnoredUsers(users: string[]): Json
  isUserIgnored(userId: string): boolean
  setDisplayName(name: string): Json
  setAvatarUrl(url: string): Json
  getProfileInfo(userId: string): Json
  createAlias(alias: string, roomId: string): Json
  deleteAlias(alias: string): Json
  getRoomIdForAlias(alias: string): Json
  publicRooms(options: object): Json
  setRoomDirectoryVisibility(roomId: string, visibility: string): Json
  roomInitialSync(roomId: string, limit: number): Json
  peekInRoom(roomId: string): Promise<Room2018>
  stopPeeking(): void
  syncLeftRooms(): Promise<Room2018[]>
  getOrCreateFilter(name: string, filter: object): Promise<string>
}

type Sdk2018 = { createClient(options: object): Client2018 }

const VERSION = '0.14.2'
const require = createRequire(import.meta.url)

/** The package of this folder; the repository's own, much newer one has the same name. */
function loadSdk(): Sdk2018 {
  const { version } = require('matrix-js-sdk/package.json') as { version: string }
  assert.equal(version, VERSION, 'npm ci in this folder brings the SDK of 2018')
  return require('matrix-js-sdk') as Sdk2018
}

// It writes a line for each thing it does.
for (const method of ['trace', 'debug', 'log', 'info', 'warn', 'error'] as const) console[method] = () => undefined

export const sdk2018 = loadSdk()
