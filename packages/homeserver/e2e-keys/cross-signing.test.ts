import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { JsonObject } from '@holdfast/protocol/json/value'
import { signJson } from '@holdfast/protocol/signing/sign-json'
import { startTestHomeserver, type TestHomeserver, type TestResponse, type TestUser } from '../testing/homeserver.ts'
import { anotherDevice } from './testing/another-device.ts'
import { crossSigningOf, deviceKeysOf, plain, type CrossSigning } from './testing/device.ts'

let server: TestHomeserver
before(async () => {
  server = await startTestHomeserver()
})
after(() => server[Symbol.asyncDispose]())

let names = 0
async function aUser(): Promise<TestUser> {
  names += 1
  return server.user(`u${names}`)
}

const UPLOAD = '/keys/device_signing/upload'

async function withCrossSigning(user: TestUser): Promise<CrossSigning> {
  const keys = crossSigningOf(user.userId)
  await user.ok('POST', UPLOAD, keys.body)
  return keys
}

function auth(user: TestUser): object {
  const password = `secret-${user.userId.slice(1, user.userId.indexOf(':'))}`
  return { type: 'm.login.password', identifier: { type: 'm.id.user', user: user.userId }, password }
}

async function query(reader: TestUser, of: TestUser): Promise<TestResponse['body']> {
  return reader.ok('POST', '/keys/query', { device_keys: { [of.userId]: [] } })
}

async function share(...users: readonly TestUser[]): Promise<void> {
  const { room_id: id } = await users[0]!.ok('POST', '/createRoom', { preset: 'public_chat' })
  for (const user of users.slice(1)) await user.ok('POST', `/rooms/${encodeURIComponent(id)}/join`, {})
}

async function tokenOf(user: TestUser): Promise<string> {
  return (await user.ok('GET', '/sync')).next_batch
}

async function changedSince(user: TestUser, token: string): Promise<readonly string[]> {
  return (await user.ok('GET', `/sync?since=${token}`)).device_lists?.changed ?? []
}

test('[E2E14] the first keys are uploaded freely, the same again too, others with the password', async () => {
  const ann = await aUser()
  const { body } = await withCrossSigning(ann)
  await ann.ok('POST', UPLOAD, body)
  const other = crossSigningOf(ann.userId).body
  const refused = await ann.request('POST', UPLOAD, other)
  assert.equal(refused.status, 401)
  assert.deepEqual(refused.body.flows, [{ stages: ['m.login.password'] }])
  assert.equal((await ann.request('POST', UPLOAD, { self_signing_key: other['self_signing_key'] })).status, 400)
  await ann.ok('POST', UPLOAD, { auth: { ...auth(ann), session: refused.body.session } })
  const answer = await query(ann, ann)
  assert.deepEqual(answer['master_keys'], { [ann.userId]: other['master_key'] })
  assert.deepEqual(answer['self_signing_keys'], { [ann.userId]: other['self_signing_key'] })
  assert.deepEqual(answer['user_signing_keys'], { [ann.userId]: other['user_signing_key'] })
})

test('[E2E14] a new master key alone ends what the one before had signed', async () => {
  const ann = await aUser()
  await withCrossSigning(ann)
  const { master_key: master } = crossSigningOf(ann.userId).body
  await ann.ok('POST', UPLOAD, { master_key: master, auth: auth(ann) })
  const answer = await query(ann, ann)
  assert.deepEqual([answer['self_signing_keys'], answer['user_signing_keys']], [{}, undefined])
})

test('[E2E14] of first uploads at the same moment one wins', async () => {
  const ann = await aUser()
  const bodies = [1, 2, 3].map(() => crossSigningOf(ann.userId).body)
  const answers = await Promise.all(bodies.map((body) => ann.request('POST', UPLOAD, body)))
  assert.equal(answers.filter(({ status }) => status === 200).length, 1)
})

