/** The lying server: it has a key, a member in each room, and answers as it pleases. */
import type { HttpClient } from '@holdfast/platform/http/client'
import type { HttpRequest, HttpResponse } from '@holdfast/platform/http/service'
import type { Random } from '@holdfast/platform/random/random'
import { buildServerKeys } from '@holdfast/protocol/federation/own-keys'
import { signRequest } from '@holdfast/protocol/federation/signed-request'
import type { EventId, RoomId, ServerName } from '@holdfast/protocol/ids/brand'
import { isObject, type JsonObject, type JsonValue } from '@holdfast/protocol/json/value'
import { rulesFor } from '@holdfast/protocol/room-version/rules'
import { createSigningKey, type SigningKey } from '@holdfast/protocol/signing/signing-key'
import type { World } from '../world/world.ts'
import { BEGINNING_MS } from '../world/world.ts'
import { answerFor } from './answers.ts'
import { KnownRoom } from './known-room.ts'

export type Told = { readonly status: number; readonly body: JsonValue }

const DEADLINE_MS = 30_000
const DAY_MS = 24 * 3_600_000

export class Liar {
  readonly name = 'elm' as ServerName
  readonly userId = '@mal:elm'
  readonly key: SigningKey
  readonly random: Random
  readonly rooms = new Map<string, KnownRoom>()
  readonly honest: readonly string[]
  readonly #world: World
  readonly #http: HttpClient
  #transactions = 0

  constructor(world: World) {
    this.#world = world
    this.random = world.random('liar')
    this.key = createSigningKey({ keyId: 'ed25519:lie', seed: this.random.bytes(32) })
    this.#http = world.network.clientOf(this.name, { isOver: false })
    this.honest = world.servers.map(({ name }) => name)
    world.strangers.set(this.name, { handle: (request) => this.#handle(request) })
  }

  nowMs(): number {
    return Math.floor(BEGINNING_MS + this.#world.time.elapsedMs)
  }

  /** A signed request; undefined: no answer. */
  async ask(destination: string, method: string, target: string, content?: JsonValue): Promise<Told | undefined> {
    const signed = { method, uri: target, origin: this.name, destination: destination as ServerName, content }
    const headers = {
      authorization: signRequest(signed, this.key),
      host: destination,
      'content-type': 'application/json',
    }
    try {
      const { status, body } = await this.#http.send({
        method,
        url: `https://${destination}${target}`,
        headers,
        ...(content === undefined ? {} : { body: JSON.stringify(content) }),
        deadlineMs: DEADLINE_MS,
        responseBytesMax: 10_000_000,
      })
      return { status, body: JSON.parse(Buffer.from(body).toString() || '{}') as JsonValue }
    } catch {
      return undefined
    }
  }

  async send(destination: string, pdus: readonly JsonValue[], edus: readonly JsonValue[] = []): Promise<void> {
    this.#transactions += 1
    const body = { origin: this.name, origin_server_ts: this.nowMs(), pdus, edus }
    await this.ask(destination, 'PUT', `/_matrix/federation/v1/send/lie${this.#transactions}`, body)
  }

  async sendToAll(pdus: readonly JsonValue[]): Promise<void> {
    for (const name of this.honest) await this.send(name, pdus)
  }

  /** Joins as an honest server would. */
  async join(roomId: string, through: string): Promise<boolean> {
    const versions = ['1', '6', '10', '12'].map((version) => `ver=${version}`).join('&')
    const path = `/_matrix/federation/v1/make_join/${encodeURIComponent(roomId)}/${encodeURIComponent(this.userId)}`
    const made = await this.ask(through, 'GET', `${path}?${versions}`)
    if (made?.status !== 200 || !isObject(made.body)) return false
    const template = made.body['event'] as JsonObject
    const rules = rulesFor((made.body['room_version'] ?? '1') as string)
    if (rules === undefined) return false
    const room = this.rooms.get(roomId) ?? new KnownRoom(roomId as RoomId, rules, this)
    const own = room.build({
      type: 'm.room.member',
      stateKey: this.userId,
      sender: this.userId,
      content: { membership: 'join' },
      prev: idsOf(template['prev_events']),
      auth: idsOf(template['auth_events']),
      depth: Number(template['depth']),
      atMs: this.nowMs(),
    })
    const target = `/_matrix/federation/v2/send_join/${encodeURIComponent(roomId)}/${encodeURIComponent(own.id)}`
    const sent = await this.ask(through, 'PUT', target, own.json)
    if (sent?.status !== 200 || !isObject(sent.body)) return false
    for (const key of ['auth_chain', 'state'] as const)
      for (const event of sent.body[key] as readonly JsonObject[]) room.learn(event)
    room.learn(own.json)
    room.tip = own.id
    this.rooms.set(roomId, room)
    return true
  }

  async #handle(request: HttpRequest): Promise<HttpResponse> {
    const { status, body } = request.path === '/_matrix/key/v2/server' ? this.#keys() : answerFor(this, request)
    return { status, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }
  }

  #keys(): Told {
    const validUntilTs = this.nowMs() + DAY_MS
    return {
      status: 200,
      body: buildServerKeys({ serverName: this.name, validUntilTs, keys: [this.key], oldKeys: [] }),
    }
  }
}

/** Edges are ids, or pairs of ids and hashes. */
export function idsOf(edges: JsonValue | undefined): readonly EventId[] {
  if (!Array.isArray(edges)) return []
  return (edges as readonly JsonValue[]).map((edge) => (Array.isArray(edge) ? edge[0] : edge) as EventId)
}
