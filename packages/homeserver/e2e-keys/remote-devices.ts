/**
 * The devices of users of other servers, as their servers tell: kept while every change arrives, fetched again when one
 * was missed. <https://spec.matrix.org/v1.19/server-server-api/#device-management>
 */
import { ExpectationFailed, type Statement } from '@holdfast/platform/database/database'
import { storedText } from '@holdfast/platform/database/text'
import type { ServerName, UserId } from '@holdfast/protocol/ids/brand'
import { serverNameOf } from '@holdfast/protocol/ids/common'
import { parseUserId } from '@holdfast/protocol/ids/user-id'
import { isObject, type JsonObject, type JsonValue } from '@holdfast/protocol/json/value'
import { TIME_LIMITS } from '@holdfast/protocol/limits'
import type { Homeserver } from '../homeserver.ts'
import { crossSigningKeys, setCrossSigningKey, USAGE_CODES } from '../storage/cross-signing-keys.ts'
import * as storage from '../storage/remote-devices.ts'
import { checkRemoteDevice, checkSigningKey, type RemoteDevice } from './check-remote-keys.ts'
import { announceRemoteUser } from './device-lists.ts'
import { E2E_LIMITS } from './limits.ts'

type RemoteDeps = Pick<Homeserver, 'db' | 'clock' | 'dictionary' | 'streams' | 'memberships' | 'e2eKeys' | 'log'>

/** `resync`: something was missed; the list was fetched or has to be, and those who share a room are told. */
export type UpdateOutcome = 'applied' | 'ignored' | 'resync'

/**
 * The content of an `m.device_list_update` from `origin`. What is malformed, of another server's user, or of nobody we
 * share a room with is ignored.
 */
export async function applyRemoteDeviceUpdate(
  deps: RemoteDeps,
  origin: ServerName,
  content: JsonObject,
): Promise<UpdateOutcome> {
  const update = parseUpdate(origin, content)
  if (update === undefined) return 'ignored'
  const userNid = await deps.dictionary.userNid(update.userId)
  if (userNid === undefined) return 'ignored'
  if (!(await isInAnyRoom(deps, userNid))) {
    // Nobody tells us of their changes from now on.
    await deps.db.commit([storage.setRemoteListsStale([userNid])])
    return 'ignored'
  }
  const [list] = await storage.remoteLists(deps.db, [userNid])
  if (list?.stream_id === update.streamId && list.is_stale === 0) return 'ignored'
  if (list !== undefined && follows(list, update) && (await advance(deps, { userNid, list, update }))) return 'applied'
  await resync(deps, userNid, update)
  return 'resync'
}

/** So long an update waits for the list that it calls for, and not at all for a server that took longer a moment ago. */
const RESYNC_WAIT_MS = 2_000
const SLOW_FOR_MS = 30_000

/**
 * Whoever is told of a change asks at once, so the list is fetched first: they are told once, and get what is new. Until
 * this returns the other server has not heard that we know of the update: after a crash it comes again.
 */
async function resync(deps: RemoteDeps, userNid: number, { userId, streamId }: Update): Promise<void> {
  const { fetching, slow } = deps.e2eKeys
  const server = serverNameOf(userId)
  // One that runs may have been answered before the update was made.
  const isOlder = fetching.has(userId)
  const fetch = fetchRemoteDevices(deps, userId, { eagerly: true, isUpdate: true })
  const outcome = slow.has(server) ? 'late' : await within(deps, fetch)
  if (outcome === 'late') slow.set(server, true, { ttl: SLOW_FOR_MS })
  if (outcome !== 'fetched') return markStale(deps, userNid)
  if (!isOlder) return
  const [list] = await storage.remoteLists(deps.db, [userNid])
  if (list === undefined || list.stream_id < streamId) return markStale(deps, userNid)
  const announcement = announceRemoteUser(deps, userNid)
  await deps.streams.commit(announcement.statements, announcement)
}

function within({ clock }: RemoteDeps, fetch: Promise<boolean>): Promise<'fetched' | 'failed' | 'late'> {
  return new Promise((resolve) => {
    const timer = clock.after(RESYNC_WAIT_MS, () => resolve('late'))
    void fetch.then((isHere) => {
      timer[Symbol.dispose]()
      resolve(isHere ? 'fetched' : 'failed')
    })
  })
}

type Update = {
  readonly userId: UserId
  readonly streamId: number
  readonly previous: readonly JsonValue[]
  readonly isDeleted: boolean
  readonly device: RemoteDevice
}