test("keys that are not the user's, not keys, not signed, or the id of a device are refused", async () => {
  const [ann, bob] = [await aUser(), await aUser()]
  const { body } = crossSigningOf(ann.userId)
  const theirs = crossSigningOf(bob.userId).body
  const { master_key: master, self_signing_key: selfSigning } = body as Record<string, JsonObject>
  const key = (keys: object): object => ({ ...master, keys })
  const sound = Object.values(master!['keys'] as object)[0] as string
  const cases: [object, number, string][] = [
    [theirs, 400, 'M_INVALID_PARAM'],
    [{ self_signing_key: selfSigning }, 400, 'M_MISSING_PARAM'],
    [{ ...body, self_signing_key: { ...selfSigning, signatures: {} } }, 400, 'M_INVALID_SIGNATURE'],
    [{ ...body, self_signing_key: { ...selfSigning, usage: ['self_signing', 'master'] } }, 400, 'M_INVALID_SIGNATURE'],
    [{ master_key: { ...master, usage: ['self_signing'] } }, 400, 'M_INVALID_PARAM'],
    [{ master_key: key({}) }, 400, 'M_INVALID_PARAM'],
    [{ master_key: key({ 'ed25519:x': sound }) }, 400, 'M_INVALID_PARAM'],
    [{ master_key: key({ [`ed25519:${sound}`]: sound, 'ed25519:y': 'y' }) }, 400, 'M_INVALID_PARAM'],
    [{ master_key: key({ 'ed25519:short': 'short' }) }, 400, 'M_INVALID_PARAM'],
    [{ master_key: 7 }, 400, 'M_BAD_JSON'],
    [{ master_key: null }, 400, 'M_BAD_JSON'],
  ]
  for (const [upload, status, errcode] of cases) {
    const answer = await ann.request('POST', UPLOAD, upload)
    assert.deepEqual([answer.status, answer.body.errcode], [status, errcode], JSON.stringify(upload))
  }
  assert.deepEqual((await query(ann, ann))['master_keys'], {})
  const identifier = { type: 'm.id.user', user: ann.userId }
  const login = { type: 'm.login.password', identifier, password: `secret-u${names - 1}`, device_id: sound }
  const { access_token: token } = await server.ok('POST', '/login', { body: login })
  const refused = await ann.request('POST', UPLOAD, body)
  assert.deepEqual([refused.status, refused.body.errcode], [403, 'M_FORBIDDEN'])
  await server.ok('POST', '/logout', { token, body: {} })
  await ann.ok('POST', UPLOAD, body)
  const again = await server.ok('POST', '/login', { body: login })
  const device = deviceKeysOf({ userId: ann.userId, deviceId: sound }).keys
  const upload = await server.request('POST', '/keys/upload', {
    token: again.access_token,
    body: { device_keys: device },
  })
  assert.deepEqual([upload.status, upload.body.errcode], [403, 'M_FORBIDDEN'])
})

test('[E2E16] a new user-signing key is told to its user alone, the others to all who share a room', async () => {
  const [ann, bob] = [await aUser(), await aUser()]
  await share(ann, bob)
  const { body } = crossSigningOf(ann.userId)
  const tokens = [await tokenOf(ann), await tokenOf(bob)] as const
  await ann.ok('POST', UPLOAD, { master_key: body['master_key'], self_signing_key: body['self_signing_key'] })
  for (const [index, user] of [ann, bob].entries())
    assert.deepEqual(await changedSince(user, tokens[index]!), [ann.userId])
  const next = [await tokenOf(ann), await tokenOf(bob)] as const
  await ann.ok('POST', UPLOAD, { user_signing_key: body['user_signing_key'], auth: auth(ann) })
  assert.deepEqual(await changedSince(ann, next[0]), [ann.userId])
  assert.deepEqual(await changedSince(bob, next[1]), [])
  assert.equal((await query(bob, ann))['user_signing_keys'], undefined)
})

test('[E2E15] a device that is signed by the self-signing key is shown so to everybody, and told', async () => {
  const [ann, bob] = [await aUser(), await aUser()]
  await share(ann, bob)
  const { keys } = deviceKeysOf(ann)
  await ann.ok('POST', '/keys/upload', { device_keys: keys })
  const { selfSigning } = await withCrossSigning(ann)
  const token = await tokenOf(bob)
  const { signatures: _signatures, ...bare } = keys
  const signed = plain(signJson(bare, { signer: ann.userId, key: selfSigning }))
  const upload = { [ann.userId]: { [ann.deviceId]: signed } }
  assert.deepEqual(await ann.ok('POST', '/keys/signatures/upload', upload), { failures: {} })
  assert.deepEqual(await changedSince(bob, token), [ann.userId])
  const shown = (await query(bob, ann)).device_keys[ann.userId][ann.deviceId]
  assert.deepEqual(
    Object.keys(shown.signatures[ann.userId]).toSorted(),
    [`ed25519:${ann.deviceId}`, selfSigning.keyId].toSorted(),
  )
  const position = server.parts.streams.position()
  await ann.ok('POST', '/keys/signatures/upload', upload)
  await ann.ok('POST', '/keys/upload', { device_keys: keys })
  assert.equal(server.parts.streams.position(), position)
  assert.deepEqual((await query(bob, ann)).device_keys[ann.userId][ann.deviceId], shown)
})

test('[E2E15] the own master key is signed by a device', async () => {
  const ann = await aUser()
  const { keys, signingKey } = deviceKeysOf(ann)
  await ann.ok('POST', '/keys/upload', { device_keys: keys })
  const { master, body } = await withCrossSigning(ann)
  const signed = plain(signJson(body['master_key'] as JsonObject, { signer: ann.userId, key: signingKey }))
  const upload = { [ann.userId]: { [master.publicKey]: signed } }
  assert.deepEqual(await ann.ok('POST', '/keys/signatures/upload', upload), { failures: {} })
  assert.deepEqual((await query(await aUser(), ann))['master_keys'], { [ann.userId]: signed })
})

