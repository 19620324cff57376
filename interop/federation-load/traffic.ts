/** Events that go on in the large room, and their way to the server under test. */
import { readFileSync } from 'node:fs'
import { Agent, request } from 'node:https'
import { signRequest } from '@holdfast/protocol/federation/signed-request'
import type { ServerName, UserId } from '@holdfast/protocol/ids/brand'
import type { JsonObject } from '@holdfast/protocol/json/value'
import { buildEvent } from '@holdfast/protocol/event/build'
import { signBuiltEvent } from '@holdfast/protocol/event/sign'
import type { EdgeRef } from '@holdfast/protocol/event/build'
import { rulesFor } from '@holdfast/protocol/room-version/rules'
import type { KeptRoom } from './kept-room.ts'
import { keyOf, SETTING, type SignedEvent } from './large-room.ts'

export const PDUS_PER_TRANSACTION = 50
const BRANCH_LENGTH = 3

export type Shape = 'linear' | 'forked'

type Made = SignedEvent & { readonly depth: number }

/** So many events after the given one. */
export function eventsAfter(room: KeptRoom, start: Pick<Made, 'eventId' | 'depth'>, { shape, count }: Traffic): Made[] {
  return shape === 'linear' ? linear(room, start, count) : forked(room, start, count)
}

export type Traffic = { readonly shape: Shape; readonly count: number }

type Place = Pick<Made, 'eventId' | 'depth'>

function linear(room: KeptRoom, start: Place, count: number): Made[] {
  const events: Made[] = []
  let last = start
  for (let index = 0; index < count; index += 1) {
    const made = message(room, [last], index)
    events.push(made)
    last = made
  }
  return events
}

/** Two branches that change the state and meet in a message, again and again. */
function forked(room: KeptRoom, start: Place, count: number): Made[] {
  const events: Made[] = []
  let meeting = start
  while (events.length < count) {
    const ends = ['left', 'right'].map((side) => {
      let last: Place = made(room, [meeting], setting(side, events.length))
      events.push(last as Made)
      for (let step = 1; step < BRANCH_LENGTH; step += 1) {
        last = message(room, [last], events.length)
        events.push(last as Made)
      }
      return last
    })
    const met = message(room, ends, events.length)
    events.push(met)
    meeting = met
  }
  return events
}

type Content = { readonly type: string; readonly stateKey?: string; readonly content: JsonObject }

function setting(side: string, index: number): Content {
  return { type: SETTING, stateKey: side, content: { note: `set ${index} times` } }
}

function message(room: KeptRoom, prev: readonly Place[], index: number): Made {
  const body = `message number ${index} of the other server, as long as people write them: `.padEnd(300, 'la ')
  return made(room, prev, { type: 'm.room.message', content: { msgtype: 'm.text', body } })
}

function made(room: KeptRoom, prev: readonly Place[], { type, stateKey, content }: Content): Made {
  const depth = Math.max(...prev.map((one) => one.depth)) + 1
  const serverName = room.serverName as ServerName
  const built = buildEvent({
    rules: rulesFor(room.version)!,
    roomId: room.roomId as never,
    draft: { type, stateKey, sender: room.speaker.userId as UserId, content, originServerTs: Date.now() },
    prevEvents: prev.map(({ eventId }) => edge(eventId)),
    authEvents: room.speaker.authEvents.map(edge),
    depth,
    serverName,
  })
  return { eventId: built.pdu.eventId, depth, json: signBuiltEvent(built, serverName, keyOf(serverName)) }
}

function edge(eventId: string): EdgeRef {
  return { eventId: eventId as EdgeRef['eventId'], referenceHash: '' }
}

export type Prepared = { readonly path: string; readonly body: string; readonly authorization: string }

/** Signed and written out, so that sending them costs little. */
export function transactionsOf(room: KeptRoom, destination: string, events: readonly SignedEvent[]): Prepared[] {
  const key = keyOf(room.serverName)
  const prepared: Prepared[] = []
  for (let start = 0; start < events.length; start += PDUS_PER_TRANSACTION) {
    const some = events.slice(start, start + PDUS_PER_TRANSACTION)
    const path = `/_matrix/federation/v1/send/${Date.now()}-${start}-${some[0]!.eventId.slice(1, 9)}`
    const head = `{"origin":"${room.serverName}","origin_server_ts":${Date.now()}`
    const body = `${head},"pdus":[${some.map(({ json }) => json).join(',')}]}`
    const [origin, to] = [room.serverName as ServerName, destination as ServerName]
    const content = JSON.parse(body) as JsonObject
    const authorization = signRequest({ method: 'PUT', uri: path, origin, destination: to, content }, key)
    prepared.push({ path, body, authorization })
  }
  return prepared
}

export type Sender = {
  send(transaction: Prepared): Promise<void>
  close(): void
}

/** One connection that is kept, as servers do. */
export function openSender(serverName: string, caFile: string): Sender {
  const agent = new Agent({ keepAlive: true, maxSockets: 1, ca: readFileSync(caFile) })
  const [host, port] = serverName.split(':')
  return {
    send: ({ path, body, authorization }) =>
      new Promise((resolve, reject) => {
        const headers = { authorization, 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }
        const outgoing = request({ agent, host, port, method: 'PUT', path, headers }, (response) => {
          let text = ''
          response.setEncoding('utf8')
          response.on('data', (chunk: string) => (text += chunk))
          response.on('end', () => {
            const failed = response.statusCode !== 200 || text.includes('"error"')
            if (failed) reject(new Error(`a transaction was answered ${response.statusCode} ${text.slice(0, 500)}`))
            else resolve()
          })
        })
        outgoing.on('error', reject)
        outgoing.end(body)
      }),
    close: () => agent.destroy(),
  }
}
