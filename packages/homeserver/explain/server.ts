/** What is known of another server: its keys, whether it answers, what waits for it and why, which rooms it shares. */
import type { ServerName } from '@holdfast/protocol/ids/brand'
import type { Homeserver } from '../homeserver.ts'
import { behindPosition, countSharedRooms, sharedRooms } from '../storage/explain.ts'
import { countOutgoingEdus, outboxProgress, owedEvents } from '../storage/outbox.ts'
import { verifyKeys } from '../storage/server-keys.ts'
import { EXPLAIN_LIMITS } from './limits.ts'

export type ExplainServerDeps = Pick<Homeserver, 'db' | 'clock' | 'federation' | 'outbox' | 'serverName' | 'streams'>

export type KnownKeyShown = {
  readonly key_id: string
  /** ms; until then it proves what the server says. */
  readonly valid_until: number
  /** The server has given the key up. */
  readonly is_old: boolean
  /** Whether the server itself said so, and not a notary. */
  readonly is_direct: boolean
}

export type ReachState = {
  readonly kind: 'up' | 'backing-off' | 'dormant'
  readonly last_success: number | null
  readonly failing_since: number | null
  readonly retry_at: number | null
  readonly last_error: string | null
}

export type Queue = {
  readonly events: number
  /** There are more events than were counted. */
  readonly is_more: boolean
  readonly edus: number
  readonly is_sending: boolean
  readonly why: string
}

export type OutboxShown = {
  /** Servers for which something waits. */
  readonly servers: number
  readonly failed: number
  readonly behind: number
  readonly sending: number
  /** How long one of them has waited for events without being told any. */
  readonly oldest_ms: number
}

export type ServerExplanation = {
  readonly kind: 'server'
  readonly server_name: string
  readonly is_own: boolean
  readonly keys: readonly KnownKeyShown[]
  readonly key_count: number
  readonly reach: ReachState
  readonly queue: Queue
  /** Of this server itself, while it runs: what waits for all others. */
  readonly outbox?: OutboxShown
  readonly rooms: readonly { readonly room_id: string; readonly joined: number }[]
  readonly room_count: number
}

export async function explainServer(deps: ExplainServerDeps, server: ServerName): Promise<ServerExplanation> {
  const { db } = deps
  const keys = await keysOf(deps, server)
  const reach = await reachOf(deps, server)
  const [roomCount = 0] = await countSharedRooms(db.heavy, server)
  return {
    kind: 'server',
    server_name: server,
    is_own: server === deps.serverName,
    keys: keys.slice(0, EXPLAIN_LIMITS.keysMax),
    key_count: keys.length,
    reach,
    queue: await queueOf(deps, server, reach),
    ...(server === deps.serverName ? outboxOf(deps) : {}),
    rooms: await sharedRooms(db.heavy, { serverName: server, limit: EXPLAIN_LIMITS.roomsMax }),
    room_count: roomCount,
  }
}

async function keysOf({ db }: ExplainServerDeps, server: ServerName): Promise<readonly KnownKeyShown[]> {
  const rows = await verifyKeys(db, [server])
  return rows.map((row) => ({
    key_id: row.key_id,
    valid_until: row.expired_ms ?? row.valid_until_ms,
    is_old: row.expired_ms !== null,
    is_direct: row.is_direct === 1,
  }))
}

async function reachOf({ federation }: ExplainServerDeps, server: ServerName): Promise<ReachState> {
  const state = await federation.destinations.state(server)
  const isUp = state.kind === 'up'
  return {
    kind: state.kind,
    last_success: state.lastSuccessMs ?? null,
    failing_since: isUp ? null : state.sinceMs,
    retry_at: isUp ? null : state.retryAtMs,
    last_error: isUp ? null : state.lastError,
  }
}

function outboxOf({ outbox }: ExplainServerDeps): Pick<ServerExplanation, 'outbox'> {
  const totals = outbox.totals()
  if (totals === undefined) return {}
  const { servers, pausing: failed, behind, inFlight: sending, oldestMs } = totals
  return { outbox: { servers, failed, behind, sending, oldest_ms: oldestMs } }
}

async function queueOf(deps: ExplainServerDeps, server: ServerName, reach: ReachState): Promise<Queue> {
  const report = await deps.outbox.server(server)
  if (report === undefined) return writtenDown(deps, server)
  const { waitingEvents: events, isMore, waitingEdus: edus, isSending, retryInMs, lastError } = report
  const why = (): string => {
    if (events === 0 && edus === 0) return 'Nothing waits.'
    if (isSending) return 'It is being sent now.'
    if (reach.kind !== 'up')
      return 'The server does not answer; it is tried again at the time above, or when it is heard from.'
    const tried =
      retryInMs === undefined ? 'It is sent soon.' : `It is tried again in ${Math.ceil(retryInMs / 1000)} s.`
    return lastError === undefined ? tried : `${tried} The last error: ${lastError.message}`
  }
  return { events, is_more: isMore, edus, is_sending: isSending, why: why() }
}

/** Without a running server: what the last one wrote down. */
async function writtenDown({ db, streams }: ExplainServerDeps, server: ServerName): Promise<Queue> {
  const settled = (await outboxProgress(db))?.settled ?? 0
  const after = (await behindPosition(db, server))?.position ?? settled
  const limit = EXPLAIN_LIMITS.queuedEventsMax
  const owed = await owedEvents(db.heavy, { serverName: server, after, upTo: streams.position(), limit })
  const [edus = 0] = await countOutgoingEdus(db, server)
  const isEmpty = owed.length === 0 && edus === 0
  const why = isEmpty ? 'Nothing waits.' : 'Nothing is sent, because no server runs on these data.'
  return { events: owed.length, is_more: owed.length === limit, edus, is_sending: false, why }
}
