/** PDUs in the envelope that transactions and answers share. <https://spec.matrix.org/v1.19/server-server-api/#transactions> */
import type { Homeserver } from '../../homeserver.ts'

export function transactionText(deps: Pick<Homeserver, 'serverName' | 'clock'>, pdus: readonly string[]): string {
  const origin = JSON.stringify(deps.serverName)
  return `{"origin":${origin},"origin_server_ts":${deps.clock.nowMs()},"pdus":[${pdus.join(',')}]}`
}
