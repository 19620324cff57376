/** Untruths for the checker: each is a fault that a server could have, and the run must fail with it. */
import { segment } from './http.ts'
import type { Lie } from './options.ts'
import { ask, type World } from './world.ts'

export async function tellLie(world: World, lie: NonNullable<Lie>): Promise<void> {
  const { ledger, rooms, users } = world
  const roomId = rooms[0]!
  const user = users[0]!
  switch (lie) {
    case 'lost':
      ledger.events.push({ roomId, kind: 'message', marker: 'never-sent', eventId: '$never-sent', lane: 'lie' })
      return
    case 'double': {
      const event = ledger.events.find(({ kind }) => kind === 'message')!
      const path = `/rooms/${segment(event.roomId)}/send/m.room.message/lie`
      await ask(world.http, { method: 'PUT', path, token: user.token, body: { body: '', marker: event.marker } })
      return
    }
    case 'order': {
      const [first, second] = ledger.events.filter(
        (event) => event.lane === ledger.events[0]?.lane && event.roomId === ledger.events[0]?.roomId,
      )
      ledger.events.splice(ledger.events.indexOf(first!), 1, second!)
      ledger.events.splice(ledger.events.lastIndexOf(second!), 1, first!)
      return
    }
    case 'note':
      ledger.notes.push({ to: user.userId, marker: 'never-sent', lane: 'lie' })
      return
    case 'state':
      ledger.state.set(`${roomId} org.holdfast.crash lie`, 'never-set')
  }
}
