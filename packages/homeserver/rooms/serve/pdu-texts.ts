/** Many events at once in the form that other servers get. */
import type { ServerName } from '@holdfast/protocol/ids/brand'
import type { ReadDeps } from '../visible-events.ts'
import { openPace } from './pace.ts'
import { serverVisibleEvents } from './server-visibility.ts'
import { wirePdu, type WireDeps } from './wire-pdu.ts'

/** Signing, where it is due, is most of the cost of an event: a tenth of a millisecond. */
const EVENTS_PER_SLICE = 25

/** What the server may have of the events, as texts in their order. All are of one room, and the server is in it. */
export async function pduTexts(
  deps: ReadDeps & WireDeps,
  origin: ServerName,
  nids: readonly number[],
): Promise<readonly string[]> {
  const stored = await deps.events.byNids(nids)
  const events = await serverVisibleEvents(
    deps,
    origin,
    nids.flatMap((nid) => stored.get(nid) ?? []),
  )
  const pace = openPace(EVENTS_PER_SLICE)
  const texts: string[] = []
  for (const event of events) {
    texts.push(await wirePdu(deps, event))
    await pace.spent(1)
  }
  return texts
}
