/** POST /account/password <https://spec.matrix.org/v1.19/client-server-api/#password-management> */
import * as operations from '@holdfast/api/generated/client-server/password_management'
import { members } from '@holdfast/api/operation'
import { matrixError } from '@holdfast/protocol/errors'
import { changePassword as change } from '../accounts/change-password.ts'
import { provePassword } from '../user-interactive-auth/prove-password.ts'
import { Reply } from '@holdfast/service/http/reply'
import { publicRoute } from './route.ts'

export const changePassword = publicRoute(operations.changePassword, async ({ deps, requester, body, request }) => {
  // Without a token the proof could only be an e-mail address or phone number, which accounts do not have here.
  if (requester === undefined)
    throw matrixError('M_MISSING_TOKEN', 'Log in to change your password.', { extra: { flows: [] } })
  if (requester.isGuest) throw matrixError('M_GUEST_ACCESS_FORBIDDEN', 'Guests have no password.')
  const { remoteAddress } = request
  const outcome = await provePassword(deps, requester, {
    operation: 'changePassword',
    body: members(body),
    remoteAddress,
  })
  if (outcome.kind === 'challenge') return new Reply(outcome.status, outcome.body)
  await change(deps, requester, { password: body.new_password, logoutDevices: body.logout_devices ?? true })
  return {}
})
