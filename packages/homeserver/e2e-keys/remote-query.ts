/** Keys of users of other servers: from what is known here while it holds, else from their servers. */
import type { ServerName, UserId } from '@holdfast/protocol/ids/brand'
import { serverNameOf } from '@holdfast/protocol/ids/common'
import { emptyObject, type JsonObject } from '@holdfast/protocol/json/value'
import type { Requester } from '../accounts/requester.ts'
import type { Homeserver } from '../homeserver.ts'
import { sharingRooms } from '../presence/shared-rooms.ts'
import { remoteDevices, remoteLists } from '../storage/remote-devices.ts'
import { checkQueriedDevice, checkSigningKey } from './check-remote-keys.ts'
import { heldLists } from './held-lists.ts'
import { addCrossSigning, addedSignatures } from './local-keys.ts'
import { fetchRemoteDevices } from './remote-devices.ts'
import type { KeyQuery } from './remote-keys.ts'
import {
  addAnswer,
  emptyAnswer,
  objectIn,
  objectOf,
  shownDevice,
  withSignatures,
  type KeyAnswer,
} from './shown-keys.ts'

type Failures = Map<ServerName, JsonObject>
export type RemoteAnswer = KeyAnswer & { readonly failures: Failures }

/** Lists fetched at a time. */
const FETCHES_MAX = 10

export async function queryRemoteKeys(
  deps: Homeserver,
  requester: Requester,
  { query, timeoutMs }: { readonly query: KeyQuery; readonly timeoutMs: number },
): Promise<RemoteAnswer> {
  const failures: Failures = new Map()
  const answer = emptyAnswer()
  const shared = await sharedUsers(deps, requester, query)
  const lacking = await lackingLists(deps, requester, shared)
  await Promise.all([
    fetchLists(deps, { users: lacking, timeoutMs }, failures),
    askServers(deps, requester, { query: without(query, shared), timeoutMs, failures, answer }),
  ])
  const here = new Map(
    [...shared].filter(([, userId]) => !(lacking.includes(userId) && failures.has(serverNameOf(userId)))),
  )
  addAnswer(answer, await knownKeys(deps, requester, { users: here, query }))
  return { ...answer, failures }
}

export function failure(): JsonObject {
  const said = emptyObject()
  said['status'] = 503
  said['message'] = 'The server of these users did not answer.'
  return said
}

/** Users who share a room with the requester: their servers tell of changes. By nid. */
async function sharedUsers(
  deps: Homeserver,
  requester: Requester,
  query: KeyQuery,
): Promise<ReadonlyMap<number, UserId>> {
  const users = new Map<number, UserId>()
  for (const userId of query.keys()) {
    const userNid = await deps.dictionary.userNid(userId)
    if (userNid !== undefined) users.set(userNid, userId)
  }
  const rooms = await deps.memberships.of(requester.userNid)
  const sharing = await sharingRooms(deps, rooms, new Set(users.keys()))
  return new Map([...users].filter(([userNid]) => sharing.has(userNid)))
}

async function lackingLists(
  deps: Homeserver,
  requester: Requester,
  users: ReadonlyMap<number, UserId>,
): Promise<readonly UserId[]> {
  const lists = await remoteLists(deps.db, [...users.keys()])
  const held = await heldLists(deps, await deps.memberships.of(requester.userNid), lists)
  return [...users].filter(([userNid]) => !held.has(userNid)).map(([, userId]) => userId)
}

/** A server that fails once is not asked for its other users. */
async function fetchLists(
  deps: Homeserver,
  { users, timeoutMs }: { readonly users: readonly UserId[]; readonly timeoutMs: number },
  failures: Failures,
): Promise<void> {
  const waiting = users.values()
  const work = async (): Promise<void> => {
    for (const userId of waiting) {
      const server = serverNameOf(userId)
      if (failures.has(server)) continue
      if (!(await fetchRemoteDevices(deps, userId, { timeoutMs }))) failures.set(server, failure())
    }
  }
  await Promise.all(Array.from({ length: FETCHES_MAX }, work))
}

async function knownKeys(
  deps: Homeserver,
  requester: Requester,
  { users, query }: { readonly users: ReadonlyMap<number, UserId>; readonly query: KeyQuery },
): Promise<KeyAnswer> {
  const answer = emptyAnswer()
  const nids = [...users.keys()]
  const signatures = await addedSignatures(deps, nids, requester)
  const rows = Map.groupBy(await remoteDevices(deps.db, nids), (row) => row.user_nid)
  for (const [userNid, userId] of users) {
    const wanted = new Set(query.get(userId))
    const shown = (rows.get(userNid) ?? []).flatMap((row): [string, JsonObject][] => {
      if (row.keys === null || (wanted.size > 0 && !wanted.has(row.device_id))) return []
      const device = { keys: row.keys, displayName: row.display_name }
      return [[row.device_id, shownDevice(device, signatures(userNid, row.device_id))]]
    })
    answer.deviceKeys.set(userId, objectOf(shown))
  }
  await addCrossSigning(deps, answer, { users, reader: requester, signatures })
  return answer
}

function without(query: KeyQuery, users: ReadonlyMap<number, UserId>): KeyQuery {
  const known = new Set(users.values())
  return new Map([...query].filter(([userId]) => !known.has(userId)))
}

type Asking = {
  readonly query: KeyQuery
  readonly timeoutMs: number
  readonly failures: Failures
  readonly answer: KeyAnswer
}

/** Users with whom the requester shares no room: what their servers say is passed on and not kept. */
async function askServers(deps: Homeserver, requester: Requester, asking: Asking): Promise<void> {
  const { remote } = deps.e2eKeys
  const servers = Map.groupBy(asking.query, ([userId]) => serverNameOf(userId))
  await Promise.all(
    [...servers].map(async ([server, entries]) => {
      try {
        if (remote === undefined) throw new Error('there is no federation')
        const query = new Map(entries)
        const said = await remote.query(server, query, { timeoutMs: asking.timeoutMs })
        addAnswer(asking.answer, await believed(deps, requester, { query, said }))
      } catch (error) {
        deps.log.info({ server, error: (error as Error).message }, 'cannot query keys of another server')
        asking.failures.set(server, failure())
      }
    }),
  )
}

/** Of an answer what was asked for. */
async function believed(
  deps: Homeserver,
  requester: Requester,
  { query, said }: { readonly query: KeyQuery; readonly said: JsonObject },
): Promise<KeyAnswer> {
  const answer = emptyAnswer()
  for (const [userId, wanted] of query) {
    const devices = Object.entries(objectIn(objectIn(said, 'device_keys'), userId))
    const shown = devices.flatMap(([deviceId, keys]): [string, JsonObject][] => {
      const device =
        wanted.length > 0 && !wanted.includes(deviceId) ? undefined : checkQueriedDevice(userId, deviceId, keys)
      return device === undefined ? [] : [[deviceId, device]]
    })
    answer.deviceKeys.set(userId, objectOf(shown))
    const userNid = await deps.dictionary.userNid(userId)
    const signatures = userNid === undefined ? undefined : await addedSignatures(deps, [userNid], requester)
    for (const usage of ['master', 'self_signing'] as const) {
      const key = checkSigningKey(userId, usage, objectIn(said, `${usage}_keys`)[userId])
      if (key === undefined) continue
      const added = signatures?.(userNid!, key.publicKey) ?? []
      answer.crossSigning[usage].set(userId, withSignatures(key.value, added))
    }
  }
  return answer
}
