/** Joining a room through a server that is in it. <https://spec.matrix.org/v1.19/server-server-api/#joining-rooms> */
import { matrixError } from '@holdfast/protocol/errors'
import type { RoomId, ServerName } from '@holdfast/protocol/ids/brand'
import { parseUserId } from '@holdfast/protocol/ids/user-id'
import { isObject, type JsonObject } from '@holdfast/protocol/json/value'
import { TIME_LIMITS } from '@holdfast/protocol/limits'
import type { RoomRules } from '@holdfast/protocol/room-version/rules'
import type { Requester } from '../../accounts/requester.ts'
import type { Homeserver } from '../../homeserver.ts'
import { ask, eventsIn, isUnknownEndpoint, part, type Asking } from '../../federation/remote-rooms/ask.ts'
import { parseServers, type ToldJoin, type ToldRoom } from '../incomplete/core-events.ts'
import { fillRoom, type FillDeps } from '../incomplete/fill-room.ts'
import type { Filling } from '../incomplete/incomplete-rooms.ts'
import { closedToGuests, toldToAdmitGuests } from '../guest-access.ts'
import { acceptEvents } from '../receive/accept-events.ts'
import { checkIncoming } from '../receive/check-incoming.ts'
import type { IncomingEvent } from '../receive/incoming.ts'
import { isResident } from '../room-heads.ts'
import { EMPTY_STATE } from '../state-store.ts'
import { candidateServers } from './candidates.ts'
import { importRoom, type ImportDeps } from './import-room.ts'
import { isMaybeDone } from './maybe-done.ts'
import { ensureRoom, type OutsideDeps } from './outside-room.ts'
import { leaveThrough } from './send-leave.ts'
import { askTemplate, eventFromTemplate, type Template } from './templates.ts'
import { tryServers } from './try-servers.ts'

export type RemoteDeps = ImportDeps &
  OutsideDeps &
  FillDeps &
  Pick<Homeserver, 'federation' | 'inboxes' | 'signingKey' | 'random' | 'log'>

export type RemoteJoin = {
  readonly roomId: RoomId
  /** Servers that the client named. */
  readonly servers: readonly ServerName[]
  /** The content of the member event, complete but for who vouches for it. */
  readonly content: JsonObject
  readonly signal?: AbortSignal | undefined
}

type JoiningUser = Pick<Requester, 'userId' | 'userNid' | 'deviceNid' | 'isGuest'>

/** The rest of a small room is here so soon that nobody need ever see a part of it. */
const WHOLE_SOON_MS = 300
const STATE_BYTES_MAX = 256 * 1024 * 1024

/**
 * Joins by way of the first server that lets the user in.
 * @throws {MatrixError} what the servers said
 */
export async function joinRemoteRoom(deps: RemoteDeps, requester: JoiningUser, join: RemoteJoin): Promise<void> {
  const begun = Promise.withResolvers<void>()
  // Whoever fills in the room holds its inbox from the join on, so that nothing else comes into it.
  const held = deps.inboxes.run(
    join.roomId,
    async () => {
      const begunRoom = await joinInTurn(deps, requester, join)
      if (begunRoom === undefined) return
      const filled = fillRoom(deps, begunRoom.filling, begunRoom.told)
      if (begunRoom.told === undefined) await Promise.race([filled, deps.clock.sleep(WHOLE_SOON_MS)])
      begun.resolve()
      await filled
    },
    { isLong: true },
  )
  deps.incompleteRooms.track(held)
  held.then(begun.resolve, begun.reject)
  await begun.promise
}

/** A room that is to be filled in, and all of its state, if that was told with the join. */
type BegunRoom = { readonly filling: Filling; readonly told: ToldRoom | undefined }

async function joinInTurn(deps: RemoteDeps, requester: JoiningUser, join: RemoteJoin): Promise<BegunRoom | undefined> {
  const { roomId } = join
  const head = await deps.heads.byId(roomId)
  // Somebody else from here may have joined while this waited.
  if (head?.members.joined.has(requester.userNid) === true) return undefined
  const room = { roomId, head, named: join.servers, userNid: requester.userNid }
  const admitted: Admitted[] = []
  try {
    const begun = await tryServers(await candidateServers(deps, room), (server) =>
      joinThrough(deps, requester, { join, server, admitted }),
    )
    if (begun !== 'closed-to-guests') return begun
    throw closedToGuests()
  } catch (error) {
    for (const one of admitted) await takeBack(deps, requester, { roomId, ...one })
    throw error
  }
}

/** A server that let the user in, or may have, though the room could not be begun here with what it told. */
type Admitted = { readonly asking: Asking; readonly rules: RoomRules }

