/** GET /register/m.login.registration_token/validity <https://spec.matrix.org/v1.19/client-server-api/#token-authenticated-registration> */
import * as operations from '@holdfast/api/generated/client-server/registration_tokens'
import { registrationFlows } from '../accounts/register.ts'
import { addressKey } from '@holdfast/service/rate-limits/address-key'
import { isTokenUsable } from '../user-interactive-auth/stages.ts'
import { publicRoute } from './route.ts'

export const registrationTokenValidity = publicRoute(
  operations.registrationTokenValidity,
  async ({ deps, query, request }) => {
    deps.rateLimiter.take({ limit: 'registration_token_validity', key: addressKey(request.remoteAddress) })
    const flows = registrationFlows(deps)
    const isAsked = flows.some((flow) => flow.includes('m.login.registration_token'))
    return { valid: isAsked && (await isTokenUsable(deps, query.token)) }
  },
)
