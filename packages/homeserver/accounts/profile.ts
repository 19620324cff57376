/** Profiles of this server's users: read through a cache, changed one change at a time. */
import { ExpectationFailed } from '@holdfast/platform/database/database'
import { matrixError } from '@holdfast/protocol/errors'
import { parseJson } from '@holdfast/protocol/json/parse'
import { emptyObject, isObject, type JsonObject } from '@holdfast/protocol/json/value'
import type { Homeserver } from '../homeserver.ts'
import { eraseProfile, profileOf, writeProfile } from '../storage/profiles.ts'
import type { VersionedProfile } from './caches.ts'

type ProfileDeps = Pick<Homeserver, 'db' | 'accounts'>

const NO_PROFILE: VersionedProfile = { version: 0, fields: emptyObject() }

export async function loadProfile(deps: ProfileDeps, userNid: number): Promise<VersionedProfile> {
  const cached = deps.accounts.profiles.get(userNid)
  if (cached !== undefined) return cached
  const row = await profileOf(deps.db, userNid)
  const profile = row === undefined ? NO_PROFILE : { version: row.version, fields: storedFields(row.fields) }
  remember(deps, userNid, profile)
  return profile
}

/** How often a change that met another one is tried again; each round one of them wins. */
const CHANGE_ATTEMPTS_MAX = 20

/**
 * Applies `change` to the newest profile. It may throw to refuse, and may answer the same object for no change.
 * @returns whether the rooms of the user have to be told
 */
export async function changeProfile(
  deps: ProfileDeps,
  userNid: number,
  change: (fields: JsonObject) => JsonObject,
): Promise<boolean> {
  for (let attempt = 0; attempt < CHANGE_ATTEMPTS_MAX; attempt += 1) {
    const before = await loadProfile(deps, userNid)
    const fields = change(before.fields)
    if (fields === before.fields) return false
    const untold = isShownInRooms(before.fields, fields)
    try {
      const text = JSON.stringify(fields)
      await deps.db.commit([writeProfile({ userNid, version: before.version, fields: text, untold })])
      remember(deps, userNid, { version: before.version + 1, fields })
      return untold
    } catch (error) {
      if (!(error instanceof ExpectationFailed)) throw error
      if (deps.accounts.profiles.get(userNid) === before) deps.accounts.profiles.delete(userNid)
    }
  }
  throw matrixError('M_UNKNOWN', 'The profile is being changed by too many requests at once; try again.', {
    status: 503,
  })
}

export async function emptyProfile(deps: ProfileDeps, userNid: number): Promise<void> {
  const { results } = await deps.db.commit([eraseProfile(userNid)])
  const version = results[0]?.rows[0]?.['version']
  if (typeof version === 'number') remember(deps, userNid, { version, fields: emptyObject() })
}

function isShownInRooms(before: JsonObject, after: JsonObject): boolean {
  return before['displayname'] !== after['displayname'] || before['avatar_url'] !== after['avatar_url']
}

/** Never replaces a newer profile by an older one, in whatever order reads and commits end. */
function remember(deps: Pick<Homeserver, 'accounts'>, userNid: number, profile: VersionedProfile): void {
  const cached = deps.accounts.profiles.get(userNid)
  if (cached === undefined || cached.version <= profile.version) deps.accounts.profiles.set(userNid, profile)
}

function storedFields(text: string): JsonObject {
  const parsed = parseJson(text)
  if (!parsed.ok || !isObject(parsed.value)) throw new Error('a stored profile is not a JSON object')
  return parsed.value
}
