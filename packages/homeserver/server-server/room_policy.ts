/** POST /_matrix/policy/v1/sign <https://spec.matrix.org/v1.19/server-server-api/#post_matrixpolicyv1sign> */
import * as roomPolicy from '@holdfast/api/generated/server-server/room_policy'
import { isObject } from '@holdfast/protocol/json/value'
import { POLICY_KEY_ID } from '@holdfast/protocol/receipt/policy-server'
import { signForOthers } from '../federation/policy/own/sign-for-others.ts'
import { federationRoute } from './route.ts'

export const askPolicyServerToSign = federationRoute(
  roomPolicy.askPolicyServerToSign,
  async ({ deps, origin, body, exactBody }) => {
    const exact = exactBody()
    const received = { value: body, exact: isObject(exact) ? exact : undefined }
    const signature = await signForOthers(deps, { origin, received })
    return { [deps.serverName]: { [POLICY_KEY_ID]: signature } }
  },
)
