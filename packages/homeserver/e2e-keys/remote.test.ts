import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { ServerName, UserId } from '@holdfast/protocol/ids/brand'
import type { JsonObject } from '@holdfast/protocol/json/value'
import { signJson } from '@holdfast/protocol/signing/sign-json'
import { startTestHomeserver, type TestHomeserver, type TestResponse, type TestUser } from '../testing/homeserver.ts'
import { claimKeys } from './claim-keys.ts'
import { queryKeys } from './query-keys.ts'
import {
  applyRemoteDeviceUpdate,
  applyRemoteSigningKeys,
  fetchRemoteDevices,
  markRemoteListStale,
} from './remote-devices.ts'
import { crossSigningOf, deviceKeysOf, plain } from './testing/device.ts'
import { aRemoteWorld, FAR, moveRemote, requesterOf, type RemoteWorld } from './testing/remote-world.ts'

let server: TestHomeserver
before(async () => {
  server = await startTestHomeserver()
})
after(() => server[Symbol.asyncDispose]())

let names = 0

type Scene = {
  readonly world: RemoteWorld
  readonly ann: TestUser
  readonly roomId: string
  readonly zoe: UserId
}

/** Ann of this server and Zoe of another in a room. */
async function aScene(): Promise<Scene> {
  names += 1
  const ann = await server.user(`ann${names}`)
  const { room_id: roomId } = await ann.ok('POST', '/createRoom', { preset: 'public_chat' })
  const world = aRemoteWorld(server)
  const zoe = `@zoe${names}:${FAR}` as UserId
  await moveRemote(world, { roomId, userId: zoe, membership: 'join' })
  return { world, ann, roomId, zoe }
}

function device(userId: string, deviceId: string): JsonObject {
  return deviceKeysOf({ userId, deviceId }).keys
}

function list(userId: string, streamId: number, devices: readonly JsonObject[], more: JsonObject = {}): JsonObject {
  const entries = devices.map((keys) => ({ device_id: keys['device_id']!, keys, device_display_name: 'Far' }))
  return { user_id: userId, stream_id: streamId, devices: entries, ...more }
}

async function ask({ world, ann }: Scene, ...users: readonly UserId[]): Promise<TestResponse['body']> {
  const requester = await requesterOf(world, ann)
  const query = new Map(users.map((userId) => [userId, []]))
  const answer = await queryKeys(world.deps, requester, { query, timeoutMs: 1_000 })
  return plain({
    devices: Object.fromEntries(answer.deviceKeys),
    masters: Object.fromEntries(answer.crossSigning.master),
    failures: [...answer.failures.keys()],
  })
}

async function devicesOf(scene: Scene): Promise<readonly string[]> {
  return Object.keys((await ask(scene, scene.zoe)).devices[scene.zoe] ?? {})
}

async function tokenOf(user: TestUser): Promise<string> {
  return (await user.ok('GET', '/sync')).next_batch
}

async function changedSince(user: TestUser, token: string): Promise<readonly string[]> {
  return (await user.ok('GET', `/sync?since=${token}`)).device_lists?.changed ?? []
}

test('[E2E13] the devices of who shares a room are fetched once, and kept', async () => {
  const scene = await aScene()
  const { world, zoe } = scene
  const keys = device(zoe, 'A')
  const { body } = crossSigningOf(zoe)
  const more = { master_key: body['master_key']!, self_signing_key: body['self_signing_key']! }
  world.answers.set(`devices ${zoe}`, list(zoe, 5, [keys], more))
  const expected = {
    devices: { [zoe]: { A: { ...keys, unsigned: { device_display_name: 'Far' } } } },
    masters: { [zoe]: body['master_key'] },
    failures: [],
  }
  const answers = await Promise.all([ask(scene, zoe), ask(scene, zoe), ask(scene, zoe)])
  for (const answer of answers) assert.deepEqual(answer, expected)
  assert.deepEqual(await ask(scene, zoe), expected)
  assert.deepEqual(world.asked, [`devices ${zoe}`])
})

