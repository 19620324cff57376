import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { sql } from '@holdfast/platform/database/sql'
import { anotherDevice } from './testing/another-device.ts'
import { startTestHomeserver, type TestHomeserver, type TestUser } from '../testing/homeserver.ts'
import { deviceKeysOf, newSigningKey, oneTimeKeysOf, plain, randomKey } from './testing/device.ts'

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

const ALGORITHM = 'signed_curve25519'

async function query(reader: TestUser, of: TestUser, devices: readonly string[] = []): Promise<object> {
  const answer = await reader.ok('POST', '/keys/query', { device_keys: { [of.userId]: devices } })
  return answer.device_keys[of.userId]
}

async function claim(reader: TestUser, of: TestUser, algorithm = ALGORITHM): Promise<string | undefined> {
  const answer = await reader.ok('POST', '/keys/claim', {
    one_time_keys: { [of.userId]: { [of.deviceId]: algorithm } },
  })
  const [name] = Object.keys(answer.one_time_keys[of.userId]?.[of.deviceId] ?? {})
  return name?.slice(name.indexOf(':') + 1)
}

test('[E2E1] device keys are given as they were uploaded, with the name of the device', async () => {
  const ann = await aUser()
  const bob = await aUser()
  const { keys } = deviceKeysOf(ann)
  await ann.ok('POST', '/keys/upload', { device_keys: { ...keys, unsigned: { device_display_name: 'mine' } } })
  await ann.ok('PUT', `/devices/${ann.deviceId}`, { display_name: 'Phone' })
  const device = { ...keys, unsigned: { device_display_name: 'Phone' } }
  assert.deepEqual(await query(bob, ann), { [ann.deviceId]: device })
  assert.deepEqual(await query(bob, ann, [ann.deviceId]), { [ann.deviceId]: device })
  assert.deepEqual(await query(bob, ann, ['OTHER']), {})
  await server.restart()
  assert.deepEqual(await query(bob, ann), { [ann.deviceId]: device })
})

test('an object asks for all devices where clients of 2018 ask, and is malformed on the paths of today', async () => {
  const ann = await aUser()
  const { keys } = deviceKeysOf(ann)
  await ann.ok('POST', '/keys/upload', { device_keys: keys })
  const body = { device_keys: { [ann.userId]: {} } }
  for (const old of ['r0', 'unstable']) {
    const answer = await ann.ok('POST', `/_matrix/client/${old}/keys/query`, body)
    assert.deepEqual(Object.keys(answer.device_keys[ann.userId]), [ann.deviceId])
  }
  const refused = await ann.request('POST', '/_matrix/client/v3/keys/query', body)
  assert.deepEqual([refused.status, refused.body.errcode], [400, 'M_BAD_JSON'])
})

test('[E2E1] keys of another user or device, and keys with a signature that does not hold, are refused', async () => {
  const ann = await aUser()
  const bob = await aUser()
  const { keys } = deviceKeysOf(ann)
  const upload = (device: object) => ann.request('POST', '/keys/upload', { device_keys: device })
  for (const wrong of [
    { ...keys, user_id: bob.userId },
    { ...keys, device_id: 'OTHER' },
  ]) {
    assert.equal((await upload(wrong)).body.errcode, 'M_INVALID_PARAM')
  }
  const forged = await upload({ ...keys, algorithms: ['m.other'] })
  assert.deepEqual([forged.status, forged.body.errcode], [400, 'M_INVALID_SIGNATURE'])
  const noBase64 = { [ann.userId]: { [`ed25519:${ann.deviceId}`]: '!' } }
  assert.equal((await upload({ ...keys, signatures: noBase64 })).status, 400)
  assert.deepEqual(await query(bob, ann), {})
  await ann.ok('POST', '/keys/upload', { device_keys: { ...keys, signatures: {} } })
  assert.equal(Object.keys(await query(bob, ann)).length, 1)
})

