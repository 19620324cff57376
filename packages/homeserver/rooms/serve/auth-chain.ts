/** The events by which other events are allowed, back to the beginning of the room. <https://spec.matrix.org/v1.19/rooms/v2/#definitions> */
import { matrixError } from '@holdfast/protocol/errors'
import type { Homeserver } from '../../homeserver.ts'
import { openPace } from './pace.ts'

/** A longer chain is told to nobody: it would be more than any server reads. */
const CHAIN_EVENTS_MAX = 1_000_000
/** Events whose auth events are asked for at once. */
const BATCH_EVENTS = 500
/** What a read costs beside what it reads. */
const READ_COST = 20

/**
 * Nids of the whole auth chain of some events, in no order. An event itself is in it only if another one leads to it.
 * Room versions where the room id names the create event do not have it among the auth events, so it is not in here.
 * @throws {MatrixError} M_TOO_LARGE
 */
export async function authChain(
  deps: Pick<Homeserver, 'authGraph'>,
  eventNids: Iterable<number>,
): Promise<readonly number[]> {
  const pace = openPace(BATCH_EVENTS)
  const chain = new Set<number>()
  // Every event is asked about once, though it may be there as a start and as a link.
  const asked = new Set<number>(eventNids)
  const frontier = [...asked]
  while (frontier.length > 0) {
    const batch = frontier.splice(-BATCH_EVENTS)
    for (const auth of (await deps.authGraph.authNids(batch)).values()) {
      for (const nid of auth) {
        chain.add(nid)
        if (asked.has(nid)) continue
        asked.add(nid)
        frontier.push(nid)
      }
    }
    if (chain.size > CHAIN_EVENTS_MAX) throw matrixError('M_TOO_LARGE', 'The auth chain is too long to be told.')
    await pace.spent(batch.length + READ_COST)
  }
  return [...chain]
}
