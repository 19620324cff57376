/** GET /rooms/{roomId}/context/{eventId}. <https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3roomsroomidcontexteventid> */
import * as event_context from '@holdfast/api/generated/client-server/event_context'
import { matrixError } from '@holdfast/protocol/errors'
import { ignoredUsers } from '../account-data/ignored-users.ts'
import { roomEventFilter } from '../filters/load-filter.ts'
import { clientEvents } from '../rooms/client-events.ts'
import { allStateEvents } from '../rooms/current-state.ts'
import { memberEventsOfSenders } from '../rooms/member-events.ts'
import { messagePage } from '../rooms/messages.ts'
import { awaitWhole } from '../rooms/incomplete/whole-head.ts'
import { roomView } from '../rooms/room-view.ts'
import { visibleEvents } from '../rooms/visible-events.ts'
import { streamToken } from '../sync/sync-token.ts'
import { JsonText } from '@holdfast/service/http/reply'
import { route } from './route.ts'

const LIMIT_DEFAULT = 10
const LIMIT_MAX = 100

export const getEventContext = route(event_context.getEventContext, async ({ deps, requester, params, query }) => {
  await awaitWhole(deps, { userNid: requester.userNid, roomId: params.roomId })
  const view = await roomView(deps, requester, params.roomId)
  const found = await deps.events.inRoom(view.head.roomNid, params.eventId)
  const [event] = found === undefined ? [] : await visibleEvents(deps, requester, [found])
  if (event === undefined) throw matrixError('M_NOT_FOUND', 'There is no such event here that you may see.')
  const filter = roomEventFilter(query.filter)
  const limit = Math.min(Math.max(query.limit ?? filter.limit ?? LIMIT_DEFAULT, 0), LIMIT_MAX)
  const shared = { to: undefined, filter, ignored: await ignoredUsers(deps, requester.userNid) }
  const before = await messagePage(deps, requester, view, {
    ...shared,
    direction: 'b',
    from: event.position - 1,
    limit: Math.floor(limit / 2),
  })
  const after = await messagePage(deps, requester, view, {
    ...shared,
    direction: 'f',
    from: event.position,
    limit: Math.ceil(limit / 2),
  })
  const last = after.events.at(-1) ?? event
  const first = before.events.at(-1) ?? event
  const { map } = await deps.states.load(last.stateNid)
  const shown = [...before.events, event, ...after.events]
  const others = (await allStateEvents(deps, map)).filter(
    ({ pdu }) => !filter.lazyLoadMembers || pdu.type !== 'm.room.member',
  )
  const state = filter.lazyLoadMembers ? [...others, ...(await memberEventsOfSenders(deps, map, shown))] : others
  const text = async (events: typeof shown, as: 'timeline' | 'state' = 'timeline'): Promise<string> =>
    `[${(await clientEvents(deps, events, { reader: requester, room: 'with-room-id', as })).join(',')}]`
  return new JsonText(
    `{"start":"${streamToken(first.position - 1)}","end":"${streamToken(last.position)}",` +
      `"event":${(await text([event])).slice(1, -1)},"events_before":${await text([...before.events])},` +
      `"events_after":${await text([...after.events])},"state":${await text(state, 'state')}}`,
  )
})
