import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import { signJson } from '@holdfast/protocol/signing/sign-json'
import { createSigningKey } from '@holdfast/protocol/signing/signing-key'
import type { TestHomeserver, TestUser } from '../../testing/homeserver.ts'
import { startFederatedHomeservers, type Federation } from '../../testing/two-homeservers.ts'
import { part } from './testing/peer-events.ts'

const A = 'a.example'
const B = 'b.example'
const IDENTITY = 'id.example'
const KEY = createSigningKey({ keyId: 'ed25519:0', seed: new Uint8Array(32).fill(7) })
const ADDRESS = { medium: 'email', address: 'bob@example.com' }
const TOKEN = 'token1'

type World = Federation & {
  readonly a: TestHomeserver
  readonly b: TestHomeserver
  readonly ann: TestUser
  readonly bob: TestUser
  readonly roomId: string
  /** What the identity service says of its key. */
  readonly identity: { says: string }
}

/** Ann has invited an address. */
async function world(t: TestContext, version: string): Promise<World> {
  const identity = { says: '{"valid":true}' }
  const elsewhere = (url: string) => {
    if (!url.startsWith(`https://${IDENTITY}/isvalid?public_key=`)) return undefined
    const isAsked = decodeURIComponent(url.split('=')[1]!) === KEY.publicKey
    return { status: isAsked ? 200 : 404, headers: {}, body: Buffer.from(identity.says) }
  }
  const federation = await startFederatedHomeservers([A, B], { elsewhere })
  t.after(() => federation[Symbol.asyncDispose]())
  const [a, b] = federation.servers as [TestHomeserver, TestHomeserver]
  const ann = await a.user('ann')
  const roomId = (await ann.ok('POST', '/createRoom', { room_version: version })).room_id as string
  const content = {
    display_name: 'b...@example.com',
    key_validity_url: `https://${IDENTITY}/isvalid`,
    public_key: KEY.publicKey,
  }
  await ann.ok('PUT', `/rooms/${part(roomId)}/state/m.room.third_party_invite/${TOKEN}`, content)
  return { ...federation, a, b, ann, bob: await b.user('bob'), roomId, identity }
}

/** The identity service tells a homeserver that an address is one of its users'. */
async function bind(
  { a, b, ann, roomId }: World,
  user: TestUser,
  { token = TOKEN, key = KEY, mxid = user.userId, sender = ann.userId } = {},
): Promise<number> {
  const signed = signJson({ mxid, token, sender: ann.userId }, { signer: IDENTITY, key })
  const invite = { ...ADDRESS, mxid: user.userId, room_id: roomId, sender, signed }
  const server = user.userId.endsWith(`:${A}`) ? a : b
  const body = { ...ADDRESS, mxid: user.userId, invites: [invite] }
  return (await server.request('PUT', '/_matrix/federation/v1/3pid/onbind', { body })).status
}

async function isInvited(user: TestUser, roomId: string): Promise<boolean> {
  return (await user.ok('GET', '/sync')).rooms?.invite?.[roomId] !== undefined
}

for (const version of ['1', '6', '10', '12']) {
  test(`[ADM2] an invited address becomes an invited user, once: version ${version}`, async (t) => {
    const w = await world(t, version)
    const { bob, ann, roomId } = w
    assert.equal(await bind(w, bob), 200)
    assert.ok(await isInvited(bob, roomId))
    const target = `/rooms/${part(roomId)}/state/m.room.member/${part(bob.userId)}`
    const member = await ann.ok('GET', target)
    assert.equal(member.third_party_invite.display_name, 'b...@example.com')
    assert.equal(await bind(w, bob), 200)
    await bob.ok('POST', `/rooms/${part(roomId)}/join`, {})
    await bob.ok('POST', `/rooms/${part(roomId)}/leave`, {})
    assert.equal(await bind(w, bob), 200)
    assert.ok(!(await isInvited(bob, roomId)))
  })

  test(`the address may be of a user of the inviter's server: version ${version}`, async (t) => {
    const w = await world(t, version)
    const carl = await w.a.user('carl')
    assert.equal(await bind(w, carl), 200)
    assert.ok(await isInvited(carl, w.roomId))
    await carl.ok('POST', `/rooms/${part(w.roomId)}/join`, {})
  })

  test(`only what the identity service signed counts: version ${version}`, async (t) => {
    const w = await world(t, version)
    const { bob, roomId, identity } = w
    const otherKey = createSigningKey({ keyId: 'ed25519:0', seed: new Uint8Array(32).fill(8) })
    await bind(w, bob, { key: otherKey })
    await bind(w, bob, { token: 'token2' })
    await bind(w, bob, { mxid: '@eve:b.example' })
    await bind(w, bob, { sender: '@dan:a.example' })
    await bind(w, bob, { sender: '@dan:nowhere.example' })
    for (const says of ['{"valid":false}', '{"valid":"true"}', '[]', 'x', '']) {
      identity.says = says
      await bind(w, bob)
    }
    assert.ok(!(await isInvited(bob, roomId)))
    identity.says = '{"valid":true}'
    const target = `/rooms/${part(roomId)}/state/m.room.third_party_invite/${TOKEN}`
    await w.ann.ok('PUT', target, {})
    await bind(w, bob)
    assert.ok(!(await isInvited(bob, roomId)))
  })
}

test('an address is bound to users of the server that is told', async (t) => {
  const w = await world(t, '10')
  const body = { ...ADDRESS, mxid: '@eve:third.example', invites: [] }
  assert.equal((await w.b.request('PUT', '/_matrix/federation/v1/3pid/onbind', { body })).status, 400)
  const nobody = { ...body, mxid: '@nobody:b.example' }
  assert.equal((await w.b.request('PUT', '/_matrix/federation/v1/3pid/onbind', { body: nobody })).status, 403)
})
