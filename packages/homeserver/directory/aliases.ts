/** Making and removing room aliases of this server. <https://spec.matrix.org/v1.19/client-server-api/#room-aliases> */
import { powerLevels } from '@holdfast/protocol/auth/power-levels'
import { ExpectationFailed } from '@holdfast/platform/database/database'
import { matrixError, MatrixError } from '@holdfast/protocol/errors'
import { serverNameOf } from '@holdfast/protocol/ids/common'
import type { RoomAlias, RoomId } from '@holdfast/protocol/ids/brand'
import type { JsonObject } from '@holdfast/protocol/json/value'
import type { Requester } from '../accounts/requester.ts'
import type { Homeserver } from '../homeserver.ts'
import { authStateAt, stateEventAt } from '../rooms/current-state.ts'
import { joinedRoom } from '../rooms/room-access.ts'
import type { RoomHead } from '../rooms/room-heads.ts'
import { sendState } from '../rooms/send-state.ts'
import { aliasRow, deleteAlias, insertAlias } from '../storage/aliases.ts'

type AliasDeps = Pick<
  Homeserver,
  'db' | 'heads' | 'events' | 'dictionary' | 'serverName' | 'roomQueue' | 'clock' | 'log'
>

/** @throws {MatrixError} M_INVALID_PARAM for another server's alias, M_FORBIDDEN, M_ROOM_IN_USE */
export async function createAlias(
  deps: AliasDeps,
  requester: Requester,
  wanted: { readonly alias: RoomAlias; readonly roomId: RoomId },
): Promise<void> {
  assertLocal(deps, wanted.alias)
  const { roomNid } = await joinedRoom(deps, { userNid: requester.userNid, roomId: wanted.roomId })
  try {
    await deps.db.commit([insertAlias({ alias: wanted.alias, roomNid, creatorNid: requester.userNid })])
  } catch (error) {
    if (!(error instanceof ExpectationFailed)) throw error
    throw matrixError('M_ROOM_IN_USE', `The alias ${wanted.alias} is taken.`)
  }
}

/** For who made it, and for who may set the room's canonical alias. @throws {MatrixError} M_NOT_FOUND, M_FORBIDDEN */
export async function removeAlias(deps: AliasDeps, requester: Requester, alias: RoomAlias): Promise<void> {
  assertLocal(deps, alias)
  const row = await aliasRow(deps.db, alias)
  if (row === undefined) throw matrixError('M_NOT_FOUND', `The alias ${alias} leads nowhere.`)
  const head = await deps.heads.byNid(row.room_nid)
  const isMaker = row.creator_nid === requester.userNid
  if (!isMaker && !requester.isAdmin && !(await maySetCanonicalAlias(deps, head, requester))) {
    throw matrixError(
      'M_FORBIDDEN',
      'This alias belongs to somebody else, and you may not set the aliases of its room.',
    )
  }
  try {
    await deps.db.commit([deleteAlias({ alias, roomNid: row.room_nid })])
  } catch (error) {
    if (!(error instanceof ExpectationFailed)) throw error
    throw matrixError('M_NOT_FOUND', `The alias ${alias} leads nowhere.`)
  }
  await withdrawFromRoom(deps, requester, { head, alias })
}

/** Whether the user is in the room and has the power level for its canonical alias; who does may also publish the room. */
export async function maySetCanonicalAlias(
  deps: Pick<Homeserver, 'dictionary' | 'events'>,
  head: RoomHead,
  requester: Requester,
): Promise<boolean> {
  if (!head.members.joined.has(requester.userNid)) return false
  const state = await authStateAt(deps, head.state.map, [
    { type: 'm.room.create', stateKey: '' },
    { type: 'm.room.power_levels', stateKey: '' },
  ])
  const levels = powerLevels(head.rules, state)
  return levels.ofUser(requester.userId) >= levels.forState('m.room.canonical_alias')
}

function assertLocal(deps: AliasDeps, alias: RoomAlias): void {
  if (serverNameOf(alias) === deps.serverName) return
  throw matrixError('M_INVALID_PARAM', `Aliases of ${serverNameOf(alias)} are made there, not here.`)
}

/** The room no longer calls itself by an alias that is gone, if its remover may say so. */
async function withdrawFromRoom(
  deps: AliasDeps,
  requester: Requester,
  { head, alias }: { readonly head: RoomHead; readonly alias: RoomAlias },
): Promise<void> {
  const type = 'm.room.canonical_alias'
  const present = await stateEventAt(deps, head.state.map, { type, stateKey: '' })
  const content = present === undefined ? undefined : contentWithout(present.pdu.content, alias)
  if (content === undefined) return
  const event = { type, stateKey: '', sender: requester.userId, content, originServerTs: deps.clock.nowMs() }
  try {
    await sendState(deps, { roomNid: head.roomNid, requester, event })
  } catch (error) {
    if (!(error instanceof MatrixError)) throw error
    deps.log.info({ room: head.roomId, error: error.message }, 'a removed alias stays in the room that names it')
  }
}

/** undefined: the content does not name the alias. */
function contentWithout(content: JsonObject, alias: RoomAlias): JsonObject | undefined {
  const { alias: main, alt_aliases, ...rest } = content
  const others = Array.isArray(alt_aliases)
    ? (alt_aliases as readonly unknown[]).filter((other) => other !== alias)
    : undefined
  const namesIt =
    main === alias || (others !== undefined && others.length !== (alt_aliases as readonly unknown[]).length)
  if (!namesIt) return undefined
  return {
    ...rest,
    ...(main === undefined || main === alias ? {} : { alias: main }),
    ...(others === undefined ? {} : { alt_aliases: others as readonly string[] }),
  }
}
