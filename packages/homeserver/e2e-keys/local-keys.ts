/** The keys of users of this server, for its clients and for other servers. */
import type { UserId } from '@holdfast/protocol/ids/brand'
import { serverNameOf } from '@holdfast/protocol/ids/common'
import type { JsonObject } from '@holdfast/protocol/json/value'
import { originalText } from '@holdfast/platform/database/text'
import type { Homeserver } from '../homeserver.ts'
import { crossSigningKeys, keySignatures, USAGE_CODES, type KeyUsage } from '../storage/cross-signing-keys.ts'
import { keyedDevices, type KeyedDeviceRow } from '../storage/device-keys.ts'
import { newestDeviceUpdate } from '../storage/device-lists.ts'
import type { KeyQuery } from './remote-keys.ts'
import {
  emptyAnswer,
  objectOf,
  shownDevice,
  withSignatures,
  type AddedSignature,
  type KeyAnswer,
} from './shown-keys.ts'
import { storedObject } from './stored-json.ts'

type LocalDeps = Pick<Homeserver, 'db' | 'dictionary' | 'serverName' | 'settings'>

/** Who asks: a local user, or another server. */
export type KeyReader = { readonly userNid: number } | 'server'

/**
 * Users of other servers are passed over. Who has no keys, or does not exist, has an empty object: nobody learns from
 * this who is there.
 */
export async function queryLocalKeys(deps: LocalDeps, query: KeyQuery, reader: KeyReader): Promise<KeyAnswer> {
  const answer = emptyAnswer()
  const users = new Map<number, UserId>()
  for (const userId of query.keys()) {
    if (serverNameOf(userId) !== deps.serverName) continue
    answer.deviceKeys.set(userId, objectOf([]))
    const userNid = await deps.dictionary.userNid(userId)
    if (userNid !== undefined) users.set(userNid, userId)
  }
  if (users.size === 0) return answer
  const signatures = await addedSignatures(deps, [...users.keys()], reader)
  const rows = await keyedDevices(deps.db, [...users.keys()])
  const isNamed = reader !== 'server' || tellsDeviceNames(deps)
  for (const [userNid, devices] of Map.groupBy(rows, (row) => row.user_nid)) {
    const userId = users.get(userNid)!
    const wanted = new Set(query.get(userId))
    const shown = devices.filter((row) => wanted.size === 0 || wanted.has(row.device_id))
    answer.deviceKeys.set(userId, objectOf(shown.map((row) => [row.device_id, shownRow(row, { signatures, isNamed })])))
  }
  await addCrossSigning(deps, answer, { users, reader, signatures })
  return answer
}

function shownRow(
  row: KeyedDeviceRow,
  { signatures, isNamed }: { readonly signatures: Signatures; readonly isNamed: boolean },
): JsonObject {
  const displayName = isNamed ? row.display_name : null
  return shownDevice({ keys: row.keys, displayName }, signatures(row.user_nid, row.device_id))
}

/** A name may say whose device it is and what kind, and whoever shares a room with a server can ask it for them. */
export function tellsDeviceNames({ settings }: Pick<Homeserver, 'settings'>): boolean {
  return settings.deviceNamesToServers === true
}

/** By user and device id or public key. */
export type Signatures = (userNid: number, target: string) => readonly AddedSignature[]

/** Those that a reader may see: the user's own, and the reader's own. <https://spec.matrix.org/v1.19/client-server-api/#key-and-signature-security> */
export async function addedSignatures(
  deps: Pick<Homeserver, 'db' | 'dictionary'>,
  userNids: readonly number[],
  reader: KeyReader,
): Promise<Signatures> {
  const readerNid = reader === 'server' ? undefined : reader.userNid
  const rows = await keySignatures(deps.db, { userNids, readerNid })
  const signers = await deps.dictionary.userIds(rows.map((row) => row.signer_nid))
  const found = new Map<string, AddedSignature[]>()
  for (const [index, row] of rows.entries()) {
    const name = `${row.user_nid} ${row.target}`
    const added = { signer: signers[index]!, keyId: row.key_id, signature: row.signature }
    found.set(name, [...(found.get(name) ?? []), added])
  }
  return (userNid, target) => found.get(`${userNid} ${target}`) ?? []
}

/** The user-signing key is shown to nobody but its user. */
export async function addCrossSigning(
  deps: Pick<Homeserver, 'db'>,
  answer: KeyAnswer,
  of: { readonly users: ReadonlyMap<number, UserId>; readonly reader: KeyReader; readonly signatures: Signatures },
): Promise<void> {
  for (const row of await crossSigningKeys(deps.db, [...of.users.keys()])) {
    const usage = usageOf(row.key_usage)
    const isOwn = of.reader !== 'server' && of.reader.userNid === row.user_nid
    if (usage === 'user_signing' && !isOwn) continue
    const key = withSignatures(storedObject(row.keys), of.signatures(row.user_nid, row.public_key))
    answer.crossSigning[usage].set(of.users.get(row.user_nid)!, key)
  }
}

function usageOf(code: number): KeyUsage {
  for (const [usage, known] of Object.entries(USAGE_CODES)) if (known === code) return usage as KeyUsage
  throw new Error(`unknown key usage ${code} in the database`)
}

export type LocalDevices = {
  readonly user_id: UserId
  readonly stream_id: number
  readonly devices: readonly {
    readonly device_id: string
    readonly keys: JsonObject
    readonly device_display_name?: string
  }[]
  readonly master_key?: JsonObject
  readonly self_signing_key?: JsonObject
}

/** The answer to GET /user/devices/{userId}; of a user without devices, or whom nobody knows, it is empty. */
export async function localDevices(deps: LocalDeps, userId: UserId): Promise<LocalDevices> {
  const userNid = await deps.dictionary.userNid(userId)
  if (userNid === undefined) return noDevices(userId)
  // First the number: what changes meanwhile is told again, not lost.
  const streamId = await newestDeviceUpdate(deps.db, userNid)
  const signatures = await addedSignatures(deps, [userNid], 'server')
  const rows = await keyedDevices(deps.db, [userNid])
  const answer = emptyAnswer()
  await addCrossSigning(deps, answer, { users: new Map([[userNid, userId]]), reader: 'server', signatures })
  const { master, self_signing: selfSigning } = answer.crossSigning
  // Who has nothing to show answers like somebody who does not exist.
  if (rows.length === 0 && !master.has(userId) && !selfSigning.has(userId)) return noDevices(userId)
  return {
    user_id: userId,
    stream_id: streamId,
    devices: rows.map((row) => sentDevice(row, { signatures, isNamed: tellsDeviceNames(deps) })),
    ...(master.has(userId) ? { master_key: master.get(userId)! } : {}),
    ...(selfSigning.has(userId) ? { self_signing_key: selfSigning.get(userId)! } : {}),
  }
}

function noDevices(userId: UserId): LocalDevices {
  return { user_id: userId, stream_id: 0, devices: [] }
}

function sentDevice(
  row: KeyedDeviceRow,
  { signatures, isNamed }: { readonly signatures: Signatures; readonly isNamed: boolean },
): LocalDevices['devices'][number] {
  return {
    device_id: row.device_id,
    keys: withSignatures(storedObject(row.keys), signatures(row.user_nid, row.device_id)),
    ...(row.display_name === null || !isNamed ? {} : { device_display_name: originalText(row.display_name) }),
  }
}
