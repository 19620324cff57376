/** Which servers a room lets take part now. <https://spec.matrix.org/v1.19/client-server-api/#server-access-control-lists-acls-for-rooms> */
import { compileServerAcl, type ServerAcl } from '@holdfast/protocol/federation/server-acl'
import { matrixError } from '@holdfast/protocol/errors'
import type { JsonObject } from '@holdfast/protocol/json/value'
import type { Homeserver } from '../homeserver.ts'
import { stateEventAt } from './current-state.ts'
import type { StoredEvent } from './event-store.ts'
import type { RoomHead } from './room-heads.ts'

const EVERYBODY = compileServerAcl(undefined)
/** Compiled lists live as long as their event does in the event store's cache; a redacted event is another object. */
const compiled = new WeakMap<StoredEvent, ServerAcl>()

export async function roomAcl(
  deps: Pick<Homeserver, 'dictionary' | 'events'>,
  { state }: Pick<RoomHead, 'state'>,
): Promise<ServerAcl> {
  const event = await stateEventAt(deps, state.map, { type: 'm.room.server_acl', stateKey: '' })
  if (event === undefined) return EVERYBODY
  let acl = compiled.get(event)
  if (acl === undefined) {
    acl = compileServerAcl(event.pdu.content)
    compiled.set(event, acl)
  }
  return acl
}

/** A list that shuts this server out would end the room for who sets it, with nobody here able to mend it. @throws {MatrixError} M_INVALID_PARAM */
export function assertAdmitsUs({ serverName }: Pick<Homeserver, 'serverName'>, content: JsonObject): void {
  if (compileServerAcl(content).allows(serverName)) return
  throw matrixError('M_INVALID_PARAM', `The list would shut out ${serverName}, the server of its sender.`)
}
