/** /user/{userId}/filter. <https://spec.matrix.org/v1.19/client-server-api/#filtering> */
import * as filter from '@holdfast/api/generated/client-server/filter'
import { members } from '@holdfast/api/operation'
import { matrixError } from '@holdfast/protocol/errors'
import { assertOwn } from '../account-data/checks.ts'
import { defineFilter as define } from '../filters/define-filter.ts'
import { filterRow } from '../storage/filters.ts'
import { JsonText } from '@holdfast/service/http/reply'
import { route } from './route.ts'

export const defineFilter = route(filter.defineFilter, async ({ deps, requester, params, body }) => {
  assertOwn(requester, params.userId)
  return { filter_id: await define(deps, requester, members(body)) }
})

export const getFilter = route(filter.getFilter, async ({ deps, requester, params }) => {
  assertOwn(requester, params.userId)
  const row = await filterRow(deps.db, { userNid: requester.userNid, filterId: params.filterId })
  if (row === undefined) throw matrixError('M_NOT_FOUND', 'There is no filter with this id.')
  return new JsonText(row.filter)
})
