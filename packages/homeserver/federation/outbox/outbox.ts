/** What carries events and EDUs to other servers. */
import type { ServerName } from '@holdfast/protocol/ids/brand'
import type { StoredEvent } from '../../rooms/event-store.ts'
import type { EphemeralEdu } from './intake.ts'
import type { EventReport, OutboxTotals, ServerReport } from './report.ts'
import { type OutboxDeps, type RunningOutbox, startOutbox } from './running-outbox.ts'

export type Outbox = AsyncDisposable & {
  /** Goes on where it was left. Until then nothing goes out. */
  start(): Promise<void>
  /** News that are worth nothing tomorrow: they go out once, soon, or not at all if the server cannot be reached. */
  sendEphemeral(servers: Iterable<ServerName>, edu: EphemeralEdu): void
  /** The following answer undefined until the start. */
  server(server: ServerName): Promise<ServerReport | undefined>
  event(event: Pick<StoredEvent, 'position' | 'nid' | 'pdu'>): Promise<EventReport | undefined>
  totals(): OutboxTotals | undefined
}

export function openOutbox(deps: OutboxDeps): Outbox {
  let running: RunningOutbox | undefined
  let starting: Promise<RunningOutbox> | undefined
  return {
    start: async () => {
      starting ??= startOutbox({ ...deps, log: deps.log.named('outbox') })
      running = await starting
    },
    sendEphemeral: (servers, edu) => running?.sendEphemeral(servers, edu),
    server: async (server) => running?.server(server),
    event: async (event) => running?.event(event),
    totals: () => running?.totals(),
    [Symbol.asyncDispose]: async () => (await starting)?.[Symbol.asyncDispose](),
  }
}
