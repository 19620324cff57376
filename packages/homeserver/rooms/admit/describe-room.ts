/** What somebody who is not in the room is told of it: whole events, so that their server can check them. <https://spec.matrix.org/v1.19/client-server-api/#stripped-state> */
import type { StateKey } from '../../dictionary/dictionary.ts'
import type { Homeserver } from '../../homeserver.ts'
import { stateEventsAt } from '../current-state.ts'
import { STRIPPED_TYPES } from '../remote/stripped.ts'
import type { RoomHead } from '../room-heads.ts'
import { wirePdu, type WireDeps } from '../serve/wire-pdu.ts'

/** @returns JSON texts */
export async function describingPdus(
  deps: WireDeps & Pick<Homeserver, 'dictionary'>,
  head: RoomHead,
  more: readonly StateKey[] = [],
): Promise<readonly string[]> {
  const keys = [...STRIPPED_TYPES.map((type) => ({ type, stateKey: '' })), ...more]
  const events = await stateEventsAt(deps, head.state.map, keys)
  return Promise.all(events.map((event) => wirePdu(deps, event)))
}
