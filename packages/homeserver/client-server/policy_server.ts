/** GET /.well-known/matrix/policy_server <https://spec.matrix.org/v1.19/client-server-api/#get_well-knownmatrixpolicy_server> */
import * as policyServer from '@holdfast/api/generated/client-server/policy_server'
import { matrixError } from '@holdfast/protocol/errors'
import { publicRoute } from './route.ts'

export const getWellknownPolicy = publicRoute(policyServer.getWellknownPolicy, async ({ deps }) => {
  const ours = deps.policyServers.own
  if (ours === undefined) throw matrixError('M_NOT_FOUND', 'This server is no policy server.')
  return { public_keys: { ed25519: ours.publicKey } }
})
