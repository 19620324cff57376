/** Which events other servers refused, as far as is remembered. */
import { LRUCache } from 'lru-cache'
import type { ServerName } from '@holdfast/protocol/ids/brand'
import { OUTBOX_LIMITS } from './limits.ts'

export type RefusedEvents = {
  add(server: ServerName, refusal: { readonly eventId: string; readonly error: string }): void
  of(eventId: string): ReadonlyMap<ServerName, string>
}

export function openRefusedEvents(): RefusedEvents {
  const refused = new LRUCache<string, Map<ServerName, string>>({ max: OUTBOX_LIMITS.refusedEventsMax })
  return {
    add: (server, { eventId, error }) => {
      const servers = refused.get(eventId) ?? new Map<ServerName, string>()
      if (servers.size < OUTBOX_LIMITS.refusingServersMax) servers.set(server, error)
      refused.set(eventId, servers)
    },
    of: (eventId) => refused.get(eventId) ?? new Map(),
  }
}
