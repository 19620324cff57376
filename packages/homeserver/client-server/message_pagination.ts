/** GET /rooms/{roomId}/messages. <https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3roomsroomidmessages> */
import * as message_pagination from '@holdfast/api/generated/client-server/message_pagination'
import { ignoredUsers } from '../account-data/ignored-users.ts'
import { roomEventFilter } from '../filters/load-filter.ts'
import { clientEvents } from '../rooms/client-events.ts'
import { memberEventsOfSenders } from '../rooms/member-events.ts'
import { messagePage } from '../rooms/messages.ts'
import { roomView } from '../rooms/room-view.ts'
import { parseStreamToken, streamToken } from '../sync/sync-token.ts'
import { JsonText } from '@holdfast/service/http/reply'
import { route } from './route.ts'

const LIMIT_DEFAULT = 10
const LIMIT_MAX = 1_000

export const getRoomEvents = route(message_pagination.getRoomEvents, async ({ deps, requester, params, query }) => {
  const view = await roomView(deps, requester, params.roomId)
  const filter = roomEventFilter(query.filter)
  const direction = query.dir
  const edge = direction === 'b' ? view.upTo : Number.MIN_SAFE_INTEGER
  const from = query.from === undefined ? edge : parseStreamToken(query.from, 'from')
  const page = await messagePage(deps, requester, view, {
    direction,
    from,
    to: query.to === undefined ? undefined : parseStreamToken(query.to, 'to'),
    limit: Math.min(Math.max(query.limit ?? filter.limit ?? LIMIT_DEFAULT, 0), LIMIT_MAX),
    filter,
    ignored: await ignoredUsers(deps, requester.userNid),
  })
  const format = { reader: requester, room: 'with-room-id' } as const
  const chunk = await clientEvents(deps, page.events, format)
  const members = filter.lazyLoadMembers ? await memberEventsOfSenders(deps, view.state, page.events) : []
  const parts = [`"start":"${streamToken(Math.max(from, 0))}"`, `"chunk":[${chunk.join(',')}]`]
  // Only an empty page says that there is nothing more: clients from before `end` could be absent begin anew without it.
  if (page.next !== undefined || page.events.length > 0) parts.push(`"end":"${streamToken(page.end)}"`)
  const state = await clientEvents(deps, members, { ...format, as: 'state' })
  if (state.length > 0) parts.push(`"state":[${state.join(',')}]`)
  return new JsonText(`{${parts.join(',')}}`)
})
