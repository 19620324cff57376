/** Registration. <https://spec.matrix.org/v1.19/client-server-api/#legacy-account-registration> */
import * as registration from '@holdfast/api/generated/client-server/registration'
import type { RegisterBody } from '@holdfast/api/generated/client-server/registration'
import { members } from '@holdfast/api/operation'
import type { HttpRequest } from '@holdfast/platform/http/service'
import type { UserId } from '@holdfast/protocol/ids/brand'
import type { JsonObject } from '@holdfast/protocol/json/value'
import { requireUnused } from '../accounts/create-account.ts'
import { registerGuest, registerUser, registrationFlows, repeatRegistration } from '../accounts/register.ts'
import { sessionAnswer } from '../accounts/session-answer.ts'
import { newUserId } from '../accounts/username.ts'
import { upgradingGuest } from '../accounts/upgrade-guest.ts'
import type { Homeserver } from '../homeserver.ts'
import { addressKey } from '@holdfast/service/rate-limits/address-key'
import { authorizeInteractively } from '../user-interactive-auth/authorize.ts'
import { Reply } from '@holdfast/service/http/reply'
import { publicRoute } from './route.ts'

/** POST /register */
export const register = publicRoute(registration.register, async ({ deps, query, body, request }) => {
  deps.rateLimiter.check(registrationsFrom(request))
  if (query.kind === 'guest') {
    deps.rateLimiter.take(registrationsFrom(request))
    const guest = await registerGuest(deps, body)
    return sessionAnswer(deps, guest.userId, guest.session)
  }
  const flows = registrationFlows(deps)
  // Who begins is told at once; who has begun may be repeating a registration that was done.
  const begins = body.auth?.session === undefined
  if (begins && body.username !== undefined) await requireFree(deps, newUserId(deps, body.username), members(body))
  const outcome = await authorizeInteractively(deps, {
    operation: 'register',
    flows,
    user: undefined,
    body: members(body),
    remoteAddress: request.remoteAddress,
    binding: 'first-proof',
  })
  if (outcome.kind === 'challenge') return new Reply(outcome.status, outcome.body)
  // What came now or first, either way it came through this endpoint's parser.
  const wanted = outcome.body as RegisterBody
  if (outcome.kind === 'repeated') {
    const again = await repeatRegistration(deps, wanted, { ...outcome, remoteAddress: request.remoteAddress })
    return sessionAnswer(deps, again.userId, again.session)
  }
  deps.rateLimiter.take(registrationsFrom(request))
  const registered = await registerUser(deps, wanted, outcome)
  return sessionAnswer(deps, registered.userId, registered.session)
})

/** GET /register/available */
export const checkUsernameAvailability = publicRoute(
  registration.checkUsernameAvailability,
  async ({ deps, query, request }) => {
    deps.rateLimiter.take({ limit: 'registration', key: `available ${addressKey(request.remoteAddress)}` })
    await requireUnused(deps, newUserId(deps, query.username))
    return { available: true }
  },
)

/** A guest may have the name that they have. */
async function requireFree(deps: Homeserver, userId: UserId, body: JsonObject): Promise<void> {
  if ((await upgradingGuest(deps, body, userId)) === undefined) await requireUnused(deps, userId)
}

function registrationsFrom({ remoteAddress }: Pick<HttpRequest, 'remoteAddress'>) {
  return { limit: 'registration', key: addressKey(remoteAddress) } as const
}
