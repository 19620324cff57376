/**
 * Turns updates of device lists into EDUs for the servers that share a room with the user, and tells servers that a user
 * meets by a join of the list that they are to follow from then on. <https://spec.matrix.org/v1.19/server-server-api/#device-management>
 */
import type { ServerName } from '@holdfast/protocol/ids/brand'
import {
  type DeviceListUpdate,
  deviceListUpdatesSince,
  newestDeviceListUpdate,
  type UpdateDeps,
} from '../../e2e-keys/device-list-updates.ts'
import { insertOutgoingEdu, serversMet, serversOfUser, setDeviceListsSent } from '../../storage/outbox.ts'
import { type JoinDeps, type LocalJoin, localJoinsSince } from './local-joins.ts'
import { OUTBOX_LIMITS } from './limits.ts'

export type DeviceListsDeps = UpdateDeps &
  JoinDeps & {
    readonly wakeForEdus: (servers: readonly ServerName[]) => void
  }

/** @returns a step that answers whether there may be more */
export function followDeviceLists(deps: DeviceListsDeps, sentBefore: number): () => Promise<boolean> {
  /** Up to here nothing is left to be sent. */
  let looked = sentBefore

  async function send(update: DeviceListUpdate, position: number, servers: readonly ServerName[]): Promise<void> {
    const moved = setDeviceListsSent(position)
    if (servers.length === 0) {
      await deps.db.commit([moved])
      return
    }
    const edu = JSON.stringify(update.edu)
    // Whoever is given only the newest has not seen the one that it names as the one before, and asks for the list.
    const key = `${update.edu.edu_type} ${update.userId}`
    const rows = servers.map((destination) => insertOutgoingEdu({ positionOffset: 0, destination, key, edu }))
    await deps.streams.commit([...rows, moved], { positions: 1, publish: () => deps.wakeForEdus(servers) })
  }

  async function sendUpdate(update: DeviceListUpdate): Promise<void> {
    const userNid = await deps.dictionary.userNid(update.userId)
    const servers = userNid === undefined ? [] : await serversOfUser(deps.db, userNid)
    await send(update, update.position, servers as readonly ServerName[])
  }

  async function greet(join: LocalJoin, upTo: number): Promise<void> {
    const servers = (await serversMet(deps.db.heavy, join)) as readonly ServerName[]
    if (servers.length === 0) return
    const update = await newestDeviceListUpdate(deps, join.userNid)
    if (update !== undefined) await send(update, Math.min(join.position, upTo), servers)
  }

  return async () => {
    const upTo = deps.streams.position()
    const limit = OUTBOX_LIMITS.deviceListUpdatesAtOnce
    const updates = await deviceListUpdatesSince(deps, { after: looked, limit })
    const isCut = updates.length === limit
    const range = { after: looked, upTo: isCut ? updates.at(-1)!.position : upTo }
    const news = [
      ...updates.map((update) => ({ position: update.position, tell: () => sendUpdate(update) })),
      ...(await localJoinsSince(deps, range)).map((join) => ({
        position: Math.min(join.position, range.upTo),
        tell: () => greet(join, range.upTo),
      })),
    ].toSorted((a, b) => a.position - b.position)
    for (const { position, tell } of news) {
      await tell()
      looked = Math.max(looked, position)
    }
    looked = Math.max(looked, range.upTo)
    return isCut
  }
}
