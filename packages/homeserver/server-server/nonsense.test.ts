import assert from 'node:assert/strict'
import test from 'node:test'
import type { JsonObject, JsonValue } from '@holdfast/protocol/json/value'
import { createSeededRandom } from '@holdfast/platform/random/seeded-random'
import { aLyingPeer, assertAlive, BOB, event, type LyingPeer, PEER } from '../rooms/receive/testing/lying-peer.ts'
import { ENDPOINTS } from './endpoints.ts'

const ROUNDS = 15

/** Members that some endpoint looks at. */
const MEMBERS =
  `event event_id room_id room_version invite_room_state origin origin_server_ts pdus edus type sender state_key content depth
  auth_events prev_events hashes signatures unsigned device_keys one_time_keys earliest_events latest_events limit min_depth
  auth_chain missing rejects mxid address medium invites server_keys filter since token membership edu_type`.split(
    /\s+/,
  )

const QUERY = 'event_id v limit ver ts dir field user_id room_alias omit_members access_token'.split(' ')

type Nonsense = {
  readonly path: (paths: readonly string[]) => string
  readonly query: () => string
  readonly body: () => JsonValue
}

function nonsenseOf(w: LyingPeer, seed: number): Nonsense {
  const random = createSeededRandom(seed)
  const pick = <T>(of: readonly T[]): T => of[random.integer(of.length)]!
  const many = <T>(count: number, make: () => T): T[] => Array.from({ length: count }, make)
  const sound = event(w)
  const usual: Record<string, string> = { roomId: w.roomId, userId: BOB, eventId: sound.eventId, serverName: PEER }
  const ids = [...Object.values(usual), w.ann.userId, w.joined.eventId, 'example.org', '!x:y', '@x:y', '$x:y']
  const odd = ['', 'x', '__proto__', '\u0000', '\u202e', '🧨', '%', '../..', 'a'.repeat(300), '-1', '0', '1e9', 'true']
  const texts = [...ids, ...odd]

  function value(depth: number): JsonValue {
    if (depth === 0) return pick([null, true, 0, -1, 2 ** 52, ...texts])
    const items = many(1 + random.integer(4), () => value(depth - 1))
    const members = items.map((item) => [random.integer(10) < 7 ? pick(MEMBERS) : pick(texts), item] as const)
    return pick([items, items[0]!, Object.fromEntries(members), { ...sound.body, [pick(MEMBERS)]: items[0]! }])
  }
  const object = (): JsonObject => Object.fromEntries(many(6, () => [pick(MEMBERS), value(random.integer(5))]))
  const usually = (name: string): string => (random.integer(10) < 6 ? (usual[name] ?? pick(texts)) : pick(texts))
  return {
    path: (paths) => pick(paths).replaceAll(/\{([^}]+)\}/g, (_, name: string) => encodeURIComponent(usually(name))),
    query: () => many(3, () => `${pick(QUERY)}=${encodeURIComponent(pick(texts))}`).join('&'),
    body: () => pick([object(), object(), value(3), { ...sound.body, ...object() }]),
  }
}

for (const version of ['1', '10', '12']) {
  test(`whatever another server asks is answered, and is no failure of ours: version ${version}`, async (t) => {
    const w = await aLyingPeer(t, { version })
    const nonsense = nonsenseOf(w, Number(version))
    for (const { id, method, paths, bodyKind } of ENDPOINTS) {
      for (let round = 0; round < ROUNDS; round += 1) {
        const target = `${nonsense.path(paths)}?${nonsense.query()}`
        const body = bodyKind === 'json' ? nonsense.body() : undefined
        const { status } = await w.peer.request(method, target, body)
        assert.ok(status < 500, `${id} answered ${status} to ${target} ${JSON.stringify(body)?.slice(0, 2_000)}`)
      }
    }
    await assertAlive(w)
  })
}
