/** The event by which a room says that another one takes its place. <https://spec.matrix.org/v1.19/client-server-api/#mroomtombstone> */
import { matrixError } from '@holdfast/protocol/errors'
import type { JsonObject } from '@holdfast/protocol/json/value'
import type { Homeserver } from '../homeserver.ts'

/** Clients that followed a room to itself would never arrive. @throws {MatrixError} M_INVALID_PARAM */
export async function checkTombstone(
  deps: Pick<Homeserver, 'events'>,
  roomNid: number,
  content: JsonObject,
): Promise<void> {
  const { roomId } = await deps.events.room(roomNid)
  if (content['replacement_room'] !== roomId) return
  throw matrixError('M_INVALID_PARAM', 'A room cannot be its own replacement.')
}
