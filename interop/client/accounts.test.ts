import assert from 'node:assert/strict'
import { test } from 'node:test'
import { InteractiveAuth } from 'matrix-js-sdk'
import { uniqueName } from '../server/unique-name.ts'
import { anonymousClient, eventually, newDevice, newUser, refusedWith } from './session.ts'
import { serverForTests } from './suite.ts'

const server = await serverForTests()

test('registration through the client’s own user-interactive auth', async () => {
  const client = anonymousClient(server)
  const username = uniqueName('ann')
  assert.equal(await client.isUsernameAvailable(username), true)
  const auth = new InteractiveAuth({
    matrixClient: client,
    doRequest: (dict) =>
      client.registerRequest({ username, password: 'a fine password', ...(dict === null ? {} : { auth: dict }) }),
    stateUpdated: (stage) => assert.fail(`${stage} is asked for; the client passes m.login.dummy by itself`),
    requestEmailToken: () => Promise.reject(new Error('no mail here')),
  })
  const registered = await auth.attemptAuth()
  assert.equal(registered.user_id, `@${username}:${server.serverName}`)
  assert.deepEqual(auth.getChosenFlow()?.stages, ['m.login.dummy'])
  assert.equal(await client.isUsernameAvailable(username), false)
})

test('a client may ask what registration takes before it knows the name', async () => {
  const client = anonymousClient(server)
  const { session } = await challengeOf(client.registerRequest({}))
  const username = uniqueName('probe')
  const auth = { type: 'm.login.dummy', session }
  const registered = await client.registerRequest({ username, password: 'a fine password', auth })
  assert.equal(registered.user_id, `@${username}:${server.serverName}`)
})

test('a taken and an impossible name are refused with their codes', async () => {
  const { name } = await newUser(server, 'taken', { start: false })
  const client = anonymousClient(server)
  const auth = { type: 'm.login.dummy' }
  await refusedWith('M_USER_IN_USE', client.registerRequest({ username: name, password: 'a fine password', auth }))
  const badName = { username: 'Ünicode', password: 'a fine password', auth }
  await refusedWith('M_INVALID_USERNAME', client.registerRequest(badName))
})

test('every form of password login, and none with a wrong password', async () => {
  const { name, userId, password } = await newUser(server, 'login', { start: false })
  const client = anonymousClient(server)
  const { flows } = await client.loginFlows()
  assert.ok(flows.some(({ type }) => type === 'm.login.password'))
  const forms = [
    { identifier: { type: 'm.id.user', user: name } },
    { identifier: { type: 'm.id.user', user: userId } },
    { user: name },
    { user: userId },
  ]
  for (const form of forms) {
    const login = await client.loginRequest({ type: 'm.login.password', password, ...form })
    assert.equal(login.user_id, userId)
  }
  await refusedWith('M_FORBIDDEN', client.loginWithPassword(name, 'a wrong password'))
})

test('login with a chosen device keeps it, and its older token dies', async () => {
  const ann = await newUser(server, 'device', { start: false })
  const client = anonymousClient(server)
  const login = await client.loginRequest({
    type: 'm.login.password',
    identifier: { type: 'm.id.user', user: ann.name },
    password: ann.password,
    device_id: ann.deviceId,
  })
  assert.equal(login.device_id, ann.deviceId)
  await refusedWith('M_UNKNOWN_TOKEN', ann.client.whoami())
})

test('a login token from a signed-in client signs another one in, once', async () => {
  const ann = await newUser(server, 'qr', { start: false })
  const auth = {
    type: 'm.login.password',
    identifier: { type: 'm.id.user', user: ann.userId },
    password: ann.password,
  }
  const { session } = await challengeOf(ann.client.requestLoginToken())
  const { login_token: loginToken } = await ann.client.requestLoginToken({ ...auth, session })
  const login = await anonymousClient(server).loginWithToken(loginToken)
  assert.equal(login.user_id, ann.userId)
  assert.notEqual(login.device_id, ann.deviceId)
  await refusedWith('M_FORBIDDEN', anonymousClient(server).loginWithToken(loginToken))
})

test('refresh tokens rotate', async () => {
  const { name, password, userId } = await newUser(server, 'refresh', { start: false })
  const client = anonymousClient(server)
  const login = await client.loginRequest({
    type: 'm.login.password',
    identifier: { type: 'm.id.user', user: name },
    password,
    refresh_token: true,
  })
  assert.ok(login.refresh_token !== undefined && login.expires_in_ms !== undefined && login.expires_in_ms > 0)
  const refreshed = await client.refreshToken(login.refresh_token)
  const later = anonymousClient(server, { accessToken: refreshed.access_token, userId })
  assert.equal((await later.whoami()).device_id, login.device_id)
  const old = anonymousClient(server, { accessToken: login.access_token, userId })
  await refusedWith('M_UNKNOWN_TOKEN', old.whoami())
  await refusedWith('M_UNKNOWN_TOKEN', client.refreshToken(login.refresh_token))
})

