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

export type PresenceSender = PresenceListener &
  Disposable & {
    /** Somebody, of this server or another, has joined a room: who begins to share one is told. */
    joined(join: Pick<Join, 'userNid' | 'roomNid'>): void
  }

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

export function openPresenceSender(deps: PresenceSenderDeps): PresenceSender {
  const changed = new Set<number>()
  let joins: Pick<Join, 'userNid' | 'roomNid'>[] = []
  /** When other servers were told of those who are not offline, the longest ago first. */
  const told = new Map<number, number>()
  const serversOf = knownServers(deps)
  let flushing: Disposable | undefined
  let repeating: Disposable | undefined
  let isStopped = false

  function flushSoon(): void {
    if (isStopped) return
    flushing ??= deps.clock.after(FLUSH_MS, () => {
      flushing = undefined
      flush().catch(complain)
    })
  }

  async function flush(): Promise<void> {
    const [users, met] = [[...changed], joins]
    changed.clear()
    joins = []
    for (const userNid of users) await tell(userNid, await serversOf(userNid))
    for (const join of met) await introduce(join)
  }

  async function tell(userNid: number, servers: readonly ServerName[]): Promise<void> {
    const presence = await deps.presenceOf(userNid)
    told.delete(userNid)
    if (presence.state !== 'offline') told.set(userNid, deps.clock.monotonicMs())
    repeatLater()
    await send(userNid, presence, servers)
  }

  async function send(userNid: number, presence: Presence, servers: readonly ServerName[]): Promise<void> {
    if (servers.length === 0) return
    const [userId] = await deps.dictionary.userIds([userNid])
    const content = { user_id: userId!, last_active_ago: 0, ...presenceContent(presence, deps.clock.nowMs()) }
    deps.outbox.sendEphemeral(servers, {
      key: `presence ${userId}`,
      eduType: 'm.presence',
      content: { push: [content] },
    })
  }

  async function introduce({ userNid, roomNid }: Pick<Join, 'userNid' | 'roomNid'>): Promise<void> {
    const { members } = await deps.heads.byNid(roomNid)
    if (members.servers.size === 0) return
    const [userId] = await deps.dictionary.userIds([userNid])
    const server = serverNameOf(userId!)
    if (server === deps.serverName) {
      if (deps.present().has(userNid)) await send(userNid, await deps.presenceOf(userNid), [...members.servers.keys()])
      return
    }
    // With members there before it has been told already.
    if (members.servers.get(server) !== 1) return
    const present = [...deps.present()].filter((nid) => members.joined.has(nid)).slice(0, INTRODUCED_MAX)
    const userIds = await deps.dictionary.userIds(present)
    for (const [index, nid] of present.entries()) {
      if (serverNameOf(userIds[index]!) === deps.serverName) await send(nid, await deps.presenceOf(nid), [server])
    }
  }

  function repeatLater(): void {
    const [oldest] = told.values()
    if (repeating !== undefined || oldest === undefined || isStopped) return
    const leftMs = oldest + REPEAT_AFTER_MS - deps.clock.monotonicMs()
    repeating = deps.clock.after(Math.max(leftMs, REPEAT_PAUSE_MS_MIN), () => {
      repeating = undefined
      repeat().catch(complain).finally(repeatLater)
    })
  }

  async function repeat(): Promise<void> {
    const before = deps.clock.monotonicMs() - REPEAT_AFTER_MS
    const due = [...told].filter(([, atMs]) => atMs <= before).slice(0, REPEATED_AT_ONCE)
    for (const [userNid] of due) await tell(userNid, await serversOf(userNid))
  }

  function complain(error: Error): void {
    if (!isStopped) deps.log.warn({ error: error.message }, 'cannot tell other servers of presence')
  }

  return {
    changed: (userNid) => {
      changed.add(userNid)
      flushSoon()
    },
    resumed: (userNid) => {
      told.set(userNid, deps.clock.monotonicMs())
      repeatLater()
    },
    joined: (join) => {
      // Rooms without other servers are most of them.
      const servers = deps.heads.peek(join.roomNid)?.members.servers.size ?? 1
      if (servers === 0 || joins.length >= JOINS_WAITING_MAX) return
      joins.push(join)
      flushSoon()
    },
    [Symbol.dispose]: () => {
      isStopped = true
      flushing?.[Symbol.dispose]()
      repeating?.[Symbol.dispose]()
    },
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
