import assert from 'node:assert/strict'
import test from 'node:test'
import { MatrixError } from '@holdfast/protocol/errors'
import type { ServerName } from '@holdfast/protocol/ids/brand'
import { FederationFailed } from '../../federation/transport/federation-failed.ts'
import { tryServers } from './try-servers.ts'

const SERVERS = ['a.example', 'b.example'] as ServerName[]

function refusal(errcode: string, more: Record<string, unknown> = {}): FederationFailed {
  const body = { errcode, error: 'no', ...more }
  return new FederationFailed('matrix-error', 'answered', { status: 400, errcode, body })
}

async function errorOf(failures: readonly Error[]): Promise<Record<string, unknown>> {
  const left = [...failures]
  const error = await tryServers(SERVERS, () => Promise.reject(left.shift()!)).catch((reason: unknown) => reason)
  assert.ok(error instanceof MatrixError)
  return { status: error.status, errcode: error.errcode, ...error.extra }
}

test('the next server is asked when one fails', async () => {
  const asked: string[] = []
  const attempt = (server: ServerName): Promise<string> => {
    asked.push(server)
    return server === 'b.example' ? Promise.resolve(server) : Promise.reject(refusal('M_UNKNOWN'))
  }
  assert.equal(await tryServers(SERVERS, attempt), 'b.example')
  assert.deepEqual(asked, SERVERS)
})

test('what a server says of the request itself is told, whoever else failed', async () => {
  const broken = new FederationFailed('unreachable', 'is away')
  assert.deepEqual(await errorOf([broken, refusal('M_FORBIDDEN')]), { status: 403, errcode: 'M_FORBIDDEN' })
  assert.deepEqual(await errorOf([refusal('M_NOT_FOUND'), broken]), { status: 404, errcode: 'M_NOT_FOUND' })
  assert.deepEqual(await errorOf([broken, broken]), { status: 502, errcode: 'M_UNKNOWN' })
})

test('who cannot join because of the version of the room hears which it is', async () => {
  const incompatible = { status: 400, errcode: 'M_INCOMPATIBLE_ROOM_VERSION' }
  const named = refusal('M_INCOMPATIBLE_ROOM_VERSION', { room_version: '99' })
  assert.deepEqual(await errorOf([named, named]), { ...incompatible, room_version: '99' })
  const unnamed = refusal('M_INCOMPATIBLE_ROOM_VERSION', { room_version: 99 })
  assert.deepEqual(await errorOf([unnamed, unnamed]), incompatible)
})
