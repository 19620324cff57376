/** Keeping a filter. The id is made of the text, so the same filter is kept once. */
import { hash } from 'node:crypto'
import { matrixError } from '@holdfast/protocol/errors'
import type { JsonObject } from '@holdfast/protocol/json/value'
import type { Requester } from '../accounts/requester.ts'
import type { Homeserver } from '../homeserver.ts'
import { countFilters, filterRow, insertFilter } from '../storage/filters.ts'
import { assertFilter } from './load-filter.ts'

const FILTER_CHARACTERS_MAX = 65_536
const FILTERS_PER_USER_MAX = 1_000
/** Enough that two filters of one user never meet. */
const ID_CHARACTERS = 22

/** @returns the id. @throws {MatrixError} M_BAD_JSON, M_TOO_LARGE, M_LIMIT_EXCEEDED */
export async function defineFilter(
  deps: Pick<Homeserver, 'db'>,
  requester: Requester,
  value: JsonObject,
): Promise<string> {
  assertFilter(value)
  const text = JSON.stringify(value)
  if (text.length > FILTER_CHARACTERS_MAX) throw matrixError('M_TOO_LARGE', 'The filter is too large.')
  const { userNid } = requester
  const filterId = hash('sha256', text, 'base64url').slice(0, ID_CHARACTERS)
  if ((await filterRow(deps.db, { userNid, filterId })) !== undefined) return filterId
  if (((await countFilters(deps.db, userNid))?.filters ?? 0) >= FILTERS_PER_USER_MAX) {
    throw matrixError(
      'M_LIMIT_EXCEEDED',
      `A user can keep ${FILTERS_PER_USER_MAX} filters; write others out in the request.`,
    )
  }
  await deps.db.commit([insertFilter({ userNid, filterId, filter: text })])
  return filterId
}
