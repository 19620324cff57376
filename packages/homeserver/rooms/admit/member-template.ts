/** The event that a user of another server has to sign to join, leave or knock. <https://spec.matrix.org/v1.19/server-server-api/#joining-rooms> */
import { matrixError } from '@holdfast/protocol/errors'
import { serverNameOf } from '@holdfast/protocol/ids/common'
import type { RoomId, ServerName, UserId } from '@holdfast/protocol/ids/brand'
import type { JsonObject } from '@holdfast/protocol/json/value'
import type { Homeserver } from '../../homeserver.ts'
import { draftUnsent, type UnsentDeps } from '../draft-unsent.ts'
import type { RoomHead } from '../room-heads.ts'
import { requireAdmittingRoom } from './admitting-room.ts'
import { voucherForRemoteJoin, type VoucherDeps } from './voucher.ts'

type TemplateDeps = VoucherDeps & UnsentDeps & Pick<Homeserver, 'clock' | 'incompleteRooms'>

export type TemplateRequest = {
  readonly origin: ServerName
  readonly roomId: RoomId
  readonly userId: UserId
  readonly membership: 'join' | 'leave' | 'knock'
  /** The room versions that the other server speaks; undefined where it was not asked. */
  readonly versions: readonly string[] | undefined
}

/** Servers that name no versions are from before there were any. */
const VERSIONS_UNNAMED = ['1']

/**
 * The event on the room's present head, authorised as if it were sent now.
 * @throws {MatrixError} M_NOT_FOUND, M_INCOMPATIBLE_ROOM_VERSION, M_FORBIDDEN, M_UNABLE_TO_AUTHORISE_JOIN, M_UNABLE_TO_GRANT_JOIN
 */
export async function memberTemplate(deps: TemplateDeps, request: TemplateRequest): Promise<JsonObject> {
  const { origin, roomId, userId, membership } = request
  if (serverNameOf(userId) !== origin) {
    throw matrixError('M_FORBIDDEN', `${origin} cannot act for ${userId}, who is no user of it.`)
  }
  const head = await requireAdmittingRoom(deps, origin, roomId)
  assertSpokenVersion(head, request)
  const voucher = membership === 'join' ? await voucherForRemoteJoin(deps, head, userId) : undefined
  const content: JsonObject = {
    membership,
    ...(voucher === undefined ? {} : { join_authorised_via_users_server: voucher }),
  }
  const { event } = await draftUnsent(deps, head.roomNid, {
    type: 'm.room.member',
    stateKey: userId,
    sender: userId,
    content,
    originServerTs: deps.clock.nowMs(),
  })
  // Id and hashes are made by the server that signs.
  const { event_id: _id, hashes: _hashes, ...template } = JSON.parse(event.json) as JsonObject
  return { event: { ...template, origin: deps.serverName }, room_version: head.version }
}

function assertSpokenVersion({ version }: RoomHead, { origin, versions }: TemplateRequest): void {
  if (versions === undefined) return
  if ((versions.length === 0 ? VERSIONS_UNNAMED : versions).includes(version)) return
  throw matrixError('M_INCOMPATIBLE_ROOM_VERSION', `The room has version ${version}, which ${origin} does not speak.`, {
    extra: { room_version: version },
  })
}