test('[E2E13] updates that follow each other are applied and told', async () => {
  const scene = await aScene()
  const { world, zoe, ann } = scene
  world.answers.set(`devices ${zoe}`, list(zoe, 5, [device(zoe, 'A')]))
  await ask(scene, zoe)
  const token = await tokenOf(ann)
  const update = { user_id: zoe, device_id: 'B', stream_id: 6, prev_id: [5], keys: device(zoe, 'B') }
  assert.equal(await applyRemoteDeviceUpdate(world.deps, FAR, update), 'applied')
  assert.equal(await applyRemoteDeviceUpdate(world.deps, FAR, update), 'ignored')
  assert.deepEqual(await changedSince(ann, token), [zoe])
  assert.deepEqual(await devicesOf(scene), ['A', 'B'])
  const gone = { user_id: zoe, device_id: 'A', stream_id: 9, prev_id: [6], deleted: true }
  assert.equal(await applyRemoteDeviceUpdate(world.deps, FAR, gone), 'applied')
  assert.deepEqual(await devicesOf(scene), ['B'])
  assert.deepEqual(world.asked, [`devices ${zoe}`])
})

test('[E2E13] where an update was missed the list is fetched again, once, and whoever shares a room is told', async () => {
  const scene = await aScene()
  const { world, zoe, ann } = scene
  world.answers.set(`devices ${zoe}`, list(zoe, 5, [device(zoe, 'A')]))
  await ask(scene, zoe)
  world.asked.length = 0
  world.deps.e2eKeys.fetched.clear()
  const token = await tokenOf(ann)
  world.answers.set(`devices ${zoe}`, list(zoe, 9, [device(zoe, 'C')]))
  for (let n = 0; n < 100; n += 1) {
    const update = { user_id: zoe, device_id: 'B', stream_id: 100 + n, prev_id: [50 + n] }
    assert.equal(await applyRemoteDeviceUpdate(world.deps, FAR, update), 'resync')
  }
  assert.deepEqual(await changedSince(ann, token), [zoe])
  assert.deepEqual(await devicesOf(scene), ['C'])
  assert.ok(world.asked.length <= 2, `${world.asked.length} requests`)
})

test('[E2E13] updates in the wrong order, or of a past long gone, end with the list that the server has', async () => {
  const scene = await aScene()
  const { world, zoe } = scene
  world.answers.set(`devices ${zoe}`, list(zoe, 5, [device(zoe, 'A')]))
  await ask(scene, zoe)
  const now = list(zoe, 8, [device(zoe, 'A'), device(zoe, 'B'), device(zoe, 'C')])
  world.answers.set(`devices ${zoe}`, now)
  const update = (streamId: number, previous: number, deviceId: string, more: JsonObject = {}): JsonObject => {
    return { user_id: zoe, device_id: deviceId, stream_id: streamId, prev_id: [previous], ...more }
  }
  for (const content of [
    update(8, 7, 'C', { keys: device(zoe, 'C') }),
    update(7, 6, 'B', { deleted: true }),
    update(6, 5, 'B', { keys: device(zoe, 'B') }),
    update(1, 0, 'A', { deleted: true }),
    update(Number.MAX_SAFE_INTEGER, 8, 'A', { keys: device(zoe, 'A') }),
    update(Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER, 'A', { deleted: true }),
  ]) {
    await applyRemoteDeviceUpdate(world.deps, FAR, content)
    world.deps.e2eKeys.fetched.clear()
  }
  await applyRemoteDeviceUpdate(world.deps, FAR, update(9, 8, 'D', { keys: device(zoe, 'D') }))
  assert.deepEqual((await devicesOf(scene)).filter((id) => id !== 'D').toSorted(), ['A', 'B', 'C'])
})

