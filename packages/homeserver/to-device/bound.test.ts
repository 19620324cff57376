import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { UserId } from '@holdfast/protocol/ids/brand'
import { INPUT_LIMITS } from '@holdfast/protocol/limits'
import { devicesOfUsers } from '../storage/to-device.ts'
import { startTestHomeserver } from '../testing/homeserver.ts'
import { deliveryStatements } from './deliver.ts'

test('[TDM7] of the messages that wait for one device only the newest stay', async () => {
  await using homeserver = await startTestHomeserver()
  const ann = await homeserver.user('ann')
  const { parts } = homeserver
  const userNid = (await parts.dictionary.userNid(ann.userId as UserId))!
  const [device] = await devicesOfUsers(parts.db, [userNid])
  const deliver = (from: number, count: number, draw: number) => {
    const some = Array.from({ length: count }, (_, index) => ({
      userNid,
      deviceNid: device!.device_nid,
      message: `{"type":"t","sender":"${ann.userId}","content":{"n":${from + index}}}`,
    }))
    const random = { ...parts.random, integer: () => draw }
    // Each at a position of its own.
    return Promise.all(
      some.map((one) =>
        parts.streams.commit(deliveryStatements({ random }, [one]), { positions: 1, publish: () => {} }),
      ),
    )
  }
  const { toDeviceWaitingMax } = INPUT_LIMITS
  for (let from = 0; from < toDeviceWaitingMax; from += 2_000) await deliver(from, 2_000, 1)
  await deliver(toDeviceWaitingMax, 5, 1)
  await deliver(toDeviceWaitingMax + 5, 1, 0)
  const { to_device: part } = await ann.ok('GET', '/sync')
  assert.equal(part.events[0].content.n, 6)
})
