/** A user at their own server, who tries again what was not answered. */
import { FollowingClient } from '@holdfast/homeserver/testing/following-client'
import type { TestUser } from '@holdfast/homeserver/testing/homeserver'
import type { Random } from '@holdfast/platform/random/random'
import type { VirtualTime } from '../time/virtual-time.ts'
import type { SimulatedServer } from '../world/server.ts'

// oxlint-disable-next-line typescript/no-explicit-any -- whoever asks knows what the answer holds
export type Json = any

export type Reply = { readonly status: number; readonly body: Json }

export type PersonDeps = {
  readonly server: SimulatedServer
  readonly localpart: string
  readonly time: VirtualTime
  readonly random: Random
  readonly note: (who: string, what: string, hidden?: string) => void
  readonly complain: (rule: string, what: string) => void
}

const TRIES_MAX = 60
const AGAIN_MS = 700

export class Person {
  readonly userId: string
  readonly server: SimulatedServer
  readonly random: Random
  readonly #deps: PersonDeps
  #token: string | undefined
  deviceId = ''
  /** They follow the rooms through /sync; an answer that does not fit what came before is an error. */
  readonly followers: readonly FollowingClient[]
  #requests = 0

  constructor(deps: PersonDeps) {
    this.#deps = deps
    this.server = deps.server
    this.random = deps.random
    this.userId = `@${deps.localpart}:${deps.server.name}`
    const limits = { timelineLimit: 5, pageLimit: 20, lazyLoadMembers: false }
    this.followers = [true, false].map(
      (useStateAfter) =>
        new FollowingClient({
          name: `${this.userId} (${useStateAfter ? 'state_after' : 'state'})`,
          user: this.#asTestUser(),
          ...limits,
          useStateAfter,
        }),
    )
  }

  get token(): string {
    return this.#token ?? ''
  }

  async register(): Promise<void> {
    const { localpart } = this.#deps
    const body = { username: localpart, password: 'word', auth: { type: 'm.login.dummy' } }
    const reply = await this.insist('POST', '/register', body)
    const known =
      reply.status === 200
        ? reply
        : await this.insist('POST', '/login', {
            type: 'm.login.password',
            identifier: { type: 'm.id.user', user: localpart },
            password: 'word',
          })
    if (known.status !== 200) throw new Error(`${this.userId} cannot log in: ${JSON.stringify(known.body)}`)
    this.#token = known.body.access_token
    this.deviceId = known.body.device_id
  }

  /** One try. undefined: there was no answer. */
  async ask(method: string, path: string, body?: Json): Promise<Reply | undefined> {
    const { server, note, complain, localpart } = this.#deps
    this.#requests += 1
    const id = `${localpart}${this.#requests}`
    const target = path.startsWith('/_') ? path : `/_matrix/client/v3${path}`
    const question = target.indexOf('?')
    note(server.name, `${id} asks ${method} ${path.slice(0, 150)}`, JSON.stringify(body) ?? '')
    const faultsBefore = server.faults
    const response = await server.handle({
      id,
      method,
      target,
      path: question < 0 ? target : target.slice(0, question),
      query: question < 0 ? '' : target.slice(question + 1),
      headers: this.#token === undefined ? {} : { authorization: `Bearer ${this.#token}` },
      body: Buffer.from(body === undefined ? '' : JSON.stringify(body)),
      remoteAddress: '127.0.0.1',
      signal: new AbortController().signal,
    })
    if (response === undefined) {
      note(server.name, `${id} is not answered`)
      return undefined
    }
    const text = Buffer.from(response.body ?? '').toString()
    note(
      server.name,
      `${id} is told ${response.status}${response.status === 200 ? '' : ` ${text.slice(0, 200)}`}`,
      text,
    )
    if (response.status === 500 && server.faults === faultsBefore) complain('no-500', `${method} ${path}: ${text}`)
    return { status: response.status, body: JSON.parse(text === '' ? '{}' : text) }
  }

  /** Until there is an answer that is not "try again". */
  async insist(method: string, path: string, body?: Json): Promise<Reply> {
    for (let tries = 0; tries < TRIES_MAX; tries += 1) {
      const reply = await this.ask(method, path, body)
      if (reply !== undefined && reply.status < 500) return reply
      await this.#deps.time.sleep(AGAIN_MS)
    }
    throw new Error(`${this.userId} asked ${method} ${path} in vain`)
  }

  #asTestUser(): TestUser {
    const insist = (method: string, path: string, body?: unknown): Promise<Reply> => this.insist(method, path, body)
    return {
      userId: this.userId,
      token: '',
      deviceId: '',
      request: async (method, path, body) => ({ ...(await insist(method, path, body)), headers: {} }),
      ok: async (method, path, body) => {
        const reply = await insist(method, path, body)
        if (reply.status === 200) return reply.body
        throw new Error(`${method} ${path} answered ${reply.status} ${JSON.stringify(reply.body)}`)
      },
    }
  }
}
