/** What a sync says of keys. <https://spec.matrix.org/v1.19/client-server-api/#e2e-extensions-to-sync> */
import { listChangesSince } from '../e2e-keys/list-changes.ts'
import type { UserMembership } from '../rooms/user-memberships.ts'
import type { SyncContext } from './sync-context.ts'
import type { GlobalParts } from './sync-parts.ts'

/** Whose devices changed, or do not matter any more. */
export async function deviceListsPart(
  { deps, requester, since }: SyncContext,
  memberships: ReadonlyMap<number, UserMembership>,
): Promise<GlobalParts> {
  if (since === undefined) return []
  const { changed, left } = await listChangesSince(deps, { userNid: requester.userNid, memberships }, since)
  if (changed.size === 0 && left.size === 0) return []
  const lists = {
    changed: await deps.dictionary.userIds([...changed]),
    left: await deps.dictionary.userIds([...left]),
  }
  return [['device_lists', JSON.stringify(lists)]]
}

/** What keys the device has left to be claimed: in every answer, and no reason to give one. */
export async function keyCountParts({ deps, requester }: SyncContext): Promise<GlobalParts> {
  const { oneTimeKeys, unusedFallbackTypes } = await deps.e2eKeys.counts.of(requester.deviceNid)
  return [
    ['device_one_time_keys_count', JSON.stringify(oneTimeKeys)],
    ['device_unused_fallback_key_types', JSON.stringify(unusedFallbackTypes)],
  ]
}
