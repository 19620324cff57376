/** What a room that was replaced gives up: its aliases, and that everybody may write and invite. */
import { levelAt } from '@holdfast/protocol/auth/level'
import { MatrixError } from '@holdfast/protocol/errors'
import type { JsonObject } from '@holdfast/protocol/json/value'
import type { Requester } from '../accounts/requester.ts'
import type { Homeserver } from '../homeserver.ts'
import { localPart } from './canonical-alias.ts'
import { stateEventAt } from './current-state.ts'
import { sendState } from './send-state.ts'

type RetireDeps = Pick<Homeserver, 'heads' | 'events' | 'dictionary' | 'roomQueue' | 'clock' | 'serverName' | 'log'>

/** Does what the requester may do; the tombstone stands in any case. */
export async function retireRoom(deps: RetireDeps, requester: Requester, roomNid: number): Promise<void> {
  const alias = await present(deps, roomNid, 'm.room.canonical_alias')
  if (alias !== undefined) {
    const { local, rest } = localPart(deps, alias)
    if (Object.keys(local).length > 0) await trySetting(deps, requester, roomNid, ['m.room.canonical_alias', rest])
  }
  const levels = await present(deps, roomNid, 'm.room.power_levels')
  if (levels === undefined) return
  const { rules } = await deps.heads.byNid(roomNid)
  const needed = Math.max(50, Number(levelAt(rules, levels, 'users_default') ?? 0) + 1)
  const raised = (key: string): number => Math.max(needed, Number(levelAt(rules, levels, key) ?? 0))
  const content = { ...levels, events_default: raised('events_default'), invite: raised('invite') }
  await trySetting(deps, requester, roomNid, ['m.room.power_levels', content])
}

async function present(deps: RetireDeps, roomNid: number, type: string): Promise<JsonObject | undefined> {
  const { state } = await deps.heads.byNid(roomNid)
  return (await stateEventAt(deps, state.map, { type, stateKey: '' }))?.pdu.content
}

async function trySetting(
  deps: RetireDeps,
  requester: Requester,
  roomNid: number,
  [type, content]: readonly [type: string, content: JsonObject],
): Promise<void> {
  const event = { type, stateKey: '', sender: requester.userId, content, originServerTs: deps.clock.nowMs() }
  try {
    await sendState(deps, { roomNid, requester, event })
  } catch (error) {
    if (!(error instanceof MatrixError) || error.errcode !== 'M_FORBIDDEN') throw error
    deps.log.info({ type, error: error.message }, 'a replaced room keeps what its upgrader may not change')
  }
}
