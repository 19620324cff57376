/** GET /.well-known/matrix/server <https://spec.matrix.org/v1.19/server-server-api/#getwell-knownmatrixserver> */
import * as wellknown from '@holdfast/api/generated/server-server/wellknown'
import { matrixError } from '@holdfast/protocol/errors'
import { openRoute } from './route.ts'

/** Other servers reach this one where clients do, unless the operator says otherwise. */
export const getWellKnown = openRoute(wellknown.getWellKnown, async ({ deps }) => {
  const { federationAddress, publicBaseUrl } = deps.settings
  if (federationAddress !== undefined) return { 'm.server': federationAddress }
  const url = publicBaseUrl === undefined ? undefined : new URL(publicBaseUrl)
  if (url?.protocol !== 'https:') {
    throw matrixError('M_NOT_FOUND', 'This server tells nothing about where it is reached.')
  }
  return { 'm.server': `${url.hostname}:${url.port === '' ? '443' : url.port}` }
})
