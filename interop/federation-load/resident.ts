/** A server that is in the large room and lets others in: what the Server-Server API asks of it, and no more. */
import { readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:https'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { parsePdu } from '@holdfast/protocol/event/format'
import { buildServerKeys } from '@holdfast/protocol/federation/own-keys'
import type { ServerName } from '@holdfast/protocol/ids/brand'
import type { JsonObject } from '@holdfast/protocol/json/value'
import { rulesFor } from '@holdfast/protocol/room-version/rules'
import type { Certificate } from '../synapse/certificates.ts'
import type { KeptRoom } from './kept-room.ts'
import { keyOf, type SignedEvent } from './large-room.ts'

const DAY_MS = 24 * 3_600_000

export type Joined = { readonly eventId: string; readonly depth: number }

export class Resident {
  readonly #room: KeptRoom
  readonly #server: Server
  readonly #byId: Map<string, string>
  /** In the order in which they were made. */
  readonly #timeline: SignedEvent[]
  readonly #stateText: string
  readonly #authText: string
  /** The last join that came from elsewhere. */
  joined: Joined | undefined
  /** What was asked, but for transactions. */
  readonly asked: string[] = []

  constructor(room: KeptRoom, { certFile, keyFile }: Certificate) {
    this.#room = room
    this.#byId = new Map(room.state.map(({ eventId, json }) => [eventId, json]))
    this.#timeline = [...room.state]
    this.#stateText = room.state.map(({ json }) => json).join(',')
    this.#authText = room.authChain.map((eventId) => this.#byId.get(eventId)!).join(',')
    this.#server = createServer({ cert: readFileSync(certFile), key: readFileSync(keyFile) }, (request, response) => {
      void this.#serve(request, response)
    })
  }

  async listen(): Promise<void> {
    const [host, port] = this.#room.serverName.split(':')
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen(Number(port), host, resolve)
    })
  }

  close(): void {
    this.#server.closeAllConnections()
    this.#server.close()
  }

  /** Bytes of the answer to a join. */
  get answerBytes(): number {
    return this.#stateText.length + this.#authText.length
  }

  /** From now on it answers with these, too. */
  has(events: readonly SignedEvent[]): void {
    for (const event of events) {
      this.#timeline.push(event)
      this.#byId.set(event.eventId, event.json)
    }
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const body = chunks.length === 0 ? undefined : (JSON.parse(Buffer.concat(chunks).toString()) as JsonObject)
    const url = new URL(request.url!, 'https://resident')
    const path = url.pathname.split('/').slice(2).map(decodeURIComponent)
    const answer = this.#answer(path, { url, body })
    response.writeHead(answer === undefined ? 404 : 200, { 'content-type': 'application/json' })
    response.end(answer ?? '{"errcode":"M_UNRECOGNIZED","error":"This server is a script."}')
  }

  #answer(path: readonly string[], { url, body }: { readonly url: URL; readonly body: JsonObject | undefined }) {
    if (path.join('/') === 'key/v2/server') return this.#keys()
    const [api, version, verb, , id = ''] = path
    if (api !== 'federation') return undefined
    if (verb !== 'send') this.asked.push(`${verb} ${version}`)
    switch (verb) {
      case 'version':
        return '{"server":{"name":"script","version":"1"}}'
      case 'send':
        return '{"pdus":{}}'
      case 'make_join':
        return this.#template(id)
      case 'send_join':
        return version === 'v2' ? this.#admit(body!) : undefined
      case 'event':
        return this.#events([path[3] ?? ''])
      case 'state':
        return `{"auth_chain":[${this.#authText}],"pdus":[${this.#stateText}]}`
      case 'state_ids':
        return JSON.stringify({
          auth_chain_ids: this.#room.authChain,
          pdu_ids: this.#room.state.map(({ eventId }) => eventId),
        })
      case 'event_auth':
        return `{"auth_chain":[${this.#authText}]}`
      case 'backfill':
        return this.#backfill(url)
      case 'get_missing_events':
        return this.#missing(body!)
      default:
        return undefined
    }
  }

  #keys(): string {
    const serverName = this.#room.serverName as ServerName
    const validUntilTs = Date.now() + DAY_MS
    return JSON.stringify(buildServerKeys({ serverName, validUntilTs, keys: [keyOf(serverName)], oldKeys: [] }))
  }

  #template(userId: string): string {
    const { version, roomId, tip, depth, joinAuthEvents } = this.#room
    const event = {
      type: 'm.room.member',
      room_id: roomId,
      sender: userId,
      state_key: userId,
      content: { membership: 'join' },
      depth: depth + 1,
      prev_events: [tip],
      auth_events: joinAuthEvents,
      origin: this.#room.serverName,
      origin_server_ts: Date.now(),
    }
    return JSON.stringify({ room_version: version, event })
  }

  #admit(event: JsonObject): string {
    const parsed = parsePdu(event, rulesFor(this.#room.version)!)
    if (!parsed.ok) throw new Error(`the join is malformed: ${parsed.message}`)
    const { eventId, depth } = parsed.pdu
    this.joined = { eventId, depth }
    this.has([{ eventId, json: parsed.json }])
    const rest = { event, members_omitted: false, origin: this.#room.serverName }
    return `{"auth_chain":[${this.#authText}],"state":[${this.#stateText}],${JSON.stringify(rest).slice(1)}`
  }

  #events(eventIds: readonly string[]): string {
    const texts = eventIds.flatMap((eventId) => this.#byId.get(eventId) ?? [])
    return `{"origin":"${this.#room.serverName}","origin_server_ts":${Date.now()},"pdus":[${texts.join(',')}]}`
  }

  #backfill({ searchParams }: URL): string {
    const from = new Set(searchParams.getAll('v'))
    const limit = Math.min(Number(searchParams.get('limit')), 100)
    const end = this.#timeline.findLastIndex(({ eventId }) => from.has(eventId)) + 1
    const some = this.#timeline.slice(Math.max(0, end - limit), end).toReversed()
    return this.#events(some.map(({ eventId }) => eventId))
  }

  #missing({ earliest_events: earliest, latest_events: latest, limit }: JsonObject): string {
    const known = new Set(earliest as readonly string[])
    const wanted = new Set(latest as readonly string[])
    const start = this.#timeline.findLastIndex(({ eventId }) => known.has(eventId)) + 1
    const end = this.#timeline.findIndex(({ eventId }) => wanted.has(eventId))
    const some = this.#timeline.slice(Math.max(start, end - Number(limit)), Math.max(end, 0))
    return `{"events":[${some.map(({ json }) => json).join(',')}]}`
  }
}
