/** Explanations as people read them. */
import { timeText } from '@holdfast/platform/clock/time-text'
import type { EventExplanation, KnownEvent } from './event.ts'
import type { Explanation } from './explain.ts'
import type { KnownRoom, RoomExplanation, ShownEvent } from './room.ts'
import type { KnownKeyShown, OutboxShown, ReachState, ServerExplanation } from './server.ts'

export function explanationText(explanation: Explanation): string {
  switch (explanation.kind) {
    case 'event':
      return eventText(explanation)
    case 'room':
      return roomText(explanation)
    case 'server':
      return serverText(explanation)
    default:
      throw new Error('the running server explains in another way: it is of another version')
  }
}

function eventText({ event_id: id, found }: EventExplanation): string {
  if (found.length === 0) return `${id} is not known here.`
  return found.map((event) => lines(`Event ${id}`, ...eventLines(id, event))).join('\n\n')
}

function eventLines(id: string, event: KnownEvent): readonly string[] {
  const { verdict, marks, waiting, refused_by: refusedBy } = event
  return [
    row('room', event.room_id),
    row('type', keyText(event)),
    row('sender', `${printable(event.sender)}, at ${timeText(event.origin_server_ts)}`),
    ...marks.map(({ name, meaning }) => row(name, meaning)),
    ...(verdict === null ? [] : [row('because', `${printable(verdict.message)} (rule ${verdict.rule})`)]),
    ...(isAccepted(event) ? [row('accepted', 'It is part of the room.')] : []),
    ...(event.redacted_by === null ? [] : [row('redacted', `by ${event.redacted_by}`)]),
    ...stateLines(id, event),
    row('waiting', waiting.length === 0 ? 'No server waits for it.' : 'These servers did not hear of it yet:'),
    ...waiting.map((server) => row('', server)),
    ...moreThan(waiting.length, event.waiting_count),
    ...Object.entries(refusedBy).map(([server, why]) => row('refused', `by ${server}: ${printable(why)}`)),
  ]
}

const APART: ReadonlySet<string> = new Set(['rejected', 'soft-failed', 'outlier'])

function isAccepted({ marks }: KnownEvent): boolean {
  return !marks.some(({ name }) => APART.has(name))
}

function stateLines(id: string, { state_key: key, replaces, current, state }: KnownEvent): readonly string[] {
  const standing =
    current === id ? 'It stands in the current state.' : `Now ${current ?? 'nothing'} stands in its place.`
  const own = key === null ? [] : [row('replaces', replaces ?? 'nothing'), row('state', standing)]
  // The event's own change is told already.
  const others = (state?.changed ?? []).filter((change) => change.after !== id)
  const more = (state?.changed_count ?? 0) - (state?.changed.length ?? 0)
  return [
    ...own,
    ...others.map((change) =>
      row('changed', `${keyText(change)}: from ${change.before ?? 'nothing'} to ${change.after ?? 'nothing'}`),
    ),
    ...(more > 0 ? [row('', `and ${more} more`)] : []),
  ]
}

function roomText({ room_id: id, room }: RoomExplanation): string {
  return room === null ? `${id} is not known here.` : lines(`Room ${id}`, ...roomLines(room))
}

function roomLines(room: KnownRoom): readonly string[] {
  return [
    row('version', room.version),
    row('resident', room.is_resident ? 'Members of this server are in it.' : 'Nobody of this server is in it.'),
    ...fillingLines(room),
    row('members', `${room.joined_count} joined, ${room.invited_count} invited`),
    ...room.members.map((member) => row('', printable(member))),
    ...moreThan(room.members.length, room.joined_count),
    row('servers', counted(room.server_count, 'other')),
    ...room.servers.map(({ server_name: name, joined }) => row('', `${name} (${joined})`)),
    ...moreThan(room.servers.length, room.server_count),
    row('tips', `${room.extremity_count}, at depth ${room.depth}`),
    ...room.extremities.map((event) => row('', shownText(event))),
    ...moreThan(room.extremities.length, room.extremity_count),
    row('state', `${counted(room.state_size, 'event')}; the last changes:`),
    ...room.last_state_events.map((event) => row('', shownText(event))),
    ...(room.last_refusals.length === 0 ? [] : [row('refused', 'the last events that are not part of it:')]),
    ...room.last_refusals.map((one) => row('', `${one.event_id}: ${printable(one.message)} (rule ${one.rule})`)),
  ]
}