test('malformed uploads are refused, and nothing of them is kept', async () => {
  const ann = await aUser()
  const { keys } = deviceKeysOf(ann)
  const broken = ['user_id', 'device_id', 'algorithms', 'keys', 'signatures'].flatMap((member) =>
    [null, 7, [1], { x: { y: 1 } }, { x: null }, 'text', undefined].map((value) => ({ ...keys, [member]: value })),
  )
  const isSound = (device: object): boolean => JSON.stringify(device).includes('"signatures":{"x"')
  for (const device of broken.filter((one) => !isSound(one))) {
    const answer = await ann.request('POST', '/keys/upload', { device_keys: device })
    assert.equal(answer.status, 400, JSON.stringify(device))
  }
  const oneTime = [
    { noColon: 'key' },
    { ':id': 'key' },
    { 'algorithm:': 'key' },
    { 'algo rithm:x': 'key' },
    { 'a:\u0000': 'key' },
    { [`a:${'x'.repeat(300)}`]: 'key' },
    { 'a:x': 7 },
    { 'a:x': null },
    { 'a:x': { key: 7, signatures: {} } },
    { 'a:x': { key: 'k', signatures: {}, more: 0.5 } },
    { 'a:x': 'k'.repeat(5_000) },
    [],
    'text',
  ]
  for (const keysGiven of oneTime) {
    for (const member of ['one_time_keys', 'fallback_keys']) {
      const answer = await ann.request('POST', '/keys/upload', { [member]: keysGiven })
      assert.ok(answer.status === 400 || answer.status === 413, JSON.stringify(keysGiven))
    }
  }
  assert.deepEqual(await query(ann, ann), {})
  const counts = await ann.ok('POST', '/keys/upload', {})
  assert.deepEqual(counts, { one_time_key_counts: { [ALGORITHM]: 0 } })
})

test('names that mean something to JavaScript are names as any other', async () => {
  const ann = await aUser()
  const text =
    `{"one_time_keys":{"__proto__:__proto__":{"key":"k","signatures":{},"__proto__":{"a":1}},"constructor:x":"k"},` +
    `"fallback_keys":{"toString:x":"f"}}`
  const { one_time_key_counts: counts } = await ann.ok('POST', '/keys/upload', text)
  assert.equal(JSON.stringify(Object.entries(counts)), `[["${ALGORITHM}",0],["__proto__",1],["constructor",1]]`)
  assert.equal(await claim(ann, ann, 'constructor'), 'x')
  assert.equal(await claim(ann, ann, 'toString'), 'x')
  assert.equal(await claim(ann, ann, 'hasOwnProperty'), undefined)
  const raw = `{"one_time_keys":{"${ann.userId}":{"${ann.deviceId}":"__proto__","__proto__":"a"}}}`
  const answer = await ann.ok('POST', '/keys/claim', raw)
  assert.match(JSON.stringify(answer), /"__proto__:__proto__":\{"__proto__":\{"a":1\},"key":"k","signatures":\{\}\}/)
  assert.equal((await ann.request('POST', '/keys/query', '{"device_keys":{"__proto__":[]}}')).status, 400)
})

test('[E2E2] the same keys again tell nobody; another identity ends what the one before has signed', async () => {
  const ann = await aUser()
  const { keys } = deviceKeysOf(ann)
  const oneTime = oneTimeKeysOf(ann, ['a'])
  const body = { device_keys: keys, one_time_keys: oneTime, fallback_keys: { [`${ALGORITHM}:f`]: 'fallback' } }
  await ann.ok('POST', '/keys/upload', body)
  const position = server.parts.streams.position()
  await ann.ok('POST', '/keys/upload', body)
  assert.equal(server.parts.streams.position(), position)
  const other = deviceKeysOf(ann).keys
  const answer = await ann.ok('POST', '/keys/upload', { device_keys: other })
  assert.deepEqual(answer, { one_time_key_counts: { [ALGORITHM]: 0 } })
  assert.equal(await claim(ann, ann), undefined)
  assert.deepEqual(await query(ann, ann), { [ann.deviceId]: { ...other, unsigned: {} } })
})

test('[E2E3] another key of a name that is taken is refused, and nothing of its request is kept', async () => {
  const ann = await aUser()
  const keys = oneTimeKeysOf(ann, ['a'])
  await ann.ok('POST', '/keys/upload', { one_time_keys: keys })
  const { keys: deviceKeys } = deviceKeysOf(ann)
  const mixed = { ...oneTimeKeysOf(ann, ['a', 'b']) }
  const refused = await ann.request('POST', '/keys/upload', { device_keys: deviceKeys, one_time_keys: mixed })
  assert.deepEqual([refused.status, refused.body.errcode], [400, 'M_INVALID_PARAM'])
  assert.deepEqual(await query(ann, ann), {})
  assert.deepEqual(await ann.ok('POST', '/keys/upload', { one_time_keys: keys }), {
    one_time_key_counts: { [ALGORITHM]: 1 },
  })
})

