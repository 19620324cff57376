/** `m.presence` of other servers. <https://spec.matrix.org/v1.19/server-server-api/#presence> */
import type { ServerName } from '@holdfast/protocol/ids/brand'
import { isObject, type JsonValue } from '@holdfast/protocol/json/value'
import type { Homeserver } from '../../homeserver.ts'
import { STATUS_CHARACTERS_MAX } from '../../presence/presence-content.ts'
import type { RemotePresence } from '../../presence/remote-presence.ts'
import { isResident } from '../../rooms/room-heads.ts'
import { PRESENCE_CODES, type PresenceState } from '../../storage/presence.ts'
import { malformed, ownUser } from './edu-origin.ts'
import type { EduReceiver } from './receive-edus.ts'

/** Of one EDU. */
const USERS_MAX = 500

export const receivePresence: EduReceiver = async (deps, origin, content) => {
  const { push } = content
  if (!Array.isArray(push)) throw malformed('`push` must be a list.')
  if (!deps.presence.isEnabled) return
  const users = new Map<number, RemotePresence>()
  for (const said of (push as readonly JsonValue[]).slice(0, USERS_MAX)) {
    const presence = await checked(deps, origin, said)
    if (presence !== undefined) users.set(presence.userNid, presence)
  }
  await deps.remotePresence.said([...users.values()])
}

/** Undefined for what does not concern anybody here. */
async function checked(deps: Homeserver, origin: ServerName, said: JsonValue): Promise<RemotePresence | undefined> {
  if (!isObject(said)) return undefined
  const userId = ownUser(origin, said['user_id'])
  const { presence: state, status_msg: status, last_active_ago: ago } = said
  if (userId === undefined || typeof state !== 'string' || !Object.hasOwn(PRESENCE_CODES, state)) return undefined
  const userNid = await deps.dictionary.userNid(userId)
  if (userNid === undefined || !(await sharesRoom(deps, userNid))) return undefined
  const nowMs = deps.clock.nowMs()
  const isTime = typeof ago === 'number' && Number.isSafeInteger(ago) && ago >= 0
  return {
    userNid,
    state: state as PresenceState,
    statusMessage: statusOf(status),
    lastActiveMs: isTime ? Math.max(0, nowMs - ago) : nowMs,
  }
}

function statusOf(status: JsonValue | undefined): string | undefined {
  if (typeof status !== 'string' || status === '') return undefined
  return status.length > STATUS_CHARACTERS_MAX ? undefined : status
}

async function sharesRoom(deps: Pick<Homeserver, 'memberships' | 'heads'>, userNid: number): Promise<boolean> {
  for (const { roomNid, membership } of (await deps.memberships.of(userNid)).values()) {
    if (membership === 'join' && isResident(await deps.heads.byNid(roomNid))) return true
  }
  return false
}
