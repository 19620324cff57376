/** The proof that every sensitive action of a user asks for: the password, again. */
import type { Requester } from '../accounts/requester.ts'
import { authorizeInteractively, type AuthRequest, type Authorized, type Challenge } from './authorize.ts'
import type { StageDeps } from './stages.ts'

/** Only registrations can be repeated, so that here a session is either good or asked for. */
export async function provePassword(
  deps: StageDeps,
  requester: Requester,
  request: Pick<AuthRequest, 'operation' | 'body' | 'remoteAddress'>,
): Promise<Challenge | Authorized> {
  const outcome = await authorizeInteractively(deps, {
    ...request,
    user: requester,
    flows: [['m.login.password']],
    binding: 'first-request',
  })
  if (outcome.kind === 'repeated') throw new Error('only registrations are repeated')
  return outcome
}
