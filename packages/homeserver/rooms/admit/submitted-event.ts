/** Member events that another server submits for its own user: all that is asked of one before it comes near the room. */
import { matrixError, type MatrixError } from '@holdfast/protocol/errors'
import { parsePdu, type ParsedPdu } from '@holdfast/protocol/event/format'
import { eventText } from '@holdfast/protocol/event/text'
import { serverNameOf } from '@holdfast/protocol/ids/common'
import type { EventId, RoomId, ServerName } from '@holdfast/protocol/ids/brand'
import { isObject, type JsonObject, type JsonValue } from '@holdfast/protocol/json/value'
import type { RoomRules } from '@holdfast/protocol/room-version/rules'
import type { EventSignaturesDeps } from '../../federation/keys/event-signatures.ts'
import { checkIncoming } from '../receive/check-incoming.ts'
import type { IncomingEvent } from '../receive/incoming.ts'

export type Submission = {
  readonly origin: ServerName
  readonly roomId: RoomId
  /** As the path has it. */
  readonly eventId: EventId
  readonly membership: 'join' | 'leave' | 'knock' | 'invite'
  readonly body: JsonObject
  /** The same with its numbers as they are spelt, where those are not canonical. */
  readonly exact: JsonValue | undefined
}

const NOT_CANONICAL = 'A number of the event is none that canonical JSON has.'

/**
 * The event, if it is what the sender's server may submit: of this room and id, of its own user about that user, whole and signed.
 * @throws {MatrixError} M_BAD_JSON, M_INVALID_PARAM, M_FORBIDDEN
 */
export async function checkSubmission(
  deps: EventSignaturesDeps,
  rules: RoomRules,
  submission: Submission,
): Promise<IncomingEvent> {
  const parsed = parseSubmission(rules, submission)
  if (parsed.pdu.stateKey !== parsed.pdu.sender) throw invalid('state_key must be the sender.')
  return checkSigned(deps, rules, submission)
}

/**
 * What holds for invitations too.
 * @throws {MatrixError} M_BAD_JSON, M_INVALID_PARAM, M_FORBIDDEN
 */
export function parseSubmission(rules: RoomRules, submission: Submission): ParsedPdu {
  const { origin, roomId, eventId, membership, body, exact } = submission
  // <https://spec.matrix.org/v1.19/rooms/v6/#canonical-json>
  if (isObject(exact) && eventText(exact, rules) === undefined) throw matrixError('M_BAD_JSON', NOT_CANONICAL)
  if (body['signatures'] === undefined || body['hashes'] === undefined) throw unproven('The event is not signed.')
  const parsed = parsePdu(body, rules, isObject(exact) ? exact : body)
  if (!parsed.ok && parsed.problem === 'not-canonical') throw matrixError('M_BAD_JSON', parsed.message)
  if (!parsed.ok) throw invalid(parsed.message)
  const { pdu } = parsed
  // What is left of an event with a wrong hash is good for a room's graph, but its own server has the whole one.
  if (!parsed.hashMatches) throw unproven('The content hash of the event is wrong.')
  if (pdu.roomId !== roomId) throw invalid('The event is of another room than the path says.')
  if (pdu.eventId !== eventId) throw invalid(`The id of the event is ${pdu.eventId}, not what the path says.`)
  if (pdu.type !== 'm.room.member') throw invalid('type must be m.room.member.')
  if (pdu.content['membership'] !== membership) throw invalid(`content.membership must be ${membership}.`)
  if (serverNameOf(pdu.sender) !== origin) throw unproven(`The sender must be a user of ${origin}.`)
  return parsed
}

/** @throws {MatrixError} M_FORBIDDEN */
export async function checkSigned(
  deps: EventSignaturesDeps,
  rules: RoomRules,
  { roomId, body, exact }: Submission,
): Promise<IncomingEvent> {
  const value = { value: body, exact: isObject(exact) ? exact : undefined }
  const { incoming, problems } = await checkIncoming(deps, { roomId, rules }, { values: [value] })
  const [event] = incoming
  if (event !== undefined) return event
  throw unproven([...problems.values()][0] ?? 'The event is not signed as it must be.')
}

export function invalid(message: string): MatrixError {
  return matrixError('M_INVALID_PARAM', message)
}

/** For an event that is well-formed, and that nobody whose word counts here vouches for. */
export function unproven(message: string): MatrixError {
  return matrixError('M_FORBIDDEN', message)
}
