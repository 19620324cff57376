/** What registration and login answer. */
import type { UserId } from '@holdfast/protocol/ids/brand'
import type { Homeserver } from '../homeserver.ts'
import type { Session } from './session.ts'

/** `home_server` is deprecated, and still read by clients of 2018. */
export function sessionAnswer(
  deps: Pick<Homeserver, 'serverName'>,
  userId: UserId,
  session: Session | undefined,
): object {
  const user = { user_id: userId, home_server: deps.serverName }
  if (session === undefined) return user
  const { accessToken, deviceId, refreshToken, expiresInMs } = session
  const refresh = refreshToken === undefined ? {} : { refresh_token: refreshToken, expires_in_ms: expiresInMs }
  return { ...user, access_token: accessToken, device_id: deviceId, ...refresh }
}

/** The discovery information of a login: where the client should go from now on. */
export function discovery({ settings }: Pick<Homeserver, 'settings'>): object | undefined {
  if (settings.publicBaseUrl === undefined) return undefined
  return { 'm.homeserver': { base_url: settings.publicBaseUrl } }
}