test('[E2E16] what a user-signing key signed is seen by its user alone', async () => {
  const [ann, bob] = [await aUser(), await aUser()]
  await share(ann, bob)
  const { userSigning } = await withCrossSigning(ann)
  const { master, body } = await withCrossSigning(bob)
  const token = await tokenOf(ann)
  const ofBob = await tokenOf(bob)
  const signed = plain(signJson(body['master_key'] as JsonObject, { signer: ann.userId, key: userSigning }))
  const upload = { [bob.userId]: { [master.publicKey]: signed } }
  assert.deepEqual(await ann.ok('POST', '/keys/signatures/upload', upload), { failures: {} })
  assert.deepEqual((await query(ann, bob))['master_keys'], { [bob.userId]: signed })
  assert.deepEqual((await query(bob, bob))['master_keys'], { [bob.userId]: body['master_key'] })
  assert.deepEqual(await changedSince(ann, token), [bob.userId])
  assert.deepEqual(await changedSince(bob, ofBob), [])
})

test('[E2E15] signatures that do not hold, are by the wrong key or of another thing are refused one by one', async () => {
  const [ann, bob] = [await aUser(), await aUser()]
  const { keys, signingKey } = deviceKeysOf(ann)
  await ann.ok('POST', '/keys/upload', { device_keys: keys })
  const second = await anotherDevice(server, ann)
  const secondKeys = deviceKeysOf(second).keys
  await second.ok('POST', '/keys/upload', { device_keys: secondKeys })
  const theirKeys = deviceKeysOf(bob).keys
  await bob.ok('POST', '/keys/upload', { device_keys: theirKeys })
  const mine = await withCrossSigning(ann)
  const theirs = await withCrossSigning(bob)
  const by = (object: JsonObject, key: CrossSigning['master']): JsonObject => {
    const { signatures: _signatures, ...bare } = object
    return plain(signJson(bare, { signer: ann.userId, key }))
  }
  const before = [await query(bob, ann), await query(bob, bob), await query(ann, bob)]
  const uploads: [string, string, JsonObject, string][] = [
    [ann.userId, ann.deviceId, by(keys, mine.userSigning), 'M_INVALID_SIGNATURE'],
    [ann.userId, ann.deviceId, by(keys, theirs.selfSigning), 'M_INVALID_SIGNATURE'],
    [ann.userId, ann.deviceId, by({ ...keys, algorithms: [] }, mine.selfSigning), 'M_INVALID_PARAM'],
    [ann.userId, ann.deviceId, { ...keys, signatures: {} }, 'M_INVALID_SIGNATURE'],
    [ann.userId, ann.deviceId, {}, 'M_INVALID_PARAM'],
    [ann.userId, 'NOSUCH', by(keys, mine.selfSigning), 'M_NOT_FOUND'],
    [ann.userId, '__proto__', by(keys, mine.selfSigning), 'M_NOT_FOUND'],
    [
      ann.userId,
      mine.master.publicKey,
      by(mine.body['master_key'] as JsonObject, mine.selfSigning),
      'M_INVALID_SIGNATURE',
    ],
    [bob.userId, bob.deviceId, by(theirKeys, mine.userSigning), 'M_NOT_FOUND'],
    [
      bob.userId,
      theirs.master.publicKey,
      by(theirs.body['master_key'] as JsonObject, signingKey),
      'M_INVALID_SIGNATURE',
    ],
    [
      bob.userId,
      theirs.selfSigning.publicKey,
      by(theirs.body['self_signing_key'] as JsonObject, mine.userSigning),
      'M_NOT_FOUND',
    ],
    ['@nobody:example.org', 'X', by(keys, mine.selfSigning), 'M_NOT_FOUND'],
  ]
  for (const [userId, target, object, errcode] of uploads) {
    const good = { [second.deviceId]: by(secondKeys, mine.selfSigning) }
    const own = userId === ann.userId ? { ...good } : {}
    Object.defineProperty(own, target, { value: object, enumerable: true })
    const { failures } = await ann.ok('POST', '/keys/signatures/upload', { [ann.userId]: good, [userId]: own })
    assert.deepEqual(Object.keys(failures), [userId], target)
    const failed = Object.entries<{ errcode: string }>(failures[userId])
    assert.deepEqual([failed.length, failed[0]![0], failed[0]![1].errcode], [1, target, errcode], target)
  }
  const after = [await query(bob, ann), await query(bob, bob), await query(ann, bob)]
  const signature = `"${mine.selfSigning.keyId}":"`
  assert.equal(JSON.stringify(after).split(signature).length - JSON.stringify(before).split(signature).length, 1)
  for (const body of ['[]', '{"x":{}}', '{"__proto__":{}}', `{"${ann.userId}":7}`, `{"${ann.userId}":{"A":7}}`]) {
    assert.equal((await ann.request('POST', '/keys/signatures/upload', body)).status, 400, body)
  }
})

test('cross-signing keys and signatures end with the account', async () => {
  const ann = await aUser()
  const bob = await aUser()
  await withCrossSigning(ann)
  await ann.ok('POST', '/account/deactivate', { auth: auth(ann) })
  assert.deepEqual((await query(bob, ann))['master_keys'], {})
})
