/** Which events are the state at an event that is not here: as its sender tells it, unless others of the room know better. */
import type { EventId, ServerName } from '@holdfast/protocol/ids/brand'
import { askStateIds, type StateIds } from '../../federation/remote-rooms/ask.ts'
import type { Homeserver } from '../../homeserver.ts'
import { askingOf, type FetchDeps, type FetchFrom } from './fetch-missing.ts'

export type ToldState = StateIds & { readonly server: ServerName }

/** Others that are asked besides the sender. */
const WITNESSES_MAX = 2
/** Nobody has to wait long for a server that only confirms what another said. */
const WITNESS_MS_MAX = 10_000

/**
 * One server alone may tell what it likes, and whoever believes it parts from all others for good. So another one of the room is
 * asked as well: if the two contradict each other, or the sender does not answer, a third decides. Two that agree are believed,
 * otherwise the sender is: what the others do not know yet, only it can tell.
 */
export async function toldState(deps: FetchDeps, from: FetchFrom, eventId: EventId): Promise<ToldState> {
  const [first, second] = await witnesses(deps, from)
  const [told, confirmed] = await Promise.all([
    outcomeOf(ask(deps, from, eventId)),
    witness(deps, from, first, eventId),
  ])
  if (confirmed === undefined && !(told instanceof Error)) return told
  if (confirmed === undefined) throw told
  if (!(told instanceof Error) && isSame(told, confirmed)) return told
  const decided = await witness(deps, from, second, eventId)
  if (decided !== undefined && isSame(decided, confirmed)) return confirmed
  if (told instanceof Error) throw told
  return told
}

/** Those with the most members: they have been there for longest, and know the most. */
async function witnesses(
  { heads }: Pick<Homeserver, 'heads'>,
  { room, server: sender }: FetchFrom,
): Promise<readonly ServerName[]> {
  const { members } = await heads.byNid(room.roomNid)
  const others = [...members.servers].filter(([server, count]) => server !== sender && count > 0)
  return others
    .sort(([, a], [, b]) => b - a)
    .slice(0, WITNESSES_MAX)
    .map(([server]) => server)
}

async function witness(
  deps: FetchDeps,
  from: FetchFrom,
  server: ServerName | undefined,
  eventId: EventId,
): Promise<ToldState | undefined> {
  if (server === undefined || from.signal.aborted) return undefined
  const told = await outcomeOf(ask(deps, { ...from, server }, eventId, WITNESS_MS_MAX))
  return told instanceof Error ? undefined : told
}

async function ask(deps: FetchDeps, from: FetchFrom, eventId: EventId, deadlineMs?: number): Promise<ToldState> {
  const asking = { ...askingOf(deps, from), ...(deadlineMs === undefined ? {} : { deadlineMs }) }
  const { state, authChain } = await askStateIds(asking, { roomId: from.room.roomId, eventId })
  return { server: from.server, state, authChain }
}

async function outcomeOf<T>(promise: Promise<T>): Promise<T | Error> {
  try {
    return await promise
  } catch (error) {
    return error as Error
  }
}

function isSame(one: ToldState, other: ToldState): boolean {
  const ids = new Set(one.state)
  return ids.size === new Set(other.state).size && other.state.every((eventId) => ids.has(eventId))
}
