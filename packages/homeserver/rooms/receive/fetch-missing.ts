/** Gets from another server what an event builds on and is not here. Every walk has a bound. */
import type { EventId, ServerName } from '@holdfast/protocol/ids/brand'
import type { JsonObject } from '@holdfast/protocol/json/value'
import { FederationFailed } from '../../federation/transport/federation-failed.ts'
import type { EventSignaturesDeps } from '../../federation/keys/event-signatures.ts'
import { askEventAuth, askMissingEvents, type Asking } from '../../federation/remote-rooms/ask.ts'
import type { Homeserver } from '../../homeserver.ts'
import type { AcceptedRoom } from './accept-events.ts'
import { checkIncoming, type CheckedEvents } from './check-incoming.ts'
import { storeOutliers, type OutlierDeps } from './store-outliers.ts'

export type FetchDeps = OutlierDeps & EventSignaturesDeps & Pick<Homeserver, 'federation' | 'heads'>

/** Whom to ask, about which room. */
export type FetchFrom = {
  readonly server: ServerName
  readonly room: AcceptedRoom
  readonly signal: AbortSignal
  /** Does what only the holder of the room's inbox may do; undefined: the caller holds it. */
  readonly inInbox?: <T>(work: () => Promise<T>) => Promise<T>
}

/** Events asked for to close one gap. */
const GAP_EVENTS_MAX = 20
/** The answer is at hand for whoever sent the event, and small. */
const GAP_MS_MAX = 10_000

/** The events between what is here and `latest`, checked; in no particular order. */
export async function fetchGap(
  deps: FetchDeps,
  from: FetchFrom,
  gap: { readonly earliest: readonly EventId[]; readonly latest: EventId; readonly minDepth: number },
): Promise<CheckedEvents> {
  const { earliest, latest, minDepth } = gap
  const question = { roomId: from.room.roomId, earliest, latest: [latest], limit: GAP_EVENTS_MAX, minDepth }
  const asking = { ...askingOf(deps, from), deadlineMs: GAP_MS_MAX }
  let values: readonly JsonObject[]
  try {
    values = await askMissingEvents(asking, question)
  } catch (error) {
    // It has just sent us the event, so that it is there: one lost answer must not cost what it said.
    if (from.signal.aborted || !isUnreachable(error)) throw error
    values = await askMissingEvents({ ...asking, urgent: true }, question)
  }
  return checked(deps, from, values)
}

/** Stores what authorises an event, as outliers. */
export async function fetchAuthEvents(deps: FetchDeps, from: FetchFrom, eventId: EventId): Promise<void> {
  const values = await askEventAuth(askingOf(deps, from), { roomId: from.room.roomId, eventId })
  const { incoming } = await checked(deps, from, values)
  await holding(from, () => storeOutliers(deps, from.room, incoming))
}

/** Does it while the room's inbox is held. */
export function holding<T>({ inInbox }: FetchFrom, work: () => Promise<T>): Promise<T> {
  return inInbox === undefined ? work() : inInbox(work)
}

function isUnreachable(error: unknown): boolean {
  return error instanceof FederationFailed && ['timeout', 'unreachable', 'backing-off'].includes(error.failure)
}

export function checked(
  deps: EventSignaturesDeps,
  { room, signal }: FetchFrom,
  values: readonly JsonObject[],
): Promise<CheckedEvents> {
  return checkIncoming(deps, room, { values: values.map((value) => ({ value })), signal })
}

export function askingOf({ federation }: Pick<FetchDeps, 'federation'>, { server, signal }: FetchFrom): Asking {
  return { client: federation.client, server, signal }
}
