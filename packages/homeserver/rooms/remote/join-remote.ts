/** Joining a room through a server that is in it. <https://spec.matrix.org/v1.19/server-server-api/#joining-rooms> */
import { matrixError } from '@holdfast/protocol/errors'
import type { RoomId } from '@holdfast/protocol/ids/brand'
import { TIME_LIMITS } from '@holdfast/protocol/limits'
import type { Requester } from '../../accounts/requester.ts'
import type { Homeserver } from '../../homeserver.ts'
import type { ToldRoom } from '../incomplete/core-events.ts'
import { fillRoom, type FillDeps } from '../incomplete/fill-room.ts'
import type { Filling } from '../incomplete/incomplete-rooms.ts'
import { closedToGuests, toldToAdmitGuests } from '../guest-access.ts'
import { acceptEvents } from '../receive/accept-events.ts'
import { checkIncoming } from '../receive/check-incoming.ts'
import type { IncomingEvent } from '../receive/incoming.ts'
import { isResident } from '../room-heads.ts'
import {
  askToEnter,
  type Admitted,
  type AskingDeps,
  type Attempt,
  type Entry,
  type RemoteJoin,
} from './ask-to-enter.ts'
import { candidateServers } from './candidates.ts'
import { importRoom, type ImportDeps } from './import-room.ts'
import { ensureRoom, type OutsideDeps } from './outside-room.ts'
import { leaveThrough } from './send-leave.ts'
import { tryServers } from './try-servers.ts'

export type RemoteDeps = ImportDeps &
  OutsideDeps &
  FillDeps &
  AskingDeps &
  Pick<Homeserver, 'federation' | 'inboxes' | 'signingKey' | 'random' | 'log'>

type JoiningUser = Pick<Requester, 'userId' | 'userNid' | 'deviceNid' | 'isGuest'>

/** A room that is to be filled in, and all of its state, if that was told with the join. */
type BegunRoom = { readonly filling: Filling; readonly told: ToldRoom | undefined }

/** The rest of a small room is here so soon that nobody need ever see a part of it. */
const WHOLE_SOON_MS = 300

/**
 * Joins by way of the first server that lets the user in.
 * @throws {MatrixError} what the servers said
 */
export async function joinRemoteRoom(deps: RemoteDeps, requester: JoiningUser, join: RemoteJoin): Promise<void> {
  const { roomId } = join
  const head = await deps.heads.byId(roomId)
  if (head === undefined || !isResident(head)) {
    await holdingInbox(deps, roomId, () => joinInTurn(deps, requester, join))
    return
  }
  // A room that goes on here must not stand still while another server thinks about the answer.
  const admitted: Admitted[] = []
  const undone = (error: unknown): Promise<never> => takeBackAll(deps, requester, { roomId, admitted, error })
  const entry = await throughAny(deps, requester, { join, head, admitted }, async (one) => one).catch((error) =>
    deps.inboxes.run(roomId, () => undone(error)),
  )
  await holdingInbox(deps, roomId, () => enter(deps, requester, roomId, entry).catch(undone))
}

/** Whoever fills in the room holds its inbox from the join on, so that nothing else comes into it. */
async function holdingInbox(
  deps: RemoteDeps,
  roomId: RoomId,
  joining: () => Promise<BegunRoom | undefined>,
): Promise<void> {
  const begun = Promise.withResolvers<void>()
  const work = async (): Promise<void> => {
    const begunRoom = await joining()
    if (begunRoom === undefined) return
    const filled = fillRoom(deps, begunRoom.filling, begunRoom.told)
    if (begunRoom.told === undefined) await Promise.race([filled, deps.clock.sleep(WHOLE_SOON_MS)])
    begun.resolve()
    await filled
  }
  const held = deps.inboxes.run(roomId, work, { isLong: true })
  deps.incompleteRooms.track(held)
  held.then(begun.resolve, begun.reject)
  await begun.promise
}

async function joinInTurn(deps: RemoteDeps, requester: JoiningUser, join: RemoteJoin): Promise<BegunRoom | undefined> {
  const { roomId } = join
  const head = await deps.heads.byId(roomId)
  // Somebody else from here may have joined while this waited.
  if (head?.members.joined.has(requester.userNid) === true) return undefined
  const admitted: Admitted[] = []
  try {
    return await throughAny(deps, requester, { join, head, admitted }, (entry) => enter(deps, requester, roomId, entry))
  } catch (error) {
    return takeBackAll(deps, requester, { roomId, admitted, error })
  }
}

/** Asks the servers that may know the room, until one lets the user in and `use` can use that. */
async function throughAny<T>(
  deps: RemoteDeps,
  requester: JoiningUser,
  attempt: Attempt,
  use: (entry: Entry) => Promise<T>,
): Promise<T> {
  const { join, head } = attempt
  const room = { roomId: join.roomId, head, named: join.servers, userNid: requester.userNid }
  const outcome = await tryServers(await candidateServers(deps, room), async (server) => {
    const entry = await askToEnter(deps, requester, attempt, server)
    // Only now it is told, and only here is it known that the user is a guest.
    if (requester.isGuest && !toldToAdmitGuests(entry.told.state)) return 'closed-to-guests'
    return { used: await use(entry) }
  })
  if (outcome === 'closed-to-guests') throw closedToGuests()
  return outcome.used
}

/** Takes the join into the room, or begins the room with it. Only whoever holds its inbox may call it. */
async function enter(
  deps: RemoteDeps,
  requester: JoiningUser,
  roomId: RoomId,
  { server, rules, own, told, returned }: Entry,
): Promise<BegunRoom | undefined> {
  const room = await ensureRoom(deps, roomId, rules)
  const incoming = (await countersigned(deps, room, { own, returned })) ?? own
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

/** For the other servers the user is in the room now, and would stay there, as nobody here knows of it. */
async function takeBackAll(
  deps: RemoteDeps,
  requester: JoiningUser,
  failed: { readonly roomId: RoomId; readonly admitted: readonly Admitted[]; readonly error: unknown },
): Promise<never> {
  const { roomId, admitted, error } = failed
  for (const one of admitted) await takeBack(deps, requester, { roomId, ...one })
  throw error
}

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

/** Our event with the signature of the server that vouches for it; undefined if there is none. */
async function countersigned(
  deps: RemoteDeps,
  room: Parameters<typeof checkIncoming>[1],
  { own, returned }: Pick<Entry, 'own' | 'returned'>,
): Promise<IncomingEvent | undefined> {
  if (returned === undefined) return undefined
  const { incoming } = await checkIncoming(deps, room, { values: [{ value: returned }] })
  return incoming.find(({ parsed }) => parsed.pdu.eventId === own.parsed.pdu.eventId)
}
