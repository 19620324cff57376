import assert from 'node:assert/strict'
import test from 'node:test'
import { parsePdu } from '@holdfast/protocol/event/format'
import type { JsonObject } from '@holdfast/protocol/json/value'
import { rulesFor } from '@holdfast/protocol/room-version/rules'
import { createSigningKey } from '@holdfast/protocol/signing/signing-key'
import { startFederatedHomeservers } from '../../testing/two-homeservers.ts'
import { until } from '../../testing/until.ts'

const [A, B, POLICY] = ['a.example', 'b.example', 'policy.example']
const key = createSigningKey({ keyId: 'ed25519:policy_server', seed: new Uint8Array(32).fill(9) })

for (const version of ['1', '10', '12']) {
  test(`[PS1] each server asks for its own events only, invitations among them: version ${version}`, async (t) => {
    const asked: string[] = []
    const elsewhere = (url: string, body: string) => {
      if (!url.startsWith(`https://${POLICY}/_matrix/policy/v1/sign`)) return undefined
      const parsed = parsePdu(JSON.parse(body) as JsonObject, rulesFor(version)!)
      assert.ok(parsed.ok)
      const { type, sender } = parsed.pdu
      asked.push(`${type} ${sender}`)
      const answer = { [POLICY]: { 'ed25519:policy_server': key.sign(parsed.signable) } }
      return { status: 200, headers: {}, body: Buffer.from(JSON.stringify(answer)) }
    }
    const federation = await startFederatedHomeservers([A, B, POLICY], { elsewhere })
    t.after(() => federation[Symbol.asyncDispose]())
    const [a, b, p] = federation.servers
    const [ann, bob, pat] = [await a!.user('ann'), await b!.user('bob'), await p!.user('pat')]
    const creation = { preset: 'public_chat', room_version: version }
    const roomId = (await ann.ok('POST', '/createRoom', creation)).room_id as string
    const path = (rest: string): string => `/rooms/${encodeURIComponent(roomId)}${rest}`
    await pat.ok('POST', `/join/${encodeURIComponent(roomId)}?server_name=${A}`, {})
    await ann.ok('PUT', path('/state/m.room.policy/'), { via: POLICY, public_keys: { ed25519: key.publicKey } })
    await ann.ok('POST', path('/invite'), { user_id: bob.userId })
    await bob.ok('POST', `/join/${encodeURIComponent(roomId)}?server_name=${A}`, {})
    const hello = await bob.ok('PUT', path('/send/m.room.message/1'), { body: 'hello' })
    const isShown = async (): Promise<boolean> =>
      (await ann.request('GET', path(`/event/${encodeURIComponent(hello.event_id)}`))).status === 200
    await until(isShown, 'the message arrives')
    const own = (about: string): string[] => asked.filter((line) => line === about)
    assert.deepEqual(own(`m.room.message ${bob.userId}`).length, 1)
    assert.deepEqual(own(`m.room.member ${ann.userId}`).length, 1)
    assert.deepEqual(own(`m.room.member ${bob.userId}`).length >= 1, true)
  })
}