function fillingLines({ filling }: KnownRoom): readonly string[] {
  if (filling === null) return []
  const { server, stored, told, since_ts: since } = filling
  const from = server === null ? '' : ` from ${printable(server)}`
  const text = `Its state is being filled in: ${stored} of ${counted(told, 'event')}${from}, since ${timeText(since)}`
  return [row('incomplete', text)]
}

function serverText(server: ServerExplanation): string {
  const { queue } = server
  const events = queue.is_more ? `${queue.events} or more events` : counted(queue.events, 'event')
  return lines(
    `Server ${server.server_name}${server.is_own ? ' (this one)' : ''}`,
    row('keys', server.key_count === 0 ? 'none known' : `${server.key_count} known`),
    ...server.keys.map((key) => row('', keyLine(key))),
    ...moreThan(server.keys.length, server.key_count),
    ...reachLines(server.reach),
    ...(server.outbox === undefined ? [] : [row('outbox', outboxText(server.outbox))]),
    row('queued', `${events}, ${counted(queue.edus, 'EDU')}. ${printable(queue.why)}`),
    row('rooms', `${server.room_count} shared`),
    ...server.rooms.map(({ room_id: id, joined }) => row('', `${id} (${counted(joined, 'member')} there)`)),
    ...moreThan(server.rooms.length, server.room_count),
  )
}

function outboxText({ servers, failed, behind, sending, oldest_ms: oldestMs }: OutboxShown): string {
  if (servers === 0) return 'Nothing waits for any other server.'
  const waiting = `Something waits for ${counted(servers, 'server')}: ${sending} being told now, ${failed} to be tried again, ${behind} behind the others.`
  return oldestMs === 0 ? waiting : `${waiting} The longest has waited for ${Math.ceil(oldestMs / 1000)} s.`
}

function keyLine(key: KnownKeyShown): string {
  const source = key.is_direct ? 'its own word' : "a notary's word"
  return `${printable(key.key_id)}, ${key.is_old ? 'given up at' : 'good until'} ${timeText(key.valid_until)}, ${source}`
}

function reachLines(reach: ReachState): readonly string[] {
  const heard =
    reach.last_success === null
      ? 'It never answered, as far as is known.'
      : `It last answered at ${timeText(reach.last_success)}.`
  if (reach.kind === 'up') return [row('reach', `No request failed lately. ${heard}`)]
  const rare = reach.kind === 'dormant' ? ' It is tried about once a day.' : ''
  return [
    row('reach', `It does not answer since ${timeText(reach.failing_since ?? 0)}.${rare} ${heard}`),
    row('next try', timeText(reach.retry_at ?? 0)),
    row('last error', printable(reach.last_error ?? '')),
  ]
}

function shownText(event: ShownEvent): string {
  return `${event.event_id} ${keyText(event)} of ${printable(event.sender)}, ${timeText(event.origin_server_ts)}`
}

function keyText({ type, state_key: key }: { readonly type: string; readonly state_key: string | null }): string {
  return printable(key === null ? type : `${type} at "${key}"`)
}

function moreThan(shown: number, count: number): readonly string[] {
  return count > shown ? [row('', `and ${count - shown} more`)] : []
}

const NAME_WIDTH = 12

function row(name: string, text: string): string {
  return `  ${name.padEnd(NAME_WIDTH)}${text}`
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}

function lines(...all: readonly string[]): string {
  return all.join('\n')
}

const CONTROLS = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu

/** What strangers wrote must not move the cursor of the terminal. */
function printable(text: string): string {
  return text.replace(CONTROLS, '\ufffd')
}
