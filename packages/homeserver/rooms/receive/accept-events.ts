/** Accepting events of other servers in the room's queue: load → decide → commit, as for our own. */
import { createSlices } from '@holdfast/platform/clock/slices'
import type { RoomId } from '@holdfast/protocol/ids/brand'
import type { RoomRules } from '@holdfast/protocol/room-version/rules'
import type { Homeserver } from '../../homeserver.ts'
import { commitChanges } from '../commit-round.ts'
import { expelGuestsIfClosed } from '../guest-leaves.ts'
import type { PublishDeps } from '../publish-draft.ts'
import type { RoomHead } from '../room-heads.ts'
import type { Acceptance, Arrival } from './incoming.ts'
import { ReceivedBatch, type BatchDeps, type BatchOptions } from './received-batch.ts'

export type AcceptDeps = BatchDeps & PublishDeps & Pick<Homeserver, 'roomQueue' | 'clock'>

export type AcceptedRoom = { readonly roomNid: number; readonly roomId: RoomId; readonly rules: RoomRules }

/** Events decided in one turn of the room, so that those who send in it meanwhile do not wait long. */
const EVENTS_PER_TURN = 50

/**
 * Decides on the events in their order, which has to be one in which each comes after those that it cites.
 * @returns what became of each, in the same order, after it is on disk
 */
export async function acceptEvents(
  deps: AcceptDeps,
  room: AcceptedRoom,
  { arrivals, ...options }: BatchOptions & { readonly arrivals: readonly Arrival[] },
): Promise<readonly Acceptance[]> {
  const outcomes: Acceptance[] = []
  const before = (await deps.heads.find(room.roomNid))?.state.map
  // What fills a gap comes whole, as its place is counted from its end.
  const atOnce = options.time === 'past' ? arrivals.length : EVENTS_PER_TURN
  for (let start = 0; start < arrivals.length; start += atOnce) {
    const some = arrivals.slice(start, start + atOnce)
    const turn = (head: RoomHead | undefined): Promise<readonly Acceptance[]> =>
      acceptInTurn(deps, room, { head, options, arrivals: some })
    outcomes.push(...(await deps.roomQueue.turn(room.roomNid, turn)))
  }
  const after = (await deps.heads.find(room.roomNid))?.state.map
  if (before !== undefined && after !== undefined) await expelGuestsIfClosed(deps, room.roomNid, { before, after })
  return outcomes
}

async function acceptInTurn(
  deps: AcceptDeps,
  room: AcceptedRoom,
  turn: {
    readonly head: RoomHead | undefined
    readonly options: BatchOptions
    readonly arrivals: readonly Arrival[]
  },
): Promise<readonly Acceptance[]> {
  const { head, options, arrivals } = turn
  const batch = new ReceivedBatch(deps, { ...room, version: room.rules.version }, head, options)
  const outcomes: Acceptance[] = []
  await batch.readAhead(arrivals)
  const slice = createSlices(deps.clock)
  for (const arrival of arrivals) {
    await slice()
    outcomes.push(await batch.add(arrival))
  }
  await batch.finish()
  const spoiled = await commitChanges(deps, batch)
  if (spoiled !== undefined) throw spoiled.error
  return outcomes
}
