/** Untruths for the checker: each is a fault that a server could have, and the run must fail with it. */
import { segment } from './http.ts'
import type { Lie } from './options.ts'
import { ask, type ExpectedEvent, type World } from './world.ts'

export async function tellLie(world: World, lie: NonNullable<Lie>): Promise<void> {
  const { ledger, rooms, users } = world
  const roomId = rooms[0]!
  const user = users[0]!
  switch (lie) {
    case 'lost':
      ledger.events.push({ roomId, kind: 'message', marker: 'never-sent', eventId: '$never-sent', lane: 'lie' })
      return
    case 'double': {
      const event = ledger.events.find(({ kind, eventId = '' }) => kind === 'message' && !ledger.redacted.has(eventId))!
      const path = `/rooms/${segment(event.roomId)}/send/m.room.message/lie`
      await ask(world.http, { method: 'PUT', path, token: user.token, body: { body: '', marker: event.marker } })
      return
    }
    case 'order': {
      const at = ledger.events.findIndex((event) => nextOfLane(world, event) !== undefined)
      const [first, second] = [ledger.events[at]!, nextOfLane(world, ledger.events[at]!)!]
      ledger.events[ledger.events.indexOf(second)] = first
      ledger.events[at] = second
      return
    }
    case 'note':
      ledger.notes.push({ to: user.userId, marker: 'never-sent', lane: 'lie' })
      return
    case 'state':
      ledger.state.set(`${roomId} org.holdfast.crash lie`, 'never-set')
  }
}

function nextOfLane({ ledger: { events } }: World, { lane, roomId }: ExpectedEvent): ExpectedEvent | undefined {
  return events.filter((event) => event.lane === lane && event.roomId === roomId)[1]
}
