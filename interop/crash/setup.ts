/** The users and rooms that are there before the first kill. */
import { uniqueName } from '../server/unique-name.ts'
import type { Http } from './http.ts'
import { segment } from './http.ts'
import type { Chance } from './seeded.ts'
import { ask, emptyLedger, type User, type World } from './world.ts'

/** Old and new event formats and rules. */
const ROOM_VERSIONS = ['12', '11', '6', '1'] as const
const LOBBIES = 2
const PASSWORD = 'the password of everybody'

export async function setUp(http: Http, chance: Chance, userCount: number): Promise<World> {
  const users: User[] = []
  for (let index = 0; index < userCount; index += 1) users.push(await register(http, index))
  const rooms: string[] = []
  const lobbies: string[] = []
  for (const version of ROOM_VERSIONS) rooms.push(await createRoom(http, users[0]!, version))
  for (let n = 0; n < LOBBIES; n += 1) lobbies.push(await createRoom(http, users[0]!, '12'))
  for (const roomId of rooms) {
    for (const user of users.slice(1)) await join(http, user, roomId)
  }
  const counts = { acknowledged: 0, lost: 0, settled: 0, repeated: 0 }
  return { http, chance, users, rooms, lobbies, password: PASSWORD, ledger: emptyLedger(), counts, violations: [] }
}

async function register(http: Http, index: number): Promise<User> {
  const body = { username: uniqueName(`crash${index}`), password: PASSWORD, auth: { type: 'm.login.dummy' } }
  const made = await ask(http, { method: 'POST', path: '/register', body })
  return { userId: made.user_id, token: made.access_token, deviceId: made.device_id, index }
}

async function createRoom(http: Http, { token }: User, version: string): Promise<string> {
  const body = { preset: 'public_chat', room_version: version, power_level_content_override: { state_default: 0 } }
  return (await ask(http, { method: 'POST', path: '/createRoom', token, body })).room_id
}

function join(http: Http, { token }: User, roomId: string): Promise<unknown> {
  return ask(http, { method: 'POST', path: `/join/${segment(roomId)}`, token, body: {} })
}
