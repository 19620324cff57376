import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TestUser } from '../testing/homeserver.ts'
import { startFederatedHomeservers, type Federation } from '../testing/two-homeservers.ts'

const MESSAGES = 24

type World = AsyncDisposable & {
  readonly federation: Federation
  readonly bob: TestUser
  readonly room: string
  /** What ann said before bob came, and when. */
  readonly said: readonly { readonly id: string; readonly ts: number }[]
  readonly at: (ts: number, dir: 'f' | 'b') => Promise<string | undefined>
}

/** Ann of a.example spoke, then bob of b.example came. */
async function aWorld(initialState: readonly object[] = []): Promise<World> {
  const federation = await startFederatedHomeservers(['a.example', 'b.example'])
  const [a, b] = federation.servers
  const [ann, bob] = [await a!.user('ann'), await b!.user('bob')]
  const { room_id: room } = await ann.ok('POST', '/createRoom', { preset: 'public_chat', initial_state: initialState })
  const said = []
  for (let index = 0; index < MESSAGES; index += 1) {
    await new Promise((resolve) => setTimeout(resolve, 3))
    const { event_id: id } = await ann.ok('PUT', `/rooms/${room}/send/m.room.message/${index}`, { body: String(index) })
    said.push({ id, ts: (await ann.ok('GET', `/rooms/${room}/event/${id}`)).origin_server_ts })
  }
  await bob.ok('POST', `/join/${encodeURIComponent(room)}?via=a.example`, {})
  return {
    federation,
    bob,
    room,
    said,
    at: async (ts, dir) => {
      const path = `/_matrix/client/v1/rooms/${encodeURIComponent(room)}/timestamp_to_event?ts=${ts}&dir=${dir}`
      const { status, body } = await bob.request('GET', path)
      assert.ok(status === 200 || (status === 404 && body.errcode === 'M_NOT_FOUND'))
      return body.event_id
    },
    [Symbol.asyncDispose]: () => federation[Symbol.asyncDispose](),
  }
}

test('[ROOM16] where the history here begins late, another server is asked, and the event is here from then on', async () => {
  await using world = await aWorld()
  const { said, at, bob, room } = world
  assert.equal(await at(said[3]!.ts, 'f'), said[3]!.id)
  assert.equal(await at(said[15]!.ts + 1, 'b'), said[15]!.id)
  world.federation.cutOff('a.example', true)
  assert.equal(await at(said[3]!.ts, 'f'), said[3]!.id)
  const context = await bob.ok('GET', `/rooms/${encodeURIComponent(room)}/context/${encodeURIComponent(said[3]!.id)}`)
  assert.equal(context.event.content.body, '3')
})

test('[ROOM16] who pages back over events that were fetched alone gets everything between, once and in order', async () => {
  await using world = await aWorld()
  const { said, at, bob, room } = world
  for (const index of [12, 5, 20]) assert.equal(await at(said[index]!.ts, 'b'), said[index]!.id)
  const bodies: string[] = []
  let from = ''
  for (let turn = 0; turn < 40; turn += 1) {
    const page = await bob.ok('GET', `/rooms/${encodeURIComponent(room)}/messages?dir=b&limit=7${from}`)
    bodies.push(...page.chunk.flatMap((event: { content: { body?: string } }) => event.content.body ?? []))
    if (page.end === undefined) break
    from = `&from=${page.end}`
  }
  assert.deepEqual(
    bodies,
    Array.from({ length: MESSAGES }, (_, index) => String(MESSAGES - 1 - index)),
  )
})

test('[ROOM16] what the reader may not see is not found elsewhere either', async () => {
  const joined = { type: 'm.room.history_visibility', content: { history_visibility: 'joined' } }
  await using world = await aWorld([joined])
  const { said, at } = world
  const found = await at(said[3]!.ts, 'f')
  assert.ok(!said.some(({ id }) => id === found))
})

test('[ROOM16] when nobody answers, what is here counts', async () => {
  await using world = await aWorld()
  const { said, at, federation } = world
  federation.cutOff('a.example', true)
  const found = await at(said[3]!.ts, 'f')
  assert.ok(found !== undefined && !said.some(({ id }) => id === found))
  assert.equal(await at(said[3]!.ts, 'b'), undefined)
})
