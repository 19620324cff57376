import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startTestHomeserver } from '../testing/homeserver.ts'

test('anybody may ask for name and version', async () => {
  await using homeserver = await startTestHomeserver()
  const { server } = await homeserver.ok('GET', '/_matrix/federation/v1/version')
  assert.equal(server.name, 'Holdfast')
  assert.match(server.version, /^\d+\.\d+\.\d+/)
})

test('paths of federation that do not exist are M_UNRECOGNIZED: 404, or 405 for another method', async () => {
  await using homeserver = await startTestHomeserver()
  const cases = [
    ['GET', '/_matrix/federation/v1/nothing', 404],
    ['GET', '/_matrix/federation/v3/version', 404],
    ['GET', '/_matrix/key/v1/server', 404],
    ['DELETE', '/_matrix/federation/v1/version', 405],
  ] as const
  for (const [method, path, status] of cases) {
    const answer = await homeserver.request(method, path)
    assert.deepEqual([answer.status, answer.body.errcode], [status, 'M_UNRECOGNIZED'], path)
  }
})
