/** An event on the room's present head that is not committed yet: another server has to sign it first. */
import type { Pdu } from '@holdfast/protocol/event/pdu'
import { STATE_KEY_MAX } from '@holdfast/protocol/state/state-map'
import type { Dictionary } from '../dictionary/dictionary.ts'
import type { Homeserver } from '../homeserver.ts'
import type { NidAllocator } from '../storage/nids.ts'
import { narrowHead, type TipsDeps } from './many-tips.ts'
import { prefetch } from './prefetch.ts'
import { RoomDraft, type NewRoomEvent } from './room-draft.ts'
import type { RoomHead } from './room-heads.ts'

export type UnsentDeps = TipsDeps & Pick<Homeserver, 'roomQueue' | 'serverName' | 'random'>

export type UnsentEvent = { readonly pdu: Pdu; readonly json: string }

/**
 * Built and authorised as if it were sent now. Nothing is remembered of it, nor of the names in it.
 * @throws {MatrixError} M_FORBIDDEN with the rule's sentence, M_TOO_LARGE
 */
export async function draftUnsent(
  deps: UnsentDeps,
  roomNid: number,
  event: NewRoomEvent,
): Promise<{ readonly event: UnsentEvent; readonly head: RoomHead }> {
  return deps.roomQueue.turn(roomNid, async (whole) => {
    if (whole === undefined) throw new Error(`room ${roomNid} is missing`)
    const head = (await narrowHead(deps, whole))?.head ?? whole
    const room = { rules: head.rules, state: head.state.map }
    const prefetched = await prefetch(withoutTrace(deps), room, [{ events: [event] }])
    const { pdu, json } = new RoomDraft(deps, head, head, prefetched).add(event).event
    return { event: { pdu, json }, head: whole }
  })
}

/** Words that are not known get numbers that stand for nothing: nobody fills our dictionary by asking about names. */
function withoutTrace({
  dictionary,
  events,
}: Pick<Homeserver, 'dictionary' | 'events'>): Parameters<typeof prefetch>[0] {
  let unused = STATE_KEY_MAX
  const placeholder = (): number => unused--
  const known: Dictionary = {
    ...dictionary,
    internUser: async (userId) => (await dictionary.userNid(userId)) ?? placeholder(),
    internStateKey: async (key) => (await dictionary.stateKeyNid(key)) ?? placeholder(),
  }
  const numbers: NidAllocator = { take: async (count) => Array.from({ length: count }, placeholder) }
  return { dictionary: known, events, eventNids: numbers, stateNids: numbers }
}
