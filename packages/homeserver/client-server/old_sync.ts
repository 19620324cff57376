/** GET /events, /initialSync and /events/{eventId}. <https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3events> */
import * as old_sync from '@holdfast/api/generated/client-server/old_sync'
import { matrixError } from '@holdfast/protocol/errors'
import { watchSession } from '../accounts/watch-session.ts'
import { noteSyncPresence } from '../presence/note-sync.ts'
import { clientEvents } from '../rooms/client-events.ts'
import { roomView } from '../rooms/room-view.ts'
import { visibleEvents } from '../rooms/visible-events.ts'
import { eventStream, snapshot } from '../sync/old-sync.ts'
import { parseStreamToken } from '../sync/sync-token.ts'
import { JsonText } from '@holdfast/service/http/reply'
import { route } from './route.ts'

const LIMIT_DEFAULT = 20
const LIMIT_MAX = 100
const TIMEOUT_MS_DEFAULT = 0
const TIMEOUT_MS_MAX = 90_000

export const getEvents = route(old_sync.getEvents, async ({ deps, requester, query, request }) => {
  // Without a token the stream begins when the request arrives, not after what is awaited here.
  // Clients of 2018 send an empty token for none.
  const token = query.from === '' ? undefined : query.from
  const from = token === undefined ? deps.streams.position() : parseStreamToken(token, 'from')
  // Guests may look into rooms, and have no stream of their own here: <https://spec.matrix.org/v1.19/client-server-api/#guest-access>
  if (requester.isGuest && query.room_id === undefined) {
    throw matrixError('M_GUEST_ACCESS_FORBIDDEN', 'Guests name the room that they look into.')
  }
  if (query.room_id !== undefined) await roomView(deps, requester, query.room_id)
  using _presence = await noteSyncPresence(deps, requester, { setPresence: undefined, showsPresence: true })
  using session = watchSession(deps, requester, request)
  const text = await eventStream(deps, requester, {
    from,
    timeoutMs: Math.min(Math.max(query.timeout ?? TIMEOUT_MS_DEFAULT, 0), TIMEOUT_MS_MAX),
    signal: request.signal,
    session,
    roomId: query.room_id,
  })
  return new JsonText(text)
})

export const initialSync = route(old_sync.initialSync, async ({ deps, requester, query }) => {
  const limit = Math.min(Math.max(query.limit ?? LIMIT_DEFAULT, 0), LIMIT_MAX)
  return new JsonText(await snapshot(deps, requester, { limit, archived: query.archived ?? false }))
})

export const getOneEvent = route(old_sync.getOneEvent, async ({ deps, requester, params }) => {
  // The event's room is not in the request, so only rooms the user has to do with are looked at.
  for (const { roomNid } of (await deps.memberships.of(requester.userNid)).values()) {
    const event = await deps.events.inRoom(roomNid, params.eventId)
    if (event === undefined) continue
    const visible = await visibleEvents(deps, requester, [event])
    const [text] = await clientEvents(deps, visible, { reader: requester, room: 'with-room-id' })
    if (text !== undefined) return new JsonText(text)
  }
  throw matrixError('M_NOT_FOUND', 'There is no such event that you may see.')
})