test('devices: list, name, sign out with the password', async () => {
  const ann = await newUser(server, 'devices', { start: false })
  const phone = await newDevice(server, ann, { start: false })
  const tablet = await newDevice(server, ann, { start: false })
  await ann.client.setDeviceDetails(phone.deviceId, { display_name: 'the phone' })
  assert.equal((await ann.client.getDevice(phone.deviceId)).display_name, 'the phone')
  const all = [ann, phone, tablet].map(({ deviceId }) => deviceId)
  assert.deepEqual(await deviceIds(ann), all.toSorted())

  const passwordAuth = (session: string) => ({
    type: 'm.login.password',
    identifier: { type: 'm.id.user', user: ann.userId },
    password: ann.password,
    session,
  })
  const one = await challengeOf(ann.client.deleteDevice(phone.deviceId))
  await ann.client.deleteDevice(phone.deviceId, passwordAuth(one.session))
  await refusedWith('M_UNKNOWN_TOKEN', phone.client.whoami())
  const many = await challengeOf(ann.client.deleteMultipleDevices([tablet.deviceId]))
  await ann.client.deleteMultipleDevices([tablet.deviceId], passwordAuth(many.session))
  assert.deepEqual(await deviceIds(ann), [ann.deviceId])
  await refusedWith('M_NOT_FOUND', ann.client.getDevice(phone.deviceId))
})

test('a new password ends the other devices, and is the one that counts', async () => {
  const ann = await newUser(server, 'password', { start: false })
  const phone = await newDevice(server, ann, { start: false })
  const auth = {
    type: 'm.login.password',
    identifier: { type: 'm.id.user', user: ann.userId },
    password: ann.password,
  }
  const { session } = await challengeOf(ann.client.setPassword({ type: 'm.login.password' }, 'another password'))
  await ann.client.setPassword({ ...auth, session }, 'another password')
  await refusedWith('M_UNKNOWN_TOKEN', phone.client.whoami())
  assert.equal((await ann.client.whoami()).user_id, ann.userId)
  await refusedWith('M_FORBIDDEN', anonymousClient(server).loginWithPassword(ann.name, ann.password))
  await anonymousClient(server).loginWithPassword(ann.name, 'another password')
})

test('logout ends this device, logout everywhere ends all', async () => {
  const ann = await newUser(server, 'logout', { start: false })
  const phone = await newDevice(server, ann, { start: false })
  const tablet = await newDevice(server, ann, { start: false })
  await phone.client.logout(true)
  await refusedWith('M_UNKNOWN_TOKEN', anonymousClient(server, { accessToken: phone.token }).whoami())
  assert.equal((await tablet.client.whoami()).device_id, tablet.deviceId)
  await logoutAll(ann.token)
  await refusedWith('M_UNKNOWN_TOKEN', tablet.client.whoami())
  await refusedWith('M_UNKNOWN_TOKEN', ann.client.whoami())
})

test('a running client notices that it was signed out elsewhere', async () => {
  const ann = await newUser(server, 'ended')
  const phone = await newDevice(server, ann, { start: false })
  let reason: string | undefined
  ann.client.on(
    'Session.logged_out' as never,
    ((error: { errcode: string }) => {
      reason = error.errcode
    }) as never,
  )
  await logoutAll(phone.token)
  await eventually(() => reason === 'M_UNKNOWN_TOKEN', 'no Session.logged_out')
})

test('deactivation ends the account for good', async () => {
  const ann = await newUser(server, 'gone', { start: false })
  const { session } = await challengeOf(ann.client.deactivateAccount(undefined, true))
  const auth = {
    type: 'm.login.password',
    identifier: { type: 'm.id.user', user: ann.userId },
    password: ann.password,
    session,
  }
  await ann.client.deactivateAccount(auth, true)
  await refusedWith('M_UNKNOWN_TOKEN', ann.client.whoami())
  await assert.rejects(anonymousClient(server).loginWithPassword(ann.name, ann.password), { httpStatus: 403 })
  assert.equal(await anonymousClient(server).isUsernameAvailable(ann.name), false)
})

test('capabilities and versions are those that the client relies on', async () => {
  const { client } = await newUser(server, 'caps', { start: false })
  const { versions } = await client.getVersions()
  assert.ok(versions.includes('r0.4.0') || versions.includes('r0.5.0'), 'versions of 2018')
  assert.ok(await client.isVersionSupported('v1.11'))
  const capabilities = await client.getCapabilities()
  assert.equal(capabilities['m.room_versions']?.default, '12')
  assert.equal(capabilities['m.change_password']?.enabled, true)
})

async function challengeOf(promise: Promise<unknown>): Promise<{ session: string; flows: { stages: string[] }[] }> {
  try {
    await promise
  } catch (error) {
    const { httpStatus, data } = error as { httpStatus?: number; data: { session: string; flows: [] } }
    assert.equal(httpStatus, 401, String(error))
    assert.ok(data.session !== undefined && data.flows.length > 0)
    return data
  }
  throw new assert.AssertionError({ message: 'the request was carried out without authentication' })
}

async function deviceIds({ client }: Awaited<ReturnType<typeof newUser>>): Promise<string[]> {
  const { devices } = await client.getDevices()
  return devices.map(({ device_id: id }) => id).toSorted()
}

/** The SDK has no call for it. */
async function logoutAll(token: string): Promise<void> {
  const headers = { authorization: `Bearer ${token}` }
  const response = await fetch(`${server.url}/_matrix/client/v3/logout/all`, { method: 'POST', headers, body: '{}' })
  assert.equal(response.status, 200)
}
