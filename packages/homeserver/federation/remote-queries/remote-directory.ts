/** The public rooms of another server, for users here. <https://spec.matrix.org/v1.19/server-server-api/#published-room-directory> */
import type { ServerName } from '@holdfast/protocol/ids/brand'
import { parseRoomAlias } from '@holdfast/protocol/ids/room-alias'
import { parseRoomId } from '@holdfast/protocol/ids/room-id'
import { isObject, type JsonObject, type JsonValue } from '@holdfast/protocol/json/value'
import { INPUT_LIMITS, OUTPUT_LIMITS, TIME_LIMITS } from '@holdfast/protocol/limits'
import type { PublicRoom } from '../../directory/public-room.ts'
import { isOfType, matchesSearch } from '../../directory/public-room.ts'
import type { DirectoryPage, DirectoryQuery } from '../../directory/public-rooms.ts'
import type { Homeserver } from '../../homeserver.ts'
import { tryServers } from '../../rooms/remote/try-servers.ts'
import { ask, type Asking } from '../remote-rooms/ask.ts'
import { FederationFailed } from '../transport/federation-failed.ts'

export type RemoteDirectoryQuery = DirectoryQuery & {
  readonly includeAllNetworks: boolean | undefined
  readonly thirdPartyInstanceId: string | undefined
}

const PATH = '/_matrix/federation/v1/publicRooms'
const ANSWER_BYTES_MAX = 4_194_304
const TOKEN_CHARACTERS_MAX = 2_000
const TEXT_CHARACTERS_MAX: Readonly<Record<'name' | 'topic' | 'avatar_url' | 'join_rule' | 'room_type', number>> = {
  name: 2_000,
  topic: 20_000,
  avatar_url: INPUT_LIMITS.avatarUrlCharactersMax,
  join_rule: 255,
  room_type: 255,
}

/** @throws {MatrixError} what the other server said, or 502 if it did not answer */
export async function remoteDirectoryPage(
  deps: Pick<Homeserver, 'federation'>,
  server: ServerName,
  query: RemoteDirectoryQuery,
): Promise<DirectoryPage> {
  const limit = Math.min(Math.max(query.limit ?? OUTPUT_LIMITS.publicRoomsMax, 1), OUTPUT_LIMITS.publicRoomsMax)
  const answer = await tryServers([server], (one) => {
    const deadlineMs = TIME_LIMITS.federationQueryMs
    return askPage({ client: deps.federation.client, server: one, urgent: true, deadlineMs }, { ...query, limit })
  })
  return pageOf(answer, limit)
}

type Question = RemoteDirectoryQuery & { readonly limit: number }

/** The first servers knew no searching: of what those answer, what matches is picked here. */
async function askPage(asking: Asking, question: Question): Promise<JsonObject> {
  if (question.searchTerm === undefined && question.roomTypes === undefined) return askByGet(asking, question)
  try {
    const body = { ...parametersOf(question), filter: filterOf(question) }
    return await ask(asking, { method: 'POST', path: PATH, body, responseBytesMax: ANSWER_BYTES_MAX })
  } catch (error) {
    const isUnknown = error instanceof FederationFailed && (error.status === 404 || error.status === 405)
    if (!isUnknown) throw error
    const answer = await askByGet(asking, question)
    const chunk = roomsIn(answer).filter((room) => matches(room, question))
    return { ...answer, chunk: chunk as unknown as JsonValue }
  }
}

function askByGet(asking: Asking, question: Question): Promise<JsonObject> {
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries(parametersOf(question))) query.append(name, `${value}`)
  return ask(asking, { method: 'GET', path: `${PATH}?${query.toString()}`, responseBytesMax: ANSWER_BYTES_MAX })
}

function parametersOf({
  limit,
  since,
  includeAllNetworks,
  thirdPartyInstanceId,
}: Question): Readonly<Record<string, string | number | boolean>> {
  return {
    limit,
    ...(since === undefined ? {} : { since }),
    ...(includeAllNetworks === undefined ? {} : { include_all_networks: includeAllNetworks }),
    ...(thirdPartyInstanceId === undefined ? {} : { third_party_instance_id: thirdPartyInstanceId }),
  }
}

function filterOf({ searchTerm, roomTypes }: Question): JsonObject {
  return {
    ...(searchTerm === undefined ? {} : { generic_search_term: searchTerm }),
    ...(roomTypes === undefined ? {} : { room_types: roomTypes }),
  }
}

function matches(room: PublicRoom, { searchTerm, roomTypes }: Question): boolean {
  if (searchTerm !== undefined && !matchesSearch(room, searchTerm)) return false
  return roomTypes === undefined || isOfType(room, roomTypes)
}

function pageOf(answer: JsonObject, limit: number): DirectoryPage {
  const { total_room_count_estimate: total, next_batch: next, prev_batch: previous } = answer
  const chunk = roomsIn(answer).slice(0, limit)
  return {
    chunk,
    total_room_count_estimate: isCount(total) ? total : chunk.length,
    ...(isToken(next) ? { next_batch: next } : {}),
    ...(isToken(previous) ? { prev_batch: previous } : {}),
  }
}

function roomsIn({ chunk }: JsonObject): readonly PublicRoom[] {
  return Array.isArray(chunk) ? (chunk as readonly JsonValue[]).flatMap((entry) => publicRoomOf(entry) ?? []) : []
}

/** What is not as it should be is left out, and without an id and a number of members the whole entry. */
export function publicRoomOf(entry: JsonValue): PublicRoom | undefined {
  if (!isObject(entry)) return undefined
  const { room_id: rawId, num_joined_members: members, canonical_alias: rawAlias } = entry
  const roomId = typeof rawId === 'string' ? parseRoomId(rawId) : undefined
  if (roomId === undefined || !isCount(members)) return undefined
  const alias = typeof rawAlias === 'string' ? parseRoomAlias(rawAlias) : undefined
  const texts = Object.entries(TEXT_CHARACTERS_MAX).flatMap(([name, charactersMax]) => {
    const text = entry[name]
    return typeof text === 'string' && text.length <= charactersMax ? [[name, text] as const] : []
  })
  return {
    room_id: roomId,
    num_joined_members: members,
    world_readable: entry['world_readable'] === true,
    guest_can_join: entry['guest_can_join'] === true,
    ...(alias === undefined ? {} : { canonical_alias: alias }),
    ...Object.fromEntries(texts),
  }
}

function isCount(value: JsonValue | undefined): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}

function isToken(value: JsonValue | undefined): value is string {
  return typeof value === 'string' && value !== '' && value.length <= TOKEN_CHARACTERS_MAX
}
