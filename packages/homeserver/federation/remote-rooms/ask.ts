/** Questions to other servers about a room, and what their answers must look like. Whatever else they say is left out. */
import type { EventId, RoomId, ServerName } from '@holdfast/protocol/ids/brand'
import { parseEventId } from '@holdfast/protocol/ids/event-id'
import { isObject, type JsonObject, type JsonValue } from '@holdfast/protocol/json/value'
import type { FederationClient } from '../transport/federation-client.ts'
import { FederationFailed } from '../transport/federation-failed.ts'

export type AskOptions = { readonly signal?: AbortSignal; readonly deadlineMs?: number; readonly urgent?: boolean }

export type Asking = AskOptions & { readonly client: FederationClient; readonly server: ServerName }

const DEADLINE_MS = 30_000
const STATE_BYTES_MAX = 128 * 1024 * 1024
const EVENTS_BYTES_MAX = 16 * 1024 * 1024

/** The answer was no answer to the question. */
export class BadAnswer extends Error {
  constructor(server: ServerName, message: string) {
    super(`${server} answered ${message}`)
    this.name = 'BadAnswer'
  }
}

/** Events between `earliest` and `latest`, as many as the other server gives. */
export async function askMissingEvents(
  asking: Asking,
  gap: {
    readonly roomId: RoomId
    readonly earliest: readonly EventId[]
    readonly latest: readonly EventId[]
    readonly limit: number
    readonly minDepth: number
  },
): Promise<readonly JsonObject[]> {
  const answer = await ask(asking, {
    method: 'POST',
    path: `/_matrix/federation/v1/get_missing_events/${part(gap.roomId)}`,
    body: { earliest_events: gap.earliest, latest_events: gap.latest, limit: gap.limit, min_depth: gap.minDepth },
    responseBytesMax: EVENTS_BYTES_MAX,
  })
  return eventsIn(asking, answer, 'events').slice(0, gap.limit)
}

/** One event; undefined if the other server gives none. */
export async function askEvent(asking: Asking, eventId: EventId): Promise<JsonObject | undefined> {
  const path = `/_matrix/federation/v1/event/${part(eventId)}`
  const answer = await ask(asking, { method: 'GET', path, responseBytesMax: EVENTS_BYTES_MAX })
  return eventsIn(asking, answer, 'pdus')[0]
}

export type StateIds = { readonly state: readonly EventId[]; readonly authChain: readonly EventId[] }

/** The ids of the state before an event, and of all that authorises it. */
export async function askStateIds(
  asking: Asking,
  at: { readonly roomId: RoomId; readonly eventId: EventId },
): Promise<StateIds> {
  const path = `/_matrix/federation/v1/state_ids/${part(at.roomId)}?event_id=${part(at.eventId)}`
  const answer = await ask(asking, { method: 'GET', path, responseBytesMax: STATE_BYTES_MAX })
  return { state: idsIn(asking, answer, 'pdu_ids'), authChain: idsIn(asking, answer, 'auth_chain_ids') }
}

/** The same as whole events. */
export async function askState(
  asking: Asking,
  at: { readonly roomId: RoomId; readonly eventId: EventId },
): Promise<{ readonly state: readonly JsonObject[]; readonly authChain: readonly JsonObject[] }> {
  const path = `/_matrix/federation/v1/state/${part(at.roomId)}?event_id=${part(at.eventId)}`
  const answer = await ask(asking, { method: 'GET', path, responseBytesMax: STATE_BYTES_MAX })
  return { state: eventsIn(asking, answer, 'pdus'), authChain: eventsIn(asking, answer, 'auth_chain') }
}

/** All that authorises an event, directly or not. */
export async function askEventAuth(
  asking: Asking,
  at: { readonly roomId: RoomId; readonly eventId: EventId },
): Promise<readonly JsonObject[]> {
  const path = `/_matrix/federation/v1/event_auth/${part(at.roomId)}/${part(at.eventId)}`
  const answer = await ask(asking, { method: 'GET', path, responseBytesMax: STATE_BYTES_MAX })
  return eventsIn(asking, answer, 'auth_chain')
}

/** Events before and at the given ones, newest first. */
export async function askBackfill(
  asking: Asking,
  from: { readonly roomId: RoomId; readonly eventIds: readonly EventId[]; readonly limit: number },
): Promise<readonly JsonObject[]> {
  const starts = from.eventIds.map((eventId) => `v=${part(eventId)}`).join('&')
  const path = `/_matrix/federation/v1/backfill/${part(from.roomId)}?${starts}&limit=${from.limit}`
  const answer = await ask(asking, { method: 'GET', path, responseBytesMax: EVENTS_BYTES_MAX })
  return eventsIn(asking, answer, 'pdus')
}

/** The event closest to a time, in one direction, as the other server sees it; undefined if it sees none. */
export async function askClosestEvent(
  asking: Asking,
  at: { readonly roomId: RoomId; readonly ts: number; readonly direction: 'f' | 'b' },
): Promise<{ readonly eventId: EventId; readonly originServerTs: number } | undefined> {
  const path = `/_matrix/federation/v1/timestamp_to_event/${part(at.roomId)}?ts=${at.ts}&dir=${at.direction}`
  const answer = await ask(asking, { method: 'GET', path })
  const { event_id: rawId, origin_server_ts: originServerTs } = answer
  const eventId = typeof rawId === 'string' ? parseEventId(rawId) : undefined
  const isTime = typeof originServerTs === 'number' && Number.isSafeInteger(originServerTs)
  return eventId === undefined || !isTime ? undefined : { eventId, originServerTs }
}

/** @throws {FederationFailed} and {BadAnswer} */
export async function ask(
  { client, server, signal, deadlineMs = DEADLINE_MS, urgent }: Asking,
  request: {
    readonly method: 'GET' | 'PUT' | 'POST'
    readonly path: string
    readonly body?: JsonObject
    readonly responseBytesMax?: number
  },
): Promise<JsonObject> {
  const answer = await client.send({
    ...request,
    destination: server,
    deadlineMs,
    ...(signal === undefined ? {} : { signal }),
    ...(urgent === undefined ? {} : { urgent }),
  })
  // Version 1 of some answers is a list of the status and the object.
  const object = Array.isArray(answer) ? (answer as readonly JsonValue[]).find(isObject) : answer
  if (!isObject(object)) throw new BadAnswer(server, 'something else than a JSON object')
  return object
}

/** Servers from before version 2 of an endpoint do not know it. */
export function isUnknownEndpoint(error: unknown): boolean {
  return (
    error instanceof FederationFailed &&
    (error.status === 404 || error.status === 405 || error.status === 400) &&
    (error.errcode === undefined || error.errcode === 'M_UNRECOGNIZED')
  )
}

/** A path or query part. */
export function part(text: string): string {
  return encodeURIComponent(text)
}

export function eventsIn({ server }: Pick<Asking, 'server'>, answer: JsonObject, key: string): readonly JsonObject[] {
  const list = answer[key]
  if (!Array.isArray(list)) throw new BadAnswer(server, `without the list ${key}`)
  return (list as readonly JsonValue[]).filter(isObject)
}

function idsIn({ server }: Asking, answer: JsonObject, key: string): readonly EventId[] {
  const list = answer[key]
  if (!Array.isArray(list)) throw new BadAnswer(server, `without the list ${key}`)
  return (list as readonly JsonValue[]).flatMap((id) => (typeof id === 'string' ? (parseEventId(id) ?? []) : []))
}
