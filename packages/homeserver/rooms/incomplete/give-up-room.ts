/** The end of a room that will not become whole: nobody here is in it any more. */
import type { UserId } from '@holdfast/protocol/ids/brand'
import { matrixError } from '@holdfast/protocol/errors'
import type { Homeserver } from '../../homeserver.ts'
import { deleteIncompleteRoom, eventsSince, incompleteRoom, markPartlyKnown } from '../../storage/incomplete-rooms.ts'
import { isResident } from '../room-heads.ts'
import type { Filling } from './incomplete-rooms.ts'

export type GiveUpDeps = Pick<
  Homeserver,
  'db' | 'events' | 'heads' | 'dictionary' | 'roomQueue' | 'clock' | 'serverName' | 'incompleteRooms'
>

/** All of this server leave. Their leaves go to the other servers, as any. */
export async function leaveIncompleteRoom(deps: GiveUpDeps, { roomNid }: Filling): Promise<void> {
  const head = await deps.heads.byNid(roomNid)
  const joined = await deps.dictionary.userIds([...head.members.joined])
  for (const userId of joined.filter((id) => id.endsWith(`:${deps.serverName}`))) {
    await leave(deps, roomNid, userId)
  }
}

async function leave({ roomQueue, clock }: GiveUpDeps, roomNid: number, userId: UserId): Promise<void> {
  const reason = 'The room is not what it was said to be.'
  const event = {
    type: 'm.room.member',
    stateKey: userId,
    sender: userId,
    content: { membership: 'leave', reason },
    originServerTs: clock.nowMs(),
  }
  await roomQueue.run(roomNid, {
    prepare: () => ({ events: [event] }),
    decide: (draft) => {
      const present = draft.stateEvent({ type: 'm.room.member', stateKey: userId })
      if (present?.pdu.content['membership'] === 'join') draft.add(event)
    },
  })
}

/**
 * Ends the filling of a room that everybody here has left. What is stored as states since the join is known to be a part only, so
 * that nothing is judged by it when somebody joins again.
 * @returns whether it is over
 */
export async function endFilling(deps: GiveUpDeps, { roomNid, joinNid }: Filling): Promise<boolean> {
  return deps.roomQueue.turn(roomNid, async (head) => {
    if (head !== undefined && isResident(head)) return false
    const join = await deps.events.byNid(joinNid)
    if (join === undefined) throw matrixError('M_UNKNOWN', 'The join of an incomplete room is not there.')
    const since = { roomNid, position: join.position }
    const events = await eventsSince(deps.db, since)
    if ((await incompleteRoom(deps.db, roomNid)) !== undefined) {
      await deps.db.commit([markPartlyKnown(since), deleteIncompleteRoom(roomNid)])
    }
    for (const { event_nid: nid } of events) deps.events.redacted(nid)
    deps.heads.drop(roomNid)
    deps.incompleteRooms.ended(roomNid)
    return true
  })
}
