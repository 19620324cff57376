/** POST /account/deactivate <https://spec.matrix.org/v1.19/client-server-api/#account-deactivation> */
import * as operations from '@holdfast/api/generated/client-server/account_deactivation'
import { members } from '@holdfast/api/operation'
import { matrixError } from '@holdfast/protocol/errors'
import { endAccount } from '../accounts/end-account.ts'
import { provePassword } from '../user-interactive-auth/prove-password.ts'
import { Reply } from '@holdfast/service/http/reply'
import { publicRoute } from './route.ts'

export const deactivateAccount = publicRoute(
  operations.deactivateAccount,
  async ({ deps, requester, body, request }) => {
    // Without a token the proof could only be an e-mail address or phone number, which accounts do not have here.
    if (requester === undefined)
      throw matrixError('M_MISSING_TOKEN', 'Log in to deactivate your account.', { extra: { flows: [] } })
    if (requester.isGuest) throw matrixError('M_GUEST_ACCESS_FORBIDDEN', 'Guests have no account to deactivate.')
    const { remoteAddress } = request
    const outcome = await provePassword(deps, requester, {
      operation: 'deactivate',
      body: members(body),
      remoteAddress,
    })
    if (outcome.kind === 'challenge') return new Reply(outcome.status, outcome.body)
    await endAccount(deps, requester, { erase: body.erase ?? false })
    // There are no third party identifiers, so that none stays bound.
    return { id_server_unbind_result: 'success' }
  },
)