test('[E2E13] a first update makes the list be fetched', async () => {
  const scene = await aScene()
  const { world, zoe } = scene
  world.answers.set(`devices ${zoe}`, list(zoe, 1, [device(zoe, 'A')]))
  const update = { user_id: zoe, device_id: 'A', stream_id: 1 }
  assert.equal(await applyRemoteDeviceUpdate(world.deps, FAR, update), 'resync')
  assert.deepEqual(await devicesOf(scene), ['A'])
  assert.deepEqual(world.asked, [`devices ${zoe}`])
})

test('[E2E18] an update that does not follow is told once, and with the list at hand', async () => {
  const scene = await aScene()
  const { world, zoe, ann } = scene
  for (const [streamId, deviceId] of [
    [3, 'A'],
    [9, 'B'],
  ] as const) {
    const token = await tokenOf(ann)
    world.answers.set(`devices ${zoe}`, list(zoe, streamId, [device(zoe, deviceId)]))
    world.deps.e2eKeys.fetched.clear()
    const update = { user_id: zoe, device_id: deviceId, stream_id: streamId, prev_id: [streamId - 1] }
    assert.equal(await applyRemoteDeviceUpdate(world.deps, FAR, update), 'resync')
    const asked = world.asked.length
    const told = await ann.ok('GET', `/sync?since=${token}`)
    assert.deepEqual(told.device_lists, { changed: [zoe], left: [] })
    assert.deepEqual(await devicesOf(scene), [deviceId])
    assert.equal(world.asked.length, asked)
    assert.deepEqual(await changedSince(ann, told.next_batch), [])
  }
})

test('[E2E18] an answer that was asked for before the update does not pass for its list', async () => {
  const scene = await aScene()
  const { world, zoe, ann } = scene
  const gate = Promise.withResolvers<void>()
  const answer = list(zoe, 5, [device(zoe, 'A')])
  const remote = { ...world.deps.e2eKeys.remote!, devices: () => gate.promise.then(() => answer) }
  const deps = { ...world.deps, e2eKeys: { ...world.deps.e2eKeys, remote } }
  const asking = fetchRemoteDevices(deps, zoe)
  const token = await tokenOf(ann)
  const update = { user_id: zoe, device_id: 'B', stream_id: 6, prev_id: [5], keys: device(zoe, 'B') }
  const applying = applyRemoteDeviceUpdate(deps, FAR, update)
  gate.resolve()
  assert.equal(await asking, true)
  assert.equal(await applying, 'resync')
  assert.deepEqual(await changedSince(ann, token), [zoe])
  world.answers.set(`devices ${zoe}`, list(zoe, 6, [device(zoe, 'A'), device(zoe, 'B')]))
  assert.deepEqual(await devicesOf(scene), ['A', 'B'])
})

test('[E2E18] a server that is slow is waited for once; meanwhile its updates are told without their list', async () => {
  const scene = await aScene()
  const { world, zoe, ann } = scene
  const remote = { ...world.deps.e2eKeys.remote!, devices: () => new Promise<never>(() => {}) }
  const deps = { ...world.deps, e2eKeys: { ...world.deps.e2eKeys, remote } }
  const token = await tokenOf(ann)
  const others = [zoe]
  for (const name of ['x', 'y', 'z']) {
    const userId = `@${name}${names}:${FAR}` as UserId
    await moveRemote(world, { roomId: scene.roomId, userId, membership: 'join' })
    others.push(userId)
  }
  const startMs = performance.now()
  for (const userId of others) {
    await applyRemoteDeviceUpdate(deps, FAR, { user_id: userId, device_id: 'B', stream_id: 6, prev_id: [5] })
  }
  const tookMs = performance.now() - startMs
  assert.ok(tookMs >= 1_900 && tookMs < 3_900, `${tookMs} ms`)
  assert.deepEqual((await changedSince(ann, token)).toSorted(), others.toSorted())
})

