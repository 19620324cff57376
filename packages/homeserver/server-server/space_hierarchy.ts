/** GET /_matrix/federation/v1/hierarchy/{roomId} <https://spec.matrix.org/v1.19/server-server-api/#get_matrixfederationv1hierarchyroomid> */
import * as hierarchy from '@holdfast/api/generated/server-server/space_hierarchy'
import { federationHierarchy } from '../spaces/federation-hierarchy.ts'
import { federationRoute } from './route.ts'

export const getSpaceHierarchy = federationRoute(hierarchy.getSpaceHierarchy, async ({ deps, origin, params, query }) =>
  federationHierarchy(deps, origin, { roomId: params.roomId, suggestedOnly: query.suggested_only ?? false }),
)
