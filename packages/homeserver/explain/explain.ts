/** Answers one question of `holdfast explain`. */
import { matrixError } from '@holdfast/protocol/errors'
import { parseEventId } from '@holdfast/protocol/ids/event-id'
import { parseRoomId } from '@holdfast/protocol/ids/room-id'
import { parseServerName } from '@holdfast/protocol/ids/server-name'
import { explainEvent, type EventExplanation, type ExplainEventDeps } from './event.ts'
import { explainRoom, type ExplainRoomDeps, type RoomExplanation } from './room.ts'
import { explainServer, type ExplainServerDeps, type ServerExplanation } from './server.ts'

export const SUBJECTS = ['event', 'room', 'server'] as const

export type ExplainQuestion = { readonly subject: (typeof SUBJECTS)[number]; readonly id: string }

export type Explanation = EventExplanation | RoomExplanation | ServerExplanation

export type ExplainDeps = ExplainEventDeps & ExplainRoomDeps & ExplainServerDeps

/** @throws {MatrixError} M_INVALID_PARAM: the id cannot be one */
export async function explain(deps: ExplainDeps, { subject, id }: ExplainQuestion): Promise<Explanation> {
  switch (subject) {
    case 'event':
      return explainEvent(deps, parseEventId(id) ?? notAn(id, 'event id', '$'))
    case 'room':
      return explainRoom(deps, parseRoomId(id) ?? notAn(id, 'room id', '!'))
    case 'server':
      return explainServer(deps, parseServerName(id) ?? notAn(id, 'server name', ''))
    default:
      return notAn(String(subject), 'subject: event, room or server', '')
  }
}

function notAn(id: string, what: string, sigil: string): never {
  const hint =
    sigil === '' || id.startsWith(sigil) ? '' : `; it begins with ${sigil}, and most shells want it in single quotes`
  throw matrixError('M_INVALID_PARAM', `"${id}" is no ${what}${hint}.`)
}