function parseUpdate(origin: ServerName, content: JsonObject): Update | undefined {
  const { user_id: rawUser, device_id: deviceId, stream_id: streamId, prev_id: previous = [], deleted, keys } = content
  const userId = typeof rawUser === 'string' ? parseUserId(rawUser) : undefined
  if (userId === undefined || serverNameOf(userId) !== origin) return undefined
  if (typeof streamId !== 'number' || !Number.isSafeInteger(streamId) || !Array.isArray(previous)) return undefined
  const isDeleted = deleted === true
  const name = content['device_display_name']
  const device = checkRemoteDevice(userId, { deviceId, keys: isDeleted ? undefined : keys, name })
  return device === undefined ? undefined : { userId, streamId, previous, isDeleted, device }
}

function follows(list: storage.RemoteListRow, update: Update): boolean {
  const isNext = update.previous.length > 0 && update.previous.every((id) => id === list.stream_id)
  return list.is_stale === 0 && isNext && update.streamId > list.stream_id
}

async function advance(
  deps: RemoteDeps,
  of: { readonly userNid: number; readonly list: storage.RemoteListRow; readonly update: Update },
): Promise<boolean> {
  const { userNid, list, update } = of
  const announcement = announceRemoteUser(deps, userNid)
  const statements = [
    storage.advanceRemoteList({ userNid, fromStreamId: list.stream_id, streamId: update.streamId }),
    update.isDeleted
      ? storage.deleteRemoteDevice({ userNid, deviceId: update.device.deviceId })
      : setDevice(userNid, update.device),
    ...announcement.statements,
  ]
  try {
    await deps.streams.commit(statements, announcement)
    return true
  } catch (error) {
    // The list was fetched or found stale meanwhile.
    if (error instanceof ExpectationFailed) return false
    throw error
  }
}

function setDevice(userNid: number, { displayName, ...device }: RemoteDevice): Statement {
  return storage.setRemoteDevice({
    userNid,
    ...device,
    displayName: displayName === undefined ? undefined : storedText(displayName),
  })
}

async function isInAnyRoom(deps: Pick<Homeserver, 'memberships'>, userNid: number): Promise<boolean> {
  for (const { membership } of (await deps.memberships.of(userNid)).values()) if (membership === 'join') return true
  return false
}

/** A change of this user's devices was or may have been missed. Those who share a room with them are told, once. */
export async function markRemoteListStale(deps: RemoteDeps, userId: UserId): Promise<void> {
  const userNid = await deps.dictionary.userNid(userId)
  if (userNid !== undefined) await markStale(deps, userNid)
}

async function markStale(deps: RemoteDeps, userNid: number): Promise<void> {
  const [list] = await storage.remoteLists(deps.db, [userNid])
  if (list?.is_stale === 1) return
  const announcement = announceRemoteUser(deps, userNid)
  await deps.streams.commit([storage.insertStaleList(userNid), ...announcement.statements], announcement)
}

/** An update makes us fetch no sooner than this after the last time; who asks for the keys need not wait. */
const EAGER_FETCH_EVERY_MS = 10_000

/**
 * Asks the user's server for all devices, once for all who want them at the same time.
 * @returns whether the list is here now; never rejects
 */
export function fetchRemoteDevices(
  deps: RemoteDeps,
  userId: UserId,
  {
    eagerly = false,
    isUpdate = false,
    timeoutMs = TIME_LIMITS.federationQueryMs,
  }: { readonly eagerly?: boolean; readonly isUpdate?: boolean; readonly timeoutMs?: number } = {},
): Promise<boolean> {
  const { fetching, fetched, remote } = deps.e2eKeys
  const running = fetching.get(userId)
  if (running !== undefined) return running
  if (remote === undefined || (eagerly && fetched.has(userId))) return Promise.resolve(false)
  fetched.set(userId, true, { ttl: EAGER_FETCH_EVERY_MS })
  const askedAt = deps.streams.position()
  const fetch = remote
    .devices(serverNameOf(userId), userId, { timeoutMs })
    .then((response) => storeRemoteDevices(deps, userId, response, { askedAt, isUpdate }))
    .catch((error: Error) => {
      deps.log.info({ user: userId, error: error.message }, 'cannot fetch the devices of a remote user')
      return false
    })
    .finally(() => fetching.delete(userId))
  fetching.set(userId, fetch)
  return fetch
}

