/** Keeps the EDUs that wait for a server within bounds. */
import type { Homeserver } from '../../homeserver.ts'
import { countOutgoingEdus, deleteOldestEdus, deleteSupersededEdus } from '../../storage/outbox.ts'
import type { Lane } from './lane.ts'
import { OUTBOX_LIMITS } from './limits.ts'

/**
 * In the background. What newer EDUs stand for goes first; then, if a server takes nothing for very long, the oldest: who
 * misses a key asks for it again.
 */
export function boundEdus(deps: Pick<Homeserver, 'db' | 'log'>, lane: Lane): void {
  lane.edusUnchecked = 0
  bound(deps, lane).catch((error: unknown) =>
    deps.log.warn({ err: error, destination: lane.server }, 'EDUs not bounded'),
  )
}

async function bound({ db, log }: Pick<Homeserver, 'db' | 'log'>, { server }: Lane): Promise<void> {
  const [before = 0] = await countOutgoingEdus(db, server)
  if (before < OUTBOX_LIMITS.edusUncheckedMax) return
  const { results } = await db.commit([
    deleteSupersededEdus(server),
    deleteOldestEdus({ serverName: server, kept: OUTBOX_LIMITS.edusKeptMax }),
  ])
  const dropped = results[1]?.changes ?? 0
  if (dropped > 0) log.warn({ destination: server, dropped }, 'EDUs dropped for a server that takes none')
}
