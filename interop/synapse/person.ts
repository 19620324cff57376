/** A user with one device and the smallest client that tells what has come by sync. */
import { createHmac } from 'node:crypto'
import { uniqueName } from '../server/unique-name.ts'
import { type Body, segment, send } from './http.ts'
import type { Peer } from './peer.ts'
import { PATIENCE_MS } from './waiting.ts'

export type Person = {
  readonly peer: Peer
  readonly userId: string
  readonly deviceId: string
  readonly get: (path: string) => Promise<Body>
  readonly put: (path: string, body: object) => Promise<Body>
  readonly post: (path: string, body?: object) => Promise<Body>
  /** How many answers of /sync have come: what `hears` can be told to look behind. */
  heardSoFar(): number
  /** Syncs until `find` finds something in one of the answers, those from before included. */
  hears<Found>(what: string, find: (sync: Body) => Found | undefined, after?: number): Promise<Found>
}

const SYNC_WAIT_MS = 2_000
const FILTER = JSON.stringify({ room: { timeline: { limit: 50 } } })

/** Registers with the server's shared secret. https://element-hq.github.io/synapse/latest/admin_api/register_api.html */
export async function newPerson(peer: Peer, stem: string): Promise<Person> {
  const path = '/_synapse/admin/v1/register'
  const [username, password] = [uniqueName(stem), uniqueName('password')]
  const { nonce } = await send(peer.url, { method: 'GET', path })
  const mac = createHmac('sha1', peer.registrationSecret)
    .update([nonce, username, password, 'notadmin'].join('\0'))
    .digest('hex')
  const body = { nonce, username, password, admin: false, mac }
  const registered = await send(peer.url, { method: 'POST', path, body })
  const { user_id: userId, access_token: token, device_id: deviceId } = registered
  const newcomer = person(peer, { userId, token, deviceId })
  // What is over by the time of the first sync, such as a room that was left, is not in it.
  await newcomer.hears('anything', () => true)
  return newcomer
}

type Account = { readonly userId: string; readonly token: string; readonly deviceId: string }

function person(peer: Peer, { userId, token, deviceId }: Account): Person {
  const heard: Body[] = []
  let since: string | undefined

  const sync = async (waitMs: number): Promise<void> => {
    const from = since === undefined ? '' : `&since=${segment(since)}`
    const path = `/sync?timeout=${waitMs}&filter=${segment(FILTER)}${from}`
    const body = await send(peer.url, { method: 'GET', path, token })
    since = body.next_batch
    heard.push(body)
  }

  return {
    peer,
    userId,
    deviceId,
    get: (path) => send(peer.url, { method: 'GET', path, token }),
    put: (path, body) => send(peer.url, { method: 'PUT', path, token, body }),
    post: (path, body = {}) => send(peer.url, { method: 'POST', path, token, body }),
    heardSoFar: () => heard.length,
    hears: async (what, find, after = 0) => {
      const untilMs = performance.now() + PATIENCE_MS
      let next = after
      for (;;) {
        for (; next < heard.length; next += 1) {
          const found = find(heard[next])
          if (found !== undefined) return found
        }
        const leftMs = untilMs - performance.now()
        if (leftMs <= 0) throw new Error(`${userId} did not hear within ${PATIENCE_MS / 1000} s: ${what}`)
        await sync(Math.ceil(Math.min(SYNC_WAIT_MS, leftMs)))
      }
    },
  }
}
