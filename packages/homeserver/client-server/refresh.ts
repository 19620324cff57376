/** POST /refresh <https://spec.matrix.org/v1.19/client-server-api/#refreshing-access-tokens> */
import * as operations from '@holdfast/api/generated/client-server/refresh'
import { refreshSession } from '../accounts/refresh-session.ts'
import { addressKey } from '@holdfast/service/rate-limits/address-key'
import { publicRoute } from './route.ts'

export const refresh = publicRoute(operations.refresh, async ({ deps, body, request }) => {
  deps.rateLimiter.take({ limit: 'login_address', key: `refresh ${addressKey(request.remoteAddress)}` })
  const { accessToken, refreshToken, expiresInMs } = await refreshSession(deps, body.refresh_token)
  return { access_token: accessToken, refresh_token: refreshToken, expires_in_ms: expiresInMs }
})
