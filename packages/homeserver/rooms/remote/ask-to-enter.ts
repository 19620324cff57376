/** The handshake of a join with one server: its template, our event, and what it tells of the room. */
import type { RoomId, ServerName } from '@holdfast/protocol/ids/brand'
import { serverNameOf } from '@holdfast/protocol/ids/common'
import { parseUserId } from '@holdfast/protocol/ids/user-id'
import { isObject, type JsonObject } from '@holdfast/protocol/json/value'
import { TIME_LIMITS } from '@holdfast/protocol/limits'
import type { RoomRules } from '@holdfast/protocol/room-version/rules'
import type { Requester } from '../../accounts/requester.ts'
import type { Homeserver } from '../../homeserver.ts'
import { ask, eventsIn, isUnknownEndpoint, part, type Asking } from '../../federation/remote-rooms/ask.ts'
import { parseServers, type ToldJoin } from '../incomplete/core-events.ts'
import type { IncomingEvent } from '../receive/incoming.ts'
import { isResident, type RoomHead } from '../room-heads.ts'
import { EMPTY_STATE } from '../state-store.ts'
import { isMaybeDone } from './maybe-done.ts'
import { askTemplate, eventFromTemplate, type Template, type TemplateDeps } from './templates.ts'

export type AskingDeps = TemplateDeps & Pick<Homeserver, 'federation' | 'outbox'>

export type RemoteJoin = {
  readonly roomId: RoomId
  /** Servers that the client named. */
  readonly servers: readonly ServerName[]
  /** The content of the member event, complete but for who vouches for it. */
  readonly content: JsonObject
  readonly signal?: AbortSignal | undefined
}

/** A server that let the user in, or may have, though the room could not be begun here with what it told. */
export type Admitted = { readonly asking: Asking; readonly rules: RoomRules }

export type Entry = {
  readonly server: ServerName
  readonly rules: RoomRules
  readonly own: IncomingEvent
  readonly told: ToldJoin
  /** Our event as the other server sent it back, maybe with its signature. */
  readonly returned: JsonObject | undefined
}

export type Attempt = {
  readonly join: RemoteJoin
  /** The room as it is known here. */
  readonly head: RoomHead | undefined
  /** Grows with the servers that let the user in, or may have. */
  readonly admitted: Admitted[]
}

const STATE_BYTES_MAX = 256 * 1024 * 1024
/** Our own last events are on their way to the server that is asked. */
const TOLD_MS_MAX = 5_000
const TOLD_LOOK_MS = 100

/** @throws {FederationFailed} and {BadAnswer} */
export async function askToEnter(
  deps: AskingDeps,
  { userId }: Pick<Requester, 'userId'>,
  { join, head, admitted }: Attempt,
  server: ServerName,
): Promise<Entry> {
  const { roomId, signal } = join
  const asking: Asking = {
    client: deps.federation.client,
    server,
    urgent: true,
    deadlineMs: TIME_LIMITS.federationMakeMs,
    ...(signal === undefined ? {} : { signal }),
  }
  let template = await askTemplate(asking, 'join', { roomId, userId })
  if (await heardOfUsMeanwhile(deps, head, asking)) template = await askTemplate(asking, 'join', { roomId, userId })
  const content = withVoucher(join.content, template)
  const own = eventFromTemplate(deps, template, { asking, roomId, userId, content })
  // Of a room that was here before the old members would have to leave first.
  const omitMembers = head === undefined || head.state.nid === EMPTY_STATE.nid
  const patient = { ...asking, deadlineMs: TIME_LIMITS.federationJoinMs }
  const one = { asking, rules: template.rules }
  const answer = await sendJoin(patient, { roomId, own, omitMembers }).catch((error: unknown) => {
    if (isMaybeDone(error)) admitted.push(one)
    throw error
  })
  admitted.push(one)
  const { event } = answer
  const returned = isObject(event) ? event : undefined
  return { server, rules: template.rules, own, told: toldJoin(asking, answer), returned }
}

/**
 * Who left the room last may come back before the other server has heard of that: it would let us in beside the leave, and the two
 * would be branches of which the leave can win. The server answers, so what waits for it goes out now.
 * @returns whether it has heard of something since it was asked for its template
 */
async function heardOfUsMeanwhile(
  { outbox, clock, serverName }: Pick<Homeserver, 'outbox' | 'clock' | 'serverName'>,
  head: RoomHead | undefined,
  { server, signal }: Asking,
): Promise<boolean> {
  if (head === undefined || isResident(head)) return false
  const ours = head.extremities.filter(({ pdu }) => serverNameOf(pdu.sender) === serverName)
  for (let waitedMs = 0; ; waitedMs += TOLD_LOOK_MS) {
    const reports = await Promise.all(ours.map((event) => outbox.event(event)))
    const isWaiting = reports.some((report) => report?.waiting.includes(server) === true)
    if (!isWaiting || waitedMs >= TOLD_MS_MAX) return waitedMs > 0
    await clock.sleep(TOLD_LOOK_MS, signal)
  }
}

/** In restricted rooms the other server names whom of its users it lets vouch. */
function withVoucher(content: JsonObject, { event, rules }: Template): JsonObject {
  const offered = isObject(event['content']) ? event['content']['join_authorised_via_users_server'] : undefined
  if (!rules.restrictedJoins || typeof offered !== 'string' || parseUserId(offered) === undefined) return content
  return { ...content, join_authorised_via_users_server: offered }
}

async function sendJoin(
  asking: Asking,
  { roomId, own, omitMembers }: { readonly roomId: RoomId; readonly own: IncomingEvent; readonly omitMembers: boolean },
): Promise<JsonObject> {
  const { parsed } = own
  const query = omitMembers ? '?omit_members=true' : ''
  const target = `${part(roomId)}/${part(parsed.pdu.eventId)}`
  const body = JSON.parse(parsed.json) as JsonObject
  const request = { method: 'PUT', body, responseBytesMax: STATE_BYTES_MAX } as const
  try {
    return await ask(asking, { ...request, path: `/_matrix/federation/v2/send_join/${target}${query}` })
  } catch (error) {
    if (!isUnknownEndpoint(error)) throw error
    return ask(asking, { ...request, path: `/_matrix/federation/v1/send_join/${target}` })
  }
}

function toldJoin(asking: Asking, answer: JsonObject): ToldJoin {
  return {
    state: eventsIn(asking, answer, 'state'),
    authChain: eventsIn(asking, answer, 'auth_chain'),
    membersOmitted: answer['members_omitted'] === true,
    servers: parseServers(answer['servers_in_room']),
  }
}
