/** Filters as requests name them: by id, or written out. <https://spec.matrix.org/v1.19/client-server-api/#filtering> */
import { LRUCache } from 'lru-cache'
import { matrixError } from '@holdfast/protocol/errors'
import {
  EMPTY_FILTER,
  EMPTY_ROOM_EVENT_FILTER,
  parseFilter,
  parseRoomEventFilter,
  type Filter,
  type RoomEventFilter,
} from '@holdfast/protocol/filter/filter'
import { parseJson } from '@holdfast/protocol/json/parse'
import type { JsonValue } from '@holdfast/protocol/json/value'
import type { Requester } from '../accounts/requester.ts'
import type { Homeserver } from '../homeserver.ts'
import { filterRow } from '../storage/filters.ts'

/** Parsed filters by their text: clients send few different ones. */
const parsed = new LRUCache<string, Filter>({
  max: 1_000,
  maxSize: 4_000_000,
  sizeCalculation: (_, text) => text.length + 1_000,
})

/** @throws {MatrixError} M_INVALID_PARAM for an unknown id, M_NOT_JSON, M_BAD_JSON */
export async function loadFilter(
  deps: Pick<Homeserver, 'db'>,
  requester: Requester,
  raw: string | undefined,
): Promise<Filter> {
  if (raw === undefined || raw === '') return EMPTY_FILTER
  if (raw.startsWith('{')) return parsedFilter(raw)
  const row = await filterRow(deps.db, { userNid: requester.userNid, filterId: raw })
  if (row === undefined) throw matrixError('M_INVALID_PARAM', 'There is no filter with this id.')
  return parsedFilter(row.filter)
}

/** The filter of /messages and /context, always written out. */
export function roomEventFilter(raw: string | undefined): RoomEventFilter {
  if (raw === undefined || raw === '') return EMPTY_ROOM_EVENT_FILTER
  const result = parseRoomEventFilter(jsonOf(raw))
  if (!result.ok) throw badFilter(result.problem)
  return result.filter
}

/** @throws {MatrixError} M_BAD_JSON */
export function assertFilter(value: JsonValue): Filter {
  const result = parseFilter(value)
  if (!result.ok) throw badFilter(result.problem)
  return result.filter
}

function parsedFilter(text: string): Filter {
  let filter = parsed.get(text)
  if (filter === undefined) {
    filter = assertFilter(jsonOf(text))
    parsed.set(text, filter)
  }
  return filter
}

function jsonOf(raw: string): JsonValue {
  const json = parseJson(raw)
  if (!json.ok) throw matrixError('M_NOT_JSON', `The filter cannot be read: ${json.message}`)
  return json.value
}

function badFilter(problem: { readonly path: string; readonly message: string }): Error {
  return matrixError('M_BAD_JSON', `The filter is malformed at \`${problem.path}\`: ${problem.message}`)
}
