/** Profiles of this server's users: read through a cache, changed one change at a time. */
import { ExpectationFailed } from '@holdfast/platform/database/database'
import { matrixError } from '@holdfast/protocol/errors'
import { parseJson } from '@holdfast/protocol/json/parse'
import { emptyObject, isObject, type JsonObject } from '@holdfast/protocol/json/value'
import type { Homeserver } from '../homeserver.ts'
import { profileOf, writeProfile } from '../storage/profiles.ts'
import type { VersionedProfile } from './caches.ts'

type ProfileDeps = Pick<Homeserver, 'db' | 'accounts'>

export async function loadProfile(deps: ProfileDeps, userNid: number): Promise<VersionedProfile> {
  const cached = deps.accounts.profiles.get(userNid)
  if (cached !== undefined) return cached
  const row = await profileOf(deps.db, userNid)
  const profile = row === undefined ? NO_PROFILE : { version: row.version, fields: storedFields(row.fields) }
  remember(deps, userNid, profile)
  return profile
}

const NO_PROFILE: VersionedProfile = { version: 0, fields: emptyObject() }

/** How often a change that met another one is tried again; each round one of them wins. */
const CHANGE_ATTEMPTS_MAX = 20

/** Applies `change` to the newest profile. It may throw to refuse, and may answer the same object for no change. */
export async function changeProfile(
  deps: ProfileDeps,
  userNid: number,
  change: (fields: JsonObject) => JsonObject,
): Promise<void> {
  for (let attempt = 0; attempt < CHANGE_ATTEMPTS_MAX; attempt += 1) {
    const before = await loadProfile(deps, userNid)
    const fields = change(before.fields)
    if (fields === before.fields) return
    try {
      await deps.db.commit([writeProfile({ userNid, version: before.version, fields: JSON.stringify(fields) })])
      remember(deps, userNid, { version: before.version + 1, fields })
      return
    } catch (error) {
      if (!(error instanceof ExpectationFailed)) throw error
      if (deps.accounts.profiles.get(userNid) === before) deps.accounts.profiles.delete(userNid)
    }
  }
  throw matrixError('M_UNKNOWN', 'The profile is being changed by too many requests at once; try again.', {
    status: 503,
  })
}

/** Never replaces a newer profile by an older one, in whatever order reads and commits end. */
export function remember(deps: Pick<Homeserver, 'accounts'>, userNid: number, profile: VersionedProfile): void {
  const cached = deps.accounts.profiles.get(userNid)
  if (cached === undefined || cached.version <= profile.version) deps.accounts.profiles.set(userNid, profile)
}

function storedFields(text: string): JsonObject {
  const parsed = parseJson(text)
  if (!parsed.ok || !isObject(parsed.value)) throw new Error('a stored profile is not a JSON object')
  return parsed.value
}