test('[E2E3] no key is given out twice, however many ask at once, also after a restart', async () => {
  const ann = await aUser()
  const bob = await aUser()
  const ids = Array.from({ length: 50 }, (_, n) => `k${n}`)
  const keys = oneTimeKeysOf(ann, ids)
  await ann.ok('POST', '/keys/upload', { one_time_keys: keys })
  const claims = (count: number) => Promise.all(Array.from({ length: count }, () => claim(bob, ann)))
  const first = await claims(20)
  await server.restart()
  // The answer was lost, as far as the device knows.
  await ann.ok('POST', '/keys/upload', { one_time_keys: keys })
  const all = [...first, ...(await claims(44))]
  const given = all.filter((id) => id !== undefined)
  assert.deepEqual(given.toSorted(), ids.toSorted())
  assert.equal(all.length - given.length, 14)
})

test('[E2E3] uploads of the same keys at once are one', async () => {
  const ann = await aUser()
  const body = { one_time_keys: oneTimeKeysOf(ann, ['a', 'b']) }
  const answers = await Promise.all([1, 2, 3, 4].map(() => ann.ok('POST', '/keys/upload', body)))
  for (const answer of answers) assert.deepEqual(answer.one_time_key_counts, { [ALGORITHM]: 2 })
})

test('[E2E4] keys are given out in the order of their uploads, and then the fallback key', async () => {
  const ann = await aUser()
  const upload = (ids: readonly string[]) => ann.ok('POST', '/keys/upload', { one_time_keys: oneTimeKeysOf(ann, ids) })
  await upload(['z'])
  await upload(['m'])
  await upload(['a'])
  const fallback = { [`${ALGORITHM}:f`]: { key: randomKey(), signatures: {}, fallback: true } }
  await ann.ok('POST', '/keys/upload', { fallback_keys: fallback })
  const unused = async (): Promise<unknown> => (await ann.ok('GET', '/sync')).device_unused_fallback_key_types
  const taken = [await claim(ann, ann), await claim(ann, ann)]
  assert.deepEqual(taken, ['z', 'm'])
  assert.deepEqual(await unused(), [ALGORITHM])
  assert.deepEqual([await claim(ann, ann), await claim(ann, ann), await claim(ann, ann)], ['a', 'f', 'f'])
  assert.deepEqual(await unused(), [])
  await ann.ok('POST', '/keys/upload', { fallback_keys: fallback })
  assert.deepEqual(await unused(), [])
  await ann.ok('POST', '/keys/upload', { fallback_keys: { [`${ALGORITHM}:g`]: 'other' } })
  assert.deepEqual(await unused(), [ALGORITHM])
  assert.equal(await claim(ann, ann), 'g')
})

test('[E2E5] too many keys are refused whole', async () => {
  const ann = await aUser()
  const many = (from: number, count: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, n) => [`curve25519:${from + n}`, randomKey()]))
  const refused = await ann.request('POST', '/keys/upload', { one_time_keys: many(0, 501) })
  assert.deepEqual([refused.status, refused.body.errcode], [400, 'M_INVALID_PARAM'])
  await ann.ok('POST', '/keys/upload', { one_time_keys: many(0, 500) })
  assert.equal((await ann.request('POST', '/keys/upload', { one_time_keys: many(500, 1) })).status, 400)
  const algorithms = Object.fromEntries(Array.from({ length: 21 }, (_, n) => [`a${n}:x`, 'k']))
  assert.equal((await ann.request('POST', '/keys/upload', { fallback_keys: algorithms })).status, 400)
  const two = { 'a:x': 'k', 'a:y': 'k' }
  assert.equal((await ann.request('POST', '/keys/upload', { fallback_keys: two })).status, 400)
  const users = Object.fromEntries(Array.from({ length: 1_001 }, (_, n) => [`@n${n}:example.org`, []]))
  assert.equal((await ann.request('POST', '/keys/query', { device_keys: users })).status, 400)
  const devices = Object.fromEntries(Array.from({ length: 5_001 }, (_, n) => [`D${n}`, 'a']))
  assert.equal((await ann.request('POST', '/keys/claim', { one_time_keys: { [ann.userId]: devices } })).status, 400)
  const large = { ...deviceKeysOf(ann).keys, padding: 'x'.repeat(20_000) }
  assert.equal((await ann.request('POST', '/keys/upload', { device_keys: large })).body.errcode, 'M_TOO_LARGE')
})

