/** Who has not heard of an event yet, from the outbox that runs or from what it last wrote down. */
import type { ServerName } from '@holdfast/protocol/ids/brand'
import { departedServers, destinationsOf } from '../federation/outbox/route-event.ts'
import type { Homeserver } from '../homeserver.ts'
import type { StoredEvent } from '../rooms/event-store.ts'
import { EXPLAIN_LIMITS } from './limits.ts'
import { outboxProgress, outgoingEventAt, serversBehind } from '../storage/outbox.ts'

export type WaitingDeps = Pick<Homeserver, 'db' | 'events' | 'heads' | 'serverName' | 'outbox'>

export type Waiting = {
  readonly waiting: readonly ServerName[]
  readonly waiting_count: number
  readonly refused_by: Readonly<Record<string, string>>
}

export async function waitingFor(deps: WaitingDeps, event: StoredEvent): Promise<Waiting> {
  const report = await deps.outbox.event(event)
  const waiting = report === undefined ? await writtenDown(deps, event) : report.waiting
  const refused = [...(report?.refusedBy ?? [])].slice(0, EXPLAIN_LIMITS.serversMax)
  return {
    waiting: waiting.toSorted().slice(0, EXPLAIN_LIMITS.serversMax),
    waiting_count: waiting.length,
    refused_by: Object.fromEntries(refused),
  }
}

async function writtenDown(deps: WaitingDeps, event: StoredEvent): Promise<readonly ServerName[]> {
  const row = await outgoingEventAt(deps.db, event.position)
  if (row === undefined) return []
  const { servers } = await destinationsOf(deps, event, departedServers(row.departed))
  const settled = (await outboxProgress(deps.db))?.settled ?? 0
  const behind = new Map((await serversBehind(deps.db)).map((one) => [one.server_name, one.position]))
  return [...servers].filter((server) => (behind.get(server) ?? settled) < event.position)
}