test('[E2E13] a list holds only while somebody here and the user stayed in a room', async () => {
  const scene = await aScene()
  const { world, zoe, ann, roomId } = scene
  world.answers.set(`devices ${zoe}`, list(zoe, 5, [device(zoe, 'A')]))
  await ask(scene, zoe)
  const path = `/rooms/${encodeURIComponent(roomId)}`
  await ann.ok('PUT', `/profile/${ann.userId}/displayname`, { displayname: 'Ann' })
  assert.deepEqual(await devicesOf(scene), ['A'])
  assert.equal(world.asked.length, 1)
  await ann.ok('POST', `${path}/leave`, {})
  await ann.ok('POST', `${path}/join`, {})
  world.answers.set(`devices ${zoe}`, list(zoe, 7, [device(zoe, 'B')]))
  assert.deepEqual(await devicesOf(scene), ['B'])
  const bob = await server.user(`bob${names}`)
  await bob.ok('POST', `${path}/join`, {})
  assert.deepEqual(await devicesOf({ ...scene, ann: bob }), ['B'])
  assert.equal(world.asked.length, 2)
  await markRemoteListStale(world.deps, zoe)
  assert.deepEqual(await devicesOf(scene), ['B'])
  assert.equal(world.asked.length, 3)
})

test('keys of who shares no room are asked for each time; an unreachable server is named', async () => {
  const scene = await aScene()
  const { world, zoe, roomId } = scene
  await moveRemote(world, { roomId, userId: zoe, membership: 'leave' })
  assert.deepEqual(await ask(scene, zoe), { devices: {}, masters: {}, failures: [FAR] })
  const keys = device(zoe, 'A')
  world.answers.set(`query ${zoe}`, { device_keys: { [zoe]: { A: keys } } })
  const expected = { devices: { [zoe]: { A: { ...keys, unsigned: {} } } }, masters: {}, failures: [] }
  assert.deepEqual(await ask(scene, zoe), expected)
  assert.deepEqual(await ask(scene, zoe), expected)
  assert.equal(world.asked.length, 3)
})

test('[E2E12] a server says nothing of the users of others, nor what was not asked for', async () => {
  const scene = await aScene()
  const { world, zoe, ann, roomId } = scene
  await moveRemote(world, { roomId, userId: zoe, membership: 'leave' })
  const { body } = crossSigningOf(ann.userId)
  const bad = { ...device(zoe, 'B'), device_id: 'OTHER' }
  world.answers.set(`query ${zoe}`, {
    device_keys: {
      [ann.userId]: { X: device(ann.userId, 'X') },
      [zoe]: {
        B: bad,
        C: device(ann.userId, 'C'),
        D: 7,
        E: { keys: 0.5 },
        F: { x: 'x'.repeat(20_000) },
        ['\u0000']: {},
      },
    },
    master_keys: { [ann.userId]: body['master_key']!, [zoe]: body['master_key']! },
  })
  assert.deepEqual(await ask(scene, zoe), { devices: { [zoe]: {} }, masters: {}, failures: [] })
  for (const answer of [[], { device_keys: 7 }, { device_keys: { [zoe]: [] } }]) {
    world.answers.set(`query ${zoe}`, answer as unknown as JsonObject)
    const { devices } = await ask(scene, zoe)
    assert.deepEqual(devices[zoe] ?? {}, {})
  }
})

test('[E2E12] updates of users of another server, of strangers, and malformed ones are ignored', async () => {
  const scene = await aScene()
  const { world, zoe, ann } = scene
  const sound = { user_id: zoe, device_id: 'A', stream_id: 1, keys: device(zoe, 'A') }
  const bad: JsonObject[] = [
    { ...sound, user_id: ann.userId },
    { ...sound, user_id: '@zoe:third.example' },
    { ...sound, user_id: `@stranger:${FAR}` },
    { ...sound, user_id: `@:${FAR}\u0000` },
    { ...sound, user_id: 7 },
    { ...sound, device_id: 'B' },
    { ...sound, device_id: '' },
    { ...sound, device_id: null },
    { ...sound, stream_id: '1' },
    { ...sound, stream_id: 1.5 },
    { ...sound, prev_id: 7 },
    { ...sound, keys: [] },
    { ...sound, keys: { x: 'x'.repeat(20_000) } },
    {},
  ]
  const position = server.parts.streams.position()
  for (const content of bad) {
    assert.equal(await applyRemoteDeviceUpdate(world.deps, FAR, content), 'ignored', JSON.stringify(content))
  }
  assert.equal(await applyRemoteDeviceUpdate(world.deps, 'other.example' as ServerName, sound), 'ignored')
  assert.equal(server.parts.streams.position(), position)
  assert.deepEqual(world.asked, [])
})

