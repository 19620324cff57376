/**
 * Tells other servers of the presence of our users: those servers that share a room with the user, and nobody else.
 * <https://spec.matrix.org/v1.19/server-server-api/#presence>
 */
import { LRUCache } from 'lru-cache'
import type { ServerName } from '@holdfast/protocol/ids/brand'
import { serverNameOf } from '@holdfast/protocol/ids/common'
import type { Homeserver } from '../../homeserver.ts'
import { presenceContent } from '../../presence/presence-content.ts'
import type { Join } from '../../presence/recent-joins.ts'
import type { Presence, PresenceListener } from '../../presence/tracker.ts'
import type { UserMembership } from '../../rooms/user-memberships.ts'
import { serversOfUser } from '../../storage/outbox.ts'

export type PresenceSenderDeps = Pick<
  Homeserver,
  'db' | 'clock' | 'log' | 'heads' | 'memberships' | 'dictionary' | 'outbox' | 'serverName'
> & {
  readonly presenceOf: (userNid: number) => Promise<Presence>
  readonly present: () => ReadonlySet<number>
}

const FLUSH_MS = 500
/** Other servers take somebody who is not heard of for half an hour to be gone. */
const REPEAT_AFTER_MS = 20 * 60_000
const REPEATED_AT_ONCE = 100
const REPEAT_PAUSE_MS_MIN = 5_000
/** Of the local members of a room that another server enters. */
const INTRODUCED_MAX = 100
const JOINS_WAITING_MAX = 1_000
/** A server that leaves the last room shared with a user may hear of them for so long. */
const SERVERS_KNOWN_MS = 30_000
const USERS_KNOWN_MAX = 2_000

type Joined = Pick<Join, 'userNid' | 'roomNid'>

export class PresenceSender implements PresenceListener, Disposable {
  readonly #deps: PresenceSenderDeps
  readonly #serversOf: (userNid: number) => Promise<readonly ServerName[]>
  readonly #changed = new Set<number>()
  #joins: Joined[] = []
  /** When other servers were told of those who are not offline, the longest ago first. */
  readonly #told = new Map<number, number>()
  #flushing: Disposable | undefined
  #repeating: Disposable | undefined
  #isStopped = false

  constructor(deps: PresenceSenderDeps) {
    this.#deps = deps
    this.#serversOf = knownServers(deps)
  }

  changed(userNid: number): void {
    this.#changed.add(userNid)
    this.#flushSoon()
  }

  resumed(userNid: number): void {
    this.#told.set(userNid, this.#deps.clock.monotonicMs())
    this.#repeatLater()
  }

  /** Somebody, of this server or another, has joined a room: who begins to share one is told. */
  joined(join: Joined): void {
    // Rooms without other servers are most of them.
    const servers = this.#deps.heads.peek(join.roomNid)?.members.servers.size ?? 1
    if (servers === 0 || this.#joins.length >= JOINS_WAITING_MAX) return
    this.#joins.push(join)
    this.#flushSoon()
  }

  [Symbol.dispose](): void {
    this.#isStopped = true
    this.#flushing?.[Symbol.dispose]()
    this.#repeating?.[Symbol.dispose]()
  }

  #flushSoon(): void {
    if (this.#isStopped) return
    this.#flushing ??= this.#deps.clock.after(FLUSH_MS, () => {
      this.#flushing = undefined
      this.#flush().catch((error: Error) => this.#complain(error))
    })
  }

  async #flush(): Promise<void> {
    const [users, met] = [[...this.#changed], this.#joins]
    this.#changed.clear()
    this.#joins = []
    for (const userNid of users) await this.#tell(userNid)
    for (const join of met) await this.#introduce(join)
  }

  async #tell(userNid: number): Promise<void> {
    const { clock, presenceOf } = this.#deps
    const presence = await presenceOf(userNid)
    this.#told.delete(userNid)
    if (presence.state !== 'offline') this.#told.set(userNid, clock.monotonicMs())
    this.#repeatLater()
    await this.#send(userNid, presence, await this.#serversOf(userNid))
  }

  async #send(userNid: number, presence: Presence, servers: readonly ServerName[]): Promise<void> {
    if (servers.length === 0) return
    const { clock, dictionary, outbox } = this.#deps
    const [userId] = await dictionary.userIds([userNid])
    const said = { user_id: userId!, last_active_ago: 0, ...presenceContent(presence, clock.nowMs()) }
    outbox.sendEphemeral(servers, { key: `presence ${userId}`, eduType: 'm.presence', content: { push: [said] } })
  }

  async #introduce({ userNid, roomNid }: Joined): Promise<void> {
    const { heads, dictionary, serverName, present, presenceOf } = this.#deps
    const { members } = await heads.byNid(roomNid)
    if (members.servers.size === 0) return
    const [userId] = await dictionary.userIds([userNid])
    const server = serverNameOf(userId!)
    if (server === serverName) {
      if (present().has(userNid)) await this.#send(userNid, await presenceOf(userNid), [...members.servers.keys()])
      return
    }
    // With members there before it has been told already.
    if (members.servers.get(server) === 1) await this.#tellOfMembers(server, members.joined)
  }

  async #tellOfMembers(server: ServerName, members: ReadonlySet<number>): Promise<void> {
    const { dictionary, serverName, present, presenceOf } = this.#deps
    const there = [...present()].filter((userNid) => members.has(userNid))
    const userIds = await dictionary.userIds(there)
    const own = there.filter((_, index) => serverNameOf(userIds[index]!) === serverName)
    for (const userNid of own.slice(0, INTRODUCED_MAX)) await this.#send(userNid, await presenceOf(userNid), [server])
  }

  #repeatLater(): void {
    const [oldest] = this.#told.values()
    if (this.#repeating !== undefined || oldest === undefined || this.#isStopped) return
    const leftMs = oldest + REPEAT_AFTER_MS - this.#deps.clock.monotonicMs()
    this.#repeating = this.#deps.clock.after(Math.max(leftMs, REPEAT_PAUSE_MS_MIN), () => {
      this.#repeating = undefined
      this.#repeat()
        .catch((error: Error) => this.#complain(error))
        .finally(() => this.#repeatLater())
    })
  }

  async #repeat(): Promise<void> {
    const before = this.#deps.clock.monotonicMs() - REPEAT_AFTER_MS
    const due = [...this.#told].filter(([, atMs]) => atMs <= before).slice(0, REPEATED_AT_ONCE)
    for (const [userNid] of due) await this.#tell(userNid)
  }

  #complain(error: Error): void {
    if (!this.#isStopped) this.#deps.log.warn({ error: error.message }, 'cannot tell other servers of presence')
  }
}

/** Presence changes much more often than rooms do: servers are looked up once in a while, and when the user moves. */
function knownServers(deps: PresenceSenderDeps): (userNid: number) => Promise<readonly ServerName[]> {
  const known = new LRUCache<number, Known>({ max: USERS_KNOWN_MAX })
  return async (userNid) => {
    const rooms = await deps.memberships.of(userNid)
    const before = known.get(userNid)
    const nowMs = deps.clock.monotonicMs()
    if (before?.rooms === rooms && nowMs - before.atMs < SERVERS_KNOWN_MS) return before.servers
    const servers = (await serversOfUser(deps.db, userNid)) as readonly ServerName[]
    known.set(userNid, { rooms, servers, atMs: nowMs })
    return servers
  }
}

type Known = {
  readonly rooms: ReadonlyMap<number, UserMembership>
  readonly servers: readonly ServerName[]
  readonly atMs: number
}