test('[E2E6] users without keys, unknown ones and those of unreachable servers', async () => {
  const ann = await aUser()
  const users = { [ann.userId]: [], '@nobody:example.org': [], '@far:elsewhere.example': [] }
  const answer = await ann.ok('POST', '/keys/query', { device_keys: users, timeout: 10 })
  assert.deepEqual(answer.device_keys, { [ann.userId]: {}, '@nobody:example.org': {} })
  assert.deepEqual(Object.keys(answer.failures), ['elsewhere.example'])
  const wanted = { '@nobody:example.org': { A: ALGORITHM }, '@far:elsewhere.example': { A: ALGORITHM } }
  const claimed = await ann.ok('POST', '/keys/claim', { one_time_keys: wanted })
  assert.deepEqual(claimed.one_time_keys, {})
  assert.deepEqual(Object.keys(claimed.failures), ['elsewhere.example'])
})

test('clients of 2018 ask for all devices with an object, under their paths', async () => {
  const ann = await aUser()
  await ann.ok('POST', '/_matrix/client/unstable/keys/upload', { device_keys: deviceKeysOf(ann).keys })
  for (const prefix of ['r0', 'v1', 'unstable']) {
    const answer = await ann.ok('POST', `/_matrix/client/${prefix}/keys/query`, { device_keys: { [ann.userId]: {} } })
    assert.deepEqual(Object.keys(answer.device_keys[ann.userId]), [ann.deviceId])
  }
})

test('[E2E10] keys go with their device: on logout, deletion, a new password and the end of the account', async () => {
  const ann = await aUser()
  const password = `secret-u${names}`
  const auth = { type: 'm.login.password', identifier: { type: 'm.id.user', user: ann.userId }, password }
  const ends: ((device: TestUser) => Promise<unknown>)[] = [
    (device) => device.ok('POST', '/logout', {}),
    (device) => ann.ok('DELETE', `/devices/${device.deviceId}`, { auth }),
    (device) => ann.ok('POST', '/delete_devices', { devices: [device.deviceId], auth }),
    () => ann.ok('POST', '/account/password', { new_password: password, auth }),
    (device) => device.ok('POST', '/logout/all', {}),
  ]
  const rows = async (): Promise<unknown> =>
    server.parts.db.column(
      sql`SELECT (SELECT COUNT(*) FROM device_keys) + (SELECT COUNT(*) FROM one_time_keys)
            + (SELECT COUNT(*) FROM fallback_keys)`,
    )
  const before = await rows()
  for (const end of ends) {
    const device = await anotherDevice(server, ann)
    await device.ok('POST', '/keys/upload', {
      device_keys: deviceKeysOf(device).keys,
      one_time_keys: oneTimeKeysOf(device, ['a']),
      fallback_keys: { 'a:b': 'c' },
    })
    await end(device)
    assert.deepEqual(await rows(), before)
    assert.deepEqual(await query(await aUser(), ann), {})
  }
})

test('[E2E11] every sync tells how many keys are left', async () => {
  const ann = await aUser()
  const first = await ann.ok('GET', '/sync')
  assert.deepEqual(first.device_one_time_keys_count, { [ALGORITHM]: 0 })
  assert.deepEqual(first.device_unused_fallback_key_types, [])
  await ann.ok('POST', '/keys/upload', { one_time_keys: oneTimeKeysOf(ann, ['a', 'b', 'c']) })
  await claim(ann, ann)
  const next = await ann.ok('GET', `/sync?since=${first.next_batch}`)
  assert.deepEqual(next.device_one_time_keys_count, { [ALGORITHM]: 2 })
  const second = await anotherDevice(server, ann)
  assert.deepEqual((await second.ok('GET', '/sync')).device_one_time_keys_count, { [ALGORITHM]: 0 })
})

test('a device that was logged out meanwhile uploads nothing', async () => {
  const ann = await aUser()
  const { uploadKeys } = await import('./upload-keys.ts')
  const userNid = (await server.parts.dictionary.userNid(ann.userId as never))!
  const gone = { userId: ann.userId, userNid, deviceId: 'GONE', deviceNid: 999_999 } as never
  const upload = uploadKeys(server.parts, gone, {
    deviceKeys: plain(deviceKeysOf({ userId: ann.userId, deviceId: 'GONE' }, newSigningKey('GONE')).keys),
    oneTimeKeys: {},
    fallbackKeys: {},
  })
  await assert.rejects(upload, { errcode: 'M_UNKNOWN_TOKEN' })
  assert.deepEqual(await query(ann, ann), {})
})
