/** What a client hears whose event the authorisation rules refuse. <https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3roomsroomidstateeventtypestatekey> */
import type { AuthRule } from '@holdfast/protocol/auth/auth-rules'
import { matrixError, type MatrixError } from '@holdfast/protocol/errors'

/** Rules that no sender could satisfy with such an event: it is malformed (400), whoever sends it. */
const ABOUT_FORM: ReadonlySet<AuthRule> = new Set<AuthRule>([
  'create-has-prev-events',
  'aliases-without-state-key',
  'power-levels-property-malformed',
  'power-levels-event-malformed',
  'power-levels-users-malformed',
  'power-levels-name-creator',
])

export function refusedByRules({ rule, message }: { readonly rule: AuthRule; readonly message: string }): MatrixError {
  return matrixError(ABOUT_FORM.has(rule) ? 'M_INVALID_PARAM' : 'M_FORBIDDEN', message)
}
