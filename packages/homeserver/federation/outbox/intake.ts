/** EDUs on their way into lanes. */
import type { ServerName } from '@holdfast/protocol/ids/brand'
import type { JsonObject } from '@holdfast/protocol/json/value'
import type { Homeserver } from '../../homeserver.ts'
import { boundEdus } from './bound-edus.ts'
import { pushEphemeral } from './lane.ts'
import type { Lanes } from './lanes.ts'
import { OUTBOX_LIMITS } from './limits.ts'
import type { Pump } from './pump.ts'

export type EphemeralEdu = {
  /** What was said before with this key and has not gone out yet is forgotten: `typing !room:a @user:b`. */
  readonly key: string
  readonly eduType: string
  readonly content: JsonObject
}

export type EduIntake = {
  /** There are new EDUs in storage for these servers. */
  stored(servers: Iterable<ServerName>): void
  ephemeral(servers: Iterable<ServerName>, edu: EphemeralEdu): void
}

export function openEduIntake(
  deps: Pick<Homeserver, 'db' | 'log' | 'serverName'>,
  { lanes, pump }: { readonly lanes: Lanes; readonly pump: Pump },
): EduIntake {
  return {
    stored: (servers) => {
      for (const server of servers) {
        if (server === deps.serverName) continue
        const lane = lanes.laneOf(server)
        lane.hasEdus = true
        lane.edusUnchecked += 1
        if (lane.edusUnchecked >= OUTBOX_LIMITS.edusUncheckedMax) boundEdus(deps, lane)
        pump.wake(lane)
      }
    },
    ephemeral: (servers, { key, eduType, content }) => {
      for (const server of servers) {
        if (server === deps.serverName) continue
        const lane = lanes.laneOf(server)
        // It cannot be reached now.
        if (lane.pause !== undefined) continue
        pushEphemeral(lane, key, { edu_type: eduType, content })
        pump.wake(lane)
      }
    },
  }
}
