/** GET /.well-known/matrix/client <https://spec.matrix.org/v1.19/client-server-api/#well-known-uris> */
import * as wellknown from '@holdfast/api/generated/client-server/wellknown'
import { matrixError } from '@holdfast/protocol/errors'
import { discovery } from '../accounts/session-answer.ts'
import { publicRoute } from './route.ts'

export const getWellknown = publicRoute(wellknown.getWellknown, async ({ deps }) => {
  const answer = discovery(deps)
  if (answer === undefined) throw matrixError('M_NOT_FOUND', 'This server has no public base URL configured.')
  return answer
})