test('[E2E12] an answer about another user, or of another form, is none', async () => {
  const scene = await aScene()
  const { world, zoe, ann } = scene
  const answers = [list(ann.userId, 1, []), { ...list(zoe, 1, []), stream_id: 'x' }, { user_id: zoe, stream_id: 1 }, []]
  for (const answer of answers) {
    world.answers.set(`devices ${zoe}`, answer as unknown as JsonObject)
    assert.deepEqual(await ask(scene, zoe), { devices: {}, masters: {}, failures: [FAR] })
  }
  const mixed = { ...list(zoe, 1, [device(zoe, 'A')]) }
  const devices = [...(mixed['devices'] as unknown[]), 7, {}, { device_id: 'B', keys: 7 }, { device_id: 'C' }]
  world.answers.set(`devices ${zoe}`, { ...mixed, devices: devices as never })
  assert.deepEqual(await devicesOf(scene), ['A'])
})

test('new signing keys of a remote user are kept and told; the reader sees what they signed themselves', async () => {
  const scene = await aScene()
  const { world, zoe, ann } = scene
  world.answers.set(`devices ${zoe}`, list(zoe, 1, []))
  await ask(scene, zoe)
  const { body, master } = crossSigningOf(zoe)
  const token = await tokenOf(ann)
  const content = { user_id: zoe, master_key: body['master_key']!, self_signing_key: body['self_signing_key']! }
  assert.equal(await applyRemoteSigningKeys(world.deps, 'other.example' as ServerName, content), false)
  assert.equal(await applyRemoteSigningKeys(world.deps, FAR, content), true)
  assert.deepEqual(await changedSince(ann, token), [zoe])
  const mine = crossSigningOf(ann.userId)
  await ann.ok('POST', '/keys/device_signing/upload', mine.body)
  const signed = plain(signJson(body['master_key'] as JsonObject, { signer: ann.userId, key: mine.userSigning }))
  const upload = { [zoe]: { [master.publicKey]: signed } }
  assert.deepEqual(await ann.ok('POST', '/keys/signatures/upload', upload), { failures: {} })
  assert.deepEqual((await ask(scene, zoe)).masters, { [zoe]: signed })
})

test('[E2E12] of claimed keys a server gives one of the algorithm for each device that was named', async () => {
  const { world, zoe, ann } = await aScene()
  const key = { key: 'k', signatures: {} }
  world.answers.set(`claim ${zoe}`, {
    one_time_keys: {
      [zoe]: {
        A: { 'other:1': key, 'signed_curve25519:1': key, 'signed_curve25519:2': key },
        B: { 'signed_curve25519:1': 7 },
        C: { 'signed_curve25519:1': key },
      },
      [ann.userId]: { A: { 'signed_curve25519:1': key } },
    },
  })
  const wanted = new Map([[zoe, new Map(['A', 'B'].map((id) => [id, 'signed_curve25519']))]])
  const { keys, failures } = await claimKeys(world.deps, wanted, { timeoutMs: 1_000 })
  assert.deepEqual(plain(Object.fromEntries(keys)), { [zoe]: { A: { 'signed_curve25519:1': key } } })
  assert.equal(failures.size, 0)
  world.answers.clear()
  assert.deepEqual([...(await claimKeys(world.deps, wanted, { timeoutMs: 1_000 })).failures.keys()], [FAR])
})