/**
 * The answer of a user's server to GET /user/devices/{userId}. Those who share a room are told if it differs from what
 * was known; after an update that was not understood also if nothing was. `askedAt` is the position of ours at which the
 * server was asked. @returns whether it was an answer
 */
export async function storeRemoteDevices(
  deps: RemoteDeps,
  userId: UserId,
  response: JsonObject,
  {
    askedAt = deps.streams.position(),
    isUpdate = false,
  }: { readonly askedAt?: number; readonly isUpdate?: boolean } = {},
): Promise<boolean> {
  const { user_id: owner, stream_id: streamId, devices } = response
  const isAnswer = owner === userId && typeof streamId === 'number' && Number.isSafeInteger(streamId)
  if (!isAnswer || !Array.isArray(devices)) return false
  const userNid = await deps.dictionary.internUser(userId)
  const [known] = await storage.remoteLists(deps.db, [userNid])
  const list = checkedDevices(userId, devices)
  const changes = [
    ...(await deviceChanges(deps, userNid, list)),
    ...(await signingKeyChanges(deps, { userId, userNid }, response)),
  ]
  const isFirst = known === undefined || known.is_stale === 1
  const isNews = (known !== undefined && changes.length > 0) || (isUpdate && isFirst)
  const announcement = isNews ? announceRemoteUser(deps, userNid) : { statements: [], positions: 1, publish: () => {} }
  await deps.streams.commit(
    [storage.setRemoteList({ userNid, streamId, position: askedAt }), ...changes, ...announcement.statements],
    announcement,
  )
  return true
}

function checkedDevices(userId: UserId, devices: readonly JsonValue[]): readonly RemoteDevice[] {
  const checked = new Map<string, RemoteDevice>()
  for (const entry of devices.slice(0, E2E_LIMITS.remoteDevicesMax)) {
    if (!isObject(entry)) continue
    const { device_id: deviceId, keys, device_display_name: name } = entry
    const device = checkRemoteDevice(userId, { deviceId, keys, name })
    if (device !== undefined) checked.set(device.deviceId, device)
  }
  return [...checked.values()]
}

async function deviceChanges(
  deps: RemoteDeps,
  userNid: number,
  devices: readonly RemoteDevice[],
): Promise<readonly Statement[]> {
  const before = new Map((await storage.remoteDevices(deps.db, [userNid])).map((row) => [row.device_id, row]))
  const after = new Set(devices.map(({ deviceId }) => deviceId))
  const removed = [...before.keys()].filter((deviceId) => !after.has(deviceId))
  const changed = devices.filter(({ deviceId, keys, displayName }) => {
    const row = before.get(deviceId)
    const name = displayName === undefined ? null : storedText(displayName)
    return row === undefined || row.keys !== (keys ?? null) || row.display_name !== name
  })
  return [
    ...removed.map((deviceId) => storage.deleteRemoteDevice({ userNid, deviceId })),
    ...changed.map((device) => setDevice(userNid, device)),
  ]
}

/** The content of an `m.signing_key_update` from `origin`. @returns whether it was one */
export async function applyRemoteSigningKeys(
  deps: RemoteDeps,
  origin: ServerName,
  content: JsonObject,
): Promise<boolean> {
  const userId = typeof content['user_id'] === 'string' ? parseUserId(content['user_id']) : undefined
  if (userId === undefined || serverNameOf(userId) !== origin) return false
  const userNid = await deps.dictionary.userNid(userId)
  if (userNid === undefined || !(await isInAnyRoom(deps, userNid))) return false
  const changes = await signingKeyChanges(deps, { userId, userNid }, content)
  if (changes.length === 0) return true
  const announcement = announceRemoteUser(deps, userNid)
  await deps.streams.commit([...changes, ...announcement.statements], announcement)
  return true
}

/** Members `master_key` and `self_signing_key`, as far as they are new. */
async function signingKeyChanges(
  deps: RemoteDeps,
  { userId, userNid }: { readonly userId: UserId; readonly userNid: number },
  said: JsonObject,
): Promise<readonly Statement[]> {
  const known = new Map((await crossSigningKeys(deps.db, [userNid])).map((row) => [row.key_usage, row.keys]))
  return (['master', 'self_signing'] as const).flatMap((usage) => {
    const key = checkSigningKey(userId, usage, said[`${usage}_key`])
    if (key === undefined || known.get(USAGE_CODES[usage]) === key.text) return []
    return [setCrossSigningKey({ userNid, usage, ...key })]
  })
}
