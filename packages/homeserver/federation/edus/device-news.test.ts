import { test } from 'node:test'
import { deviceListUpdatesSince } from '../../e2e-keys/device-list-updates.ts'
import { deviceKeysOf } from '../../e2e-keys/testing/device.ts'
import { outboxProgress } from '../../storage/outbox.ts'
import type { TestUser } from '../../testing/homeserver.ts'
import { startFederatedHomeservers } from '../../testing/two-homeservers.ts'
import { until } from '../../testing/until.ts'

const A = 'a.example'
const B = 'b.example'

type Lists = { readonly changed: readonly string[]; readonly left: readonly string[] }

/** What a client hears that goes on from answer to answer. */
function listener(user: TestUser, from: string): () => Promise<Lists | undefined> {
  let since = from
  return async () => {
    const answer = await user.ok('GET', `/sync?since=${since}`)
    since = answer.next_batch
    return answer.device_lists
  }
}

/** News of these devices and no others. A sync may tell what happened while it was made, and the next one tells it again. */
async function hears(next: () => Promise<Lists | undefined>, changed: readonly string[]): Promise<void> {
  const wanted = changed.toSorted().join()
  await until(async () => (await next())?.changed.toSorted().join() === wanted, `news of ${wanted}`)
}

test('news of devices reach users of another server, with the keys and the name', async () => {
  await using federation = await startFederatedHomeservers([A, B], { settings: { deviceNamesToServers: true } })
  const [a, b] = federation.servers
  const [ann, bob] = [await a!.user('ann'), await b!.user('bob')]
  // The news of their registration are over: nobody knows them yet.
  for (const { parts } of [a!, b!]) {
    const [update] = await deviceListUpdatesSince(parts, { after: 0, limit: 1 })
    await until(async () => ((await outboxProgress(parts.db))?.device_lists ?? 0) >= update!.position, 'it is done')
  }
  const { room_id: roomId } = await ann.ok('POST', '/createRoom', { preset: 'public_chat', room_version: '11' })
  const [ofAnn, ofBob] = await Promise.all(
    [ann, bob].map(async (user) => listener(user, (await user.ok('GET', '/sync')).next_batch)),
  )
  await bob.ok('POST', `/join/${encodeURIComponent(roomId)}?server_name=${A}`, {})
  await hears(ofAnn!, [bob.userId])
  // Bob's other devices need to know his, too.
  await hears(ofBob!, [ann.userId, bob.userId])

  const { keys } = deviceKeysOf(ann)
  await ann.ok('POST', '/keys/upload', { device_keys: keys })
  await hears(ofBob!, [ann.userId])
  await ann.ok('PUT', `/devices/${ann.deviceId}`, { display_name: 'A phone' })
  await until(async () => {
    await hears(ofBob!, [ann.userId])
    const { device_keys: told } = await bob.ok('POST', '/keys/query', { device_keys: { [ann.userId]: [] } })
    return told[ann.userId][ann.deviceId].unsigned?.device_display_name === 'A phone'
  }, 'bob hears of the name')

  for (const path of ['away', 'restarted'] as const) {
    federation.cutOff(B, true)
    const login = { type: 'm.login.password', identifier: { type: 'm.id.user', user: 'ann' }, password: 'secret-ann' }
    const { device_id: deviceId, access_token: token } = await a!.ok('POST', '/login', { body: login })
    const second = deviceKeysOf({ userId: ann.userId, deviceId })
    await a!.ok('POST', '/keys/upload', { token, body: { device_keys: second.keys } })
    if (path === 'restarted') await Promise.all([a!.restart(), b!.restart()])
    federation.cutOff(B, false)
    a!.parts.federation.destinations.heardFrom(B as never)
    await hears(ofBob!, [ann.userId])
    await until(async () => {
      const answer = await bob.ok('POST', '/keys/query', { device_keys: { [ann.userId]: [] } })
      return deviceId in answer.device_keys[ann.userId]
    }, 'bob gets the keys of the new device')
  }
})