/** For the other servers the user is in the room now, and would stay there, as nobody here knows of it. */
async function takeBack(
  deps: RemoteDeps,
  { userId }: Pick<Requester, 'userId'>,
  { roomId, asking, rules }: Admitted & { readonly roomId: RoomId },
): Promise<void> {
  const { signal: _signal, ...patient } = asking
  const leave = { roomId, userId, rules, content: { membership: 'leave' } }
  try {
    await leaveThrough(deps, { ...patient, deadlineMs: TIME_LIMITS.federationQueryMs }, leave)
  } catch (error) {
    const { message } = error as Error
    deps.log.warn(
      { room: roomId, server: asking.server, error: message },
      'could not take back a join that failed here',
    )
  }
}

async function joinThrough(
  deps: RemoteDeps,
  requester: JoiningUser,
  { join, server, admitted }: { readonly join: RemoteJoin; readonly server: ServerName; readonly admitted: Admitted[] },
): Promise<BegunRoom | 'closed-to-guests' | undefined> {
  const { roomId, signal } = join
  const asking: Asking = {
    client: deps.federation.client,
    server,
    urgent: true,
    deadlineMs: TIME_LIMITS.federationMakeMs,
    ...(signal === undefined ? {} : { signal }),
  }
  const { userId } = requester
  const template = await askTemplate(asking, 'join', { roomId, userId })
  const content = withVoucher(join.content, template)
  const own = eventFromTemplate(deps, template, { asking, roomId, userId, content })
  const known = await deps.heads.byId(roomId)
  // Of a room that was here before the old members would have to leave first.
  const omitMembers = known === undefined || known.state.nid === EMPTY_STATE.nid
  const patient = { ...asking, deadlineMs: TIME_LIMITS.federationJoinMs }
  const one = { asking, rules: template.rules }
  const answer = await sendJoin(patient, { roomId, own, omitMembers }).catch((error: unknown) => {
    if (isMaybeDone(error)) admitted.push(one)
    throw error
  })
  admitted.push(one)
  const told = toldJoin(asking, answer)
  // Only now it is told, and only here is it known that the user is a guest.
  if (requester.isGuest && !toldToAdmitGuests(told.state)) return 'closed-to-guests'
  const room = await ensureRoom(deps, roomId, template.rules)
  const incoming = (await countersigned(deps, room, { own, answer })) ?? own
  const transaction = { deviceNid: requester.deviceNid, transactionId: undefined }
  const head = await deps.heads.byNid(room.roomNid)
  if (isResident(head)) {
    // Nobody here could vouch for the join, but we know the room better than to be told its state.
    const [acceptance] = await acceptEvents(deps, room, { arrivals: [{ incoming, transaction }], time: 'present' })
    if (acceptance!.outcome === 'accepted' || acceptance!.outcome === 'known') return undefined
    throw matrixError('M_FORBIDDEN', 'The room, as it is known here, does not admit the join.')
  }
  const filling = await importRoom(deps, room, { told, incoming, transaction, via: server })
  return filling === undefined ? undefined : { filling, told: told.membersOmitted ? undefined : told }
}

/** In restricted rooms the other server names whom of its users it lets vouch. */
function withVoucher(content: JsonObject, { event, rules }: Template): JsonObject {
  const offered = isObject(event['content']) ? event['content']['join_authorised_via_users_server'] : undefined
  if (!rules.restrictedJoins || typeof offered !== 'string' || parseUserId(offered) === undefined) return content
  return { ...content, join_authorised_via_users_server: offered }
}

async function sendJoin(
  asking: Asking,
  { roomId, own, omitMembers }: { readonly roomId: RoomId; readonly own: IncomingEvent; readonly omitMembers: boolean },
): Promise<JsonObject> {
  const { parsed } = own
  const query = omitMembers ? '?omit_members=true' : ''
  const target = `${part(roomId)}/${part(parsed.pdu.eventId)}`
  const body = JSON.parse(parsed.json) as JsonObject
  const request = { method: 'PUT', body, responseBytesMax: STATE_BYTES_MAX } as const
  try {
    return await ask(asking, { ...request, path: `/_matrix/federation/v2/send_join/${target}${query}` })
  } catch (error) {
    if (!isUnknownEndpoint(error)) throw error
    return ask(asking, { ...request, path: `/_matrix/federation/v1/send_join/${target}` })
  }
}

/** Our event with the signature of the server that vouches for it; undefined if there is none. */
async function countersigned(
  deps: RemoteDeps,
  room: Parameters<typeof checkIncoming>[1],
  { own, answer }: { readonly own: IncomingEvent; readonly answer: JsonObject },
): Promise<IncomingEvent | undefined> {
  const { event } = answer
  if (!isObject(event)) return undefined
  const { incoming } = await checkIncoming(deps, room, { values: [{ value: event }] })
  return incoming.find(({ parsed }) => parsed.pdu.eventId === own.parsed.pdu.eventId)
}

function toldJoin(asking: Asking, answer: JsonObject): ToldJoin {
  return {
    state: eventsIn(asking, answer, 'state'),
    authChain: eventsIn(asking, answer, 'auth_chain'),
    membersOmitted: answer['members_omitted'] === true,
    servers: parseServers(answer['servers_in_room']),
  }
}
