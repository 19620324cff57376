/** An event on the room's present head that is not committed yet: another server has to sign it first. */
import type { Homeserver } from '../homeserver.ts'
import { narrowHead, type TipsDeps } from './many-tips.ts'
import { prefetch } from './prefetch.ts'
import type { StoredEventRef } from './room-changes.ts'
import { RoomDraft, type NewRoomEvent } from './room-draft.ts'
import type { RoomHead } from './room-heads.ts'

export type UnsentDeps = TipsDeps & Pick<Homeserver, 'roomQueue' | 'serverName' | 'random'>

/**
 * Built and authorised as if it were sent now.
 * @throws {MatrixError} M_FORBIDDEN with the rule's sentence, M_TOO_LARGE
 */
export async function draftUnsent(
  deps: UnsentDeps,
  roomNid: number,
  event: NewRoomEvent,
): Promise<{ readonly event: StoredEventRef; readonly head: RoomHead }> {
  return deps.roomQueue.turn(roomNid, async (whole) => {
    if (whole === undefined) throw new Error(`room ${roomNid} is missing`)
    const head = (await narrowHead(deps, whole))?.head ?? whole
    const prefetchDeps = { ...deps, eventNids: deps.nids.events, stateNids: deps.nids.states }
    const prefetched = await prefetch(prefetchDeps, { rules: head.rules, state: head.state.map }, [{ events: [event] }])
    return { event: new RoomDraft(deps, head, head, prefetched).add(event).event, head: whole }
  })
}
