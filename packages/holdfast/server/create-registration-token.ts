/** Registration tokens, which the operator hands to the people who may register. */
import type { Homeserver } from '@holdfast/homeserver/homeserver'
import { insertRegistrationToken } from '@holdfast/homeserver/storage/registration-tokens'

export type NewRegistrationToken = {
  /** Undefined: any number of registrations. */
  readonly uses: number | undefined
  /** Undefined: for ever. */
  readonly lifetimeMs: number | undefined
}

const TOKEN_CHARACTERS = 24

export async function createRegistrationToken(
  { db, clock, random }: Pick<Homeserver, 'db' | 'clock' | 'random'>,
  { uses, lifetimeMs }: NewRegistrationToken,
): Promise<string> {
  const token = random.text(TOKEN_CHARACTERS)
  const createdMs = clock.nowMs()
  const expiresMs = lifetimeMs === undefined ? undefined : createdMs + lifetimeMs
  await db.commit([insertRegistrationToken({ token, usesAllowed: uses, createdMs, expiresMs })])
  return token
}
