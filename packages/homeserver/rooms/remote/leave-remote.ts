/** Leaving a room that nobody here is in: an invitation is declined, a knock withdrawn. It always succeeds for the user. */
import { matrixError } from '@holdfast/protocol/errors'
import { buildEvent } from '@holdfast/protocol/event/build'
import { signBuiltEvent } from '@holdfast/protocol/event/sign'
import { TIME_LIMITS } from '@holdfast/protocol/limits'
import type { JsonObject } from '@holdfast/protocol/json/value'
import type { Requester } from '../../accounts/requester.ts'
import type { Asking } from '../../federation/remote-rooms/ask.ts'
import type { IncomingEvent } from '../receive/incoming.ts'
import type { RoomHead } from '../room-heads.ts'
import { candidateServers } from './candidates.ts'
import type { RemoteDeps } from './join-remote.ts'
import { setOutsideMembership } from './outside-room.ts'
import { leaveThrough } from './send-leave.ts'
import { ownIncoming } from './templates.ts'
import { tryServers } from './try-servers.ts'

/** Servers asked before the user leaves without them. */
const SERVERS_MAX = 3

export type RemoteLeave = { readonly head: RoomHead; readonly content: JsonObject }

/** The other servers hear of it if one of them can be reached; here the user has left in any case. */
export async function leaveRemoteRoom(
  deps: RemoteDeps,
  requester: Pick<Requester, 'userId' | 'userNid' | 'deviceNid'>,
  { head, content }: RemoteLeave,
): Promise<void> {
  const { roomId, rules, roomNid } = head
  const { userId, userNid } = requester
  await deps.inboxes.run(roomId, async () => {
    const membership = (await deps.memberships.of(userNid)).get(roomNid)?.membership
    if (membership === undefined || membership === 'leave') return
    if (membership === 'ban') throw matrixError('M_FORBIDDEN', 'You are banned from this room.')
    const incoming =
      (await leaveThroughServer(deps, requester, { head, content })) ??
      (await localLeave(deps, requester, { head, content }))
    const transaction = { deviceNid: requester.deviceNid, transactionId: undefined }
    await setOutsideMembership(deps, { roomNid, roomId, rules }, { userId, membership: 'leave', incoming, transaction })
  })
}

async function leaveThroughServer(
  deps: RemoteDeps,
  { userId, userNid }: Pick<Requester, 'userId' | 'userNid'>,
  { head, content }: RemoteLeave,
): Promise<IncomingEvent | undefined> {
  const { roomId } = head
  const servers = await candidateServers(deps, { roomId, head, named: [], userNid })
  try {
    return await tryServers(servers.slice(0, SERVERS_MAX), async (server) => {
      const asking: Asking = {
        client: deps.federation.client,
        server,
        urgent: true,
        deadlineMs: TIME_LIMITS.federationQueryMs,
      }
      return leaveThrough(deps, asking, { roomId, userId, content, rules: head.rules })
    })
  } catch (error) {
    deps.log.info({ room: roomId, error: (error as Error).message }, 'left a room without its other servers')
    return undefined
  }
}

/** An event that stays here. It cites nothing: what it answers may have the form of another room version. */
async function localLeave(
  deps: RemoteDeps,
  { userId, userNid }: Pick<Requester, 'userId' | 'userNid'>,
  { head, content }: RemoteLeave,
): Promise<IncomingEvent> {
  const { roomId, rules, roomNid } = head
  const answered = (await deps.memberships.of(userNid)).get(roomNid)
  const event = answered === undefined ? undefined : await deps.events.byNid(answered.eventNid)
  const built = buildEvent({
    rules,
    roomId,
    draft: { type: 'm.room.member', stateKey: userId, sender: userId, content, originServerTs: deps.clock.nowMs() },
    prevEvents: [],
    authEvents: [],
    depth: (event?.pdu.depth ?? 0) + 1,
    serverName: deps.serverName,
    eventIdLocalpart: rules.eventId === 'random' ? deps.random.text(18) : undefined,
  })
  return ownIncoming(deps, rules, signBuiltEvent(built, deps.serverName, deps.signingKey))
}
