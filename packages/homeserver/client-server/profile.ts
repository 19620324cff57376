/** Profiles. <https://spec.matrix.org/v1.19/client-server-api/#profiles> */
import * as profile from '@holdfast/api/generated/client-server/profile'
import type { HttpRequest } from '@holdfast/platform/http/service'
import { matrixError, type MatrixError } from '@holdfast/protocol/errors'
import type { UserId } from '@holdfast/protocol/ids/brand'
import { serverNameOf } from '@holdfast/protocol/ids/common'
import type { JsonObject } from '@holdfast/protocol/json/value'
import { changeProfile, loadProfile } from '../accounts/profile.ts'
import { requireFieldName, withField, withoutField } from '../accounts/profile-field.ts'
import { requireUnsuspended, type Requester } from '../accounts/requester.ts'
import { tellRooms } from '../accounts/tell-rooms.ts'
import type { Homeserver } from '../homeserver.ts'
import { addressKey } from '@holdfast/service/rate-limits/address-key'
import { accountOf } from '../storage/accounts.ts'
import { publicRoute, route } from './route.ts'

/** Whose absence is told as `{}`, as from the first version of the API on; that of others as M_NOT_FOUND. */
const NAME_FIELDS = new Set(['displayname', 'avatar_url'])

/** GET /profile/{userId} */
export const getUserProfile = publicRoute(profile.getUserProfile, async ({ deps, params, request }) =>
  fieldsOf(deps, params.userId, request),
)

/** GET /profile/{userId}/{keyName} */
export const getProfileField = publicRoute(profile.getProfileField, async ({ deps, params, request }) => {
  requireFieldName(params.keyName)
  const value = (await fieldsOf(deps, params.userId, request))[params.keyName]
  if (value === undefined && NAME_FIELDS.has(params.keyName)) return {}
  if (value === undefined) throw noProfile()
  return { [params.keyName]: value }
})

/** PUT /profile/{userId}/{keyName} */
export const setProfileField = route(profile.setProfileField, async ({ deps, requester, params, body }) => {
  const { keyName } = params
  requireOwn(deps, requester, params)
  requireFieldName(keyName)
  const value = body[keyName]
  if (value === undefined) throw matrixError('M_MISSING_PARAM', `\`${keyName}\` is missing.`)
  await change(deps, requester, (fields) => withField(fields, keyName, value))
  return {}
})

/** DELETE /profile/{userId}/{keyName} */
export const deleteProfileField = route(profile.deleteProfileField, async ({ deps, requester, params }) => {
  requireOwn(deps, requester, params)
  requireFieldName(params.keyName)
  await change(deps, requester, (fields) => withoutField(fields, params.keyName))
  return {}
})

/** Anyone may read profiles here: they are in every member event anyway. @throws M_NOT_FOUND */
async function fieldsOf(deps: Homeserver, userId: UserId, { remoteAddress }: HttpRequest): Promise<JsonObject> {
  if (serverNameOf(userId) !== deps.serverName) {
    // Whoever has no account may make us ask other servers, too, but not without end.
    if (!deps.remoteProfiles.isKnown(userId))
      deps.rateLimiter.take({ limit: 'profile', key: addressKey(remoteAddress) })
    return deps.remoteProfiles.of(userId)
  }
  const userNid = await deps.dictionary.userNid(userId)
  if (userNid === undefined || (await accountOf(deps.db, userNid)) === undefined) throw noProfile()
  return (await loadProfile(deps, userNid)).fields
}

function noProfile(): MatrixError {
  return matrixError('M_NOT_FOUND', 'There is no such user here, or the profile does not have this field.')
}

function requireOwn(deps: Homeserver, requester: Requester, field: { userId: UserId; keyName: string }): void {
  if (field.userId !== requester.userId) throw matrixError('M_FORBIDDEN', 'You can change your own profile only.')
  // <https://spec.matrix.org/v1.19/client-server-api/#guest-access>
  if (requester.isGuest && field.keyName !== 'displayname') {
    throw matrixError('M_GUEST_ACCESS_FORBIDDEN', 'Guests can change their display name only.')
  }
  requireUnsuspended(requester)
  deps.rateLimiter.take({ limit: 'profile', key: requester.userNid })
}

async function change(
  deps: Homeserver,
  requester: Requester,
  apply: (fields: JsonObject) => JsonObject,
): Promise<void> {
  if (await changeProfile(deps, requester.userNid, apply)) await tellRooms(deps, requester)
}
