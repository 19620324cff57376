/**
 * Messages that wait for a device. They stay until a sync comes with a token that covers them: only then the client
 * has them for certain. <https://spec.matrix.org/v1.19/client-server-api/#send-to-device-messaging>
 */
import { OUTPUT_LIMITS } from '@holdfast/protocol/limits'
import type { Requester } from '../accounts/requester.ts'
import type { Homeserver } from '../homeserver.ts'
import { deleteToDeviceUpTo, oldestToDevice, pendingToDevice } from '../storage/to-device.ts'

export type PendingMessages = {
  readonly texts: readonly string[]
  /** Where the messages of this answer end; undefined: there are no more. */
  readonly end: number | undefined
}

/** What waits in (after, upTo]; at most so many at once, and the oldest first. */
export async function pendingMessages(
  deps: Pick<Homeserver, 'db'>,
  range: { readonly deviceNid: number; readonly after: number; readonly upTo: number },
): Promise<PendingMessages> {
  const limit = OUTPUT_LIMITS.toDevicePerSyncMax
  const rows = await pendingToDevice(deps.db, { ...range, limit: limit + 1 })
  const told = rows.slice(0, limit)
  return {
    texts: told.map((row) => row.message),
    end: rows.length > limit ? told.at(-1)!.position : undefined,
  }
}

/** The client has everything up to here: it is deleted, and never given again. */
export async function acknowledgeMessages(
  deps: Pick<Homeserver, 'db' | 'streams'>,
  requester: Pick<Requester, 'deviceNid'>,
  upTo: number,
): Promise<void> {
  // A token from a future that this server has lost acknowledges nothing.
  if (upTo > deps.streams.position()) return
  const { deviceNid } = requester
  const oldest = await oldestToDevice(deps.db, deviceNid)
  if (oldest !== undefined && oldest.position <= upTo) await deps.db.commit([deleteToDeviceUpTo({ deviceNid, upTo })])
}
