/** Leaving a room that nobody here is in: an invitation is declined, a knock withdrawn. It always succeeds for the user. */
import { matrixError } from '@holdfast/protocol/errors'
import { buildEvent, type EdgeRef } from '@holdfast/protocol/event/build'
import { signBuiltEvent } from '@holdfast/protocol/event/sign'
import { TIME_LIMITS } from '@holdfast/protocol/limits'
import type { RoomId } from '@holdfast/protocol/ids/brand'
import type { JsonObject } from '@holdfast/protocol/json/value'
import type { Requester } from '../../accounts/requester.ts'
import { ask, part, type Asking } from '../../federation/remote-rooms/ask.ts'
import { edgeRef } from '../edge-ref.ts'
import type { IncomingEvent } from '../receive/incoming.ts'
import type { RoomHead } from '../room-heads.ts'
import { candidateServers } from './candidates.ts'
import { isUnknownEndpoint, type RemoteDeps } from './join-remote.ts'
import { setOutsideMembership } from './outside-room.ts'
import { askTemplate, eventFromTemplate, ownIncoming } from './templates.ts'
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
      const template = await askTemplate(asking, 'leave', { roomId, userId })
      // The template may leave out the version, which we know.
      const own = eventFromTemplate(deps, { ...template, rules: head.rules }, { asking, roomId, userId, content })
      await sendLeave(asking, roomId, own)
      return own
    })
  } catch (error) {
    deps.log.info({ room: roomId, error: (error as Error).message }, 'left a room without its other servers')
    return undefined
  }
}

async function sendLeave(asking: Asking, roomId: RoomId, { parsed }: IncomingEvent): Promise<void> {
  const target = `${part(roomId)}/${part(parsed.pdu.eventId)}`
  const body = JSON.parse(parsed.json) as JsonObject
  try {
    await ask(asking, { method: 'PUT', path: `/_matrix/federation/v2/send_leave/${target}`, body })
  } catch (error) {
    if (!isUnknownEndpoint(error)) throw error
    await ask(asking, { method: 'PUT', path: `/_matrix/federation/v1/send_leave/${target}`, body })
  }
}

/** An event that stays here: it follows the one that it answers. */
async function localLeave(
  deps: RemoteDeps,
  { userId, userNid }: Pick<Requester, 'userId' | 'userNid'>,
  { head, content }: RemoteLeave,
): Promise<IncomingEvent> {
  const { roomId, rules, roomNid } = head
  const answered = (await deps.memberships.of(userNid)).get(roomNid)
  const event = answered === undefined ? undefined : await deps.events.byNid(answered.eventNid)
  const edges: readonly EdgeRef[] = event === undefined ? [] : [edgeRef(event, rules)]
  const built = buildEvent({
    rules,
    roomId,
    draft: { type: 'm.room.member', stateKey: userId, sender: userId, content, originServerTs: deps.clock.nowMs() },
    prevEvents: edges,
    authEvents: edges,
    depth: (event?.pdu.depth ?? 0) + 1,
    serverName: deps.serverName,
    eventIdLocalpart: rules.eventId === 'random' ? deps.random.text(18) : undefined,
  })
  return ownIncoming(deps, rules, signBuiltEvent(built, deps.serverName, deps.signingKey))
}
