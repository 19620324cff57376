/** Turns updates of device lists into EDUs for the servers that share a room with the user. <https://spec.matrix.org/v1.19/server-server-api/#device-management> */
import type { ServerName } from '@holdfast/protocol/ids/brand'
import type { Homeserver } from '../../homeserver.ts'
import { type DeviceListUpdate, deviceListUpdatesSince } from '../../e2e-keys/device-list-updates.ts'
import { insertOutgoingEdu, serversOfUser, setDeviceListsSent } from '../../storage/outbox.ts'
import { OUTBOX_LIMITS } from './limits.ts'

export type DeviceListsDeps = Pick<Homeserver, 'db' | 'dictionary' | 'streams'> & {
  readonly wakeForEdus: (servers: readonly ServerName[]) => void
}

/** @returns a step that answers whether there may be more */
export function followDeviceLists(deps: DeviceListsDeps, sentBefore: number): () => Promise<boolean> {
  let sent = sentBefore

  async function send(update: DeviceListUpdate): Promise<void> {
    const userNid = await deps.dictionary.userNid(update.userId)
    const servers = userNid === undefined ? [] : ((await serversOfUser(deps.db, userNid)) as readonly ServerName[])
    const moved = setDeviceListsSent(update.position)
    if (servers.length === 0) await deps.db.commit([moved])
    else {
      const edu = JSON.stringify(update.edu)
      // Whoever is given only the newest has not seen the one that it names as the one before, and asks for the list.
      const key = `${update.edu.edu_type} ${update.userId}`
      const rows = servers.map((destination) => insertOutgoingEdu({ positionOffset: 0, destination, key, edu }))
      await deps.streams.commit([...rows, moved], { positions: 1, publish: () => deps.wakeForEdus(servers) })
    }
    sent = update.position
  }

  return async () => {
    const limit = OUTBOX_LIMITS.deviceListUpdatesAtOnce
    const updates = await deviceListUpdatesSince(deps, { after: sent, limit })
    for (const update of updates) await send(update)
    return updates.length === limit
  }
}
