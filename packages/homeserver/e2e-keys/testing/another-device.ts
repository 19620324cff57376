/** Another login of a test user. */
import type { TestHomeserver, TestUser } from '../../testing/homeserver.ts'

export async function anotherDevice(server: TestHomeserver, user: TestUser): Promise<TestUser> {
  const localpart = user.userId.slice(1, user.userId.indexOf(':'))
  const identifier = { type: 'm.id.user', user: localpart }
  const body = { type: 'm.login.password', identifier, password: `secret-${localpart}` }
  const session = await server.ok('POST', '/login', { body })
  const token = session.access_token as string
  return {
    userId: user.userId,
    token,
    deviceId: session.device_id,
    request: (method, target, sent) => server.request(method, target, { token, body: sent }),
    ok: (method, target, sent) => server.ok(method, target, { token, body: sent }),
  }
}
