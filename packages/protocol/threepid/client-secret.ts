/** What names a validation session: its id, and the secret of the client that began it. */
import type { Brand } from '../ids/brand.ts'

export type ClientSecret = Brand<'ClientSecret'>
export type Sid = Brand<'Sid'>

/** The same grammar for both. <https://spec.matrix.org/v1.19/identity-service-api/#post_matrixidentityv2validateemailrequesttoken> */
const GRAMMAR = /^[0-9a-zA-Z.=_-]{1,255}$/

export function parseClientSecret(raw: string): ClientSecret | undefined {
  return GRAMMAR.test(raw) ? (raw as ClientSecret) : undefined
}

export function parseSid(raw: string): Sid | undefined {
  return GRAMMAR.test(raw) ? (raw as Sid) : undefined
}
