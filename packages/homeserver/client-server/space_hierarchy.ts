/** GET /_matrix/client/v1/rooms/{roomId}/hierarchy. <https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv1roomsroomidhierarchy> */
import * as hierarchy from '@holdfast/api/generated/client-server/space_hierarchy'
import { matrixError } from '@holdfast/protocol/errors'
import { hierarchyPage } from '../spaces/hierarchy.ts'
import { route } from './route.ts'

export const getSpaceHierarchy = route(hierarchy.getSpaceHierarchy, async ({ deps, requester, params, query }) => {
  const { limit, from, max_depth: maxDepth, suggested_only: suggestedOnly = false } = query
  if (limit !== undefined && limit <= 0) throw matrixError('M_INVALID_PARAM', '`limit` must be greater than zero.')
  if (maxDepth !== undefined && maxDepth < 0) throw matrixError('M_INVALID_PARAM', '`max_depth` cannot be negative.')
  return hierarchyPage(deps, requester, { roomId: params.roomId, suggestedOnly, maxDepth, limit, from })
})
