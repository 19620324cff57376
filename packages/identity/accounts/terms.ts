/** Terms that have to be accepted. <https://spec.matrix.org/v1.19/identity-service-api/#terms-of-service> */
import type { Clock } from '@holdfast/platform/clock/clock'
import type { Database } from '@holdfast/platform/database/database'
import { matrixError } from '@holdfast/protocol/errors'
import type { IdentitySettings, Policy } from '../settings.ts'
import { acceptedTerms, insertAcceptedTerms } from '../storage/accounts.ts'

type Deps = { readonly db: Database; readonly clock: Clock; readonly settings: IdentitySettings }

/** The acceptance of one translation is that of all of them. */
export async function requireTerms({ db, settings }: Deps, userId: string): Promise<void> {
  if (settings.terms.length === 0) return
  const accepted = new Set(await acceptedTerms(db, userId))
  if (settings.terms.every((policy) => urlsOf(policy).some((url) => accepted.has(url)))) return
  throw matrixError('M_TERMS_NOT_SIGNED', 'Please accept the terms of this service first; GET /terms tells them.')
}

/** What is no terms of ours (any more) is left out: nobody fills the table with links of their own. */
export async function acceptTerms({ db, clock, settings }: Deps, userId: string, urls: readonly string[]): Promise<void> {
  const offered = new Set(settings.terms.flatMap(urlsOf))
  const accepted = new Set(urls.filter((url) => offered.has(url)))
  if (accepted.size === 0) return
  await db.commit([...accepted].map((url) => insertAcceptedTerms({ userId, url, acceptedMs: clock.nowMs() })))
}

export function policiesOf({ terms }: IdentitySettings): object {
  const policies = terms.map(({ id, version, translations }) => [id, { version, ...translations }] as const)
  return { policies: Object.fromEntries(policies) }
}

function urlsOf({ translations }: Policy): string[] {
  return Object.values(translations).map(({ url }) => url)
}
