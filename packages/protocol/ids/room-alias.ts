/** Room aliases: `#name:server`. <https://spec.matrix.org/v1.19/appendices/#room-aliases> */
import type { RoomAlias } from './brand.ts'
import { isDomainId } from './common.ts'

export function parseRoomAlias(raw: string): RoomAlias | undefined {
  return isDomainId(raw, '#') ? (raw as RoomAlias) : undefined
}
