import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Pdu } from '../event/pdu.ts'
import type { TestRoom } from '../event/testing/a-room.ts'
import { ROOM_VERSIONS } from '../room-version/rules.ts'
import { redactionApplies } from './redaction.ts'
import { levelledRoom } from './testing/rule-case.ts'

function redactionOf(room: TestRoom, sender: string, target: Pdu): Pdu {
  return room.event({ sender, type: 'm.room.redaction', redacts: target.eventId })
}

function applies(room: TestRoom, redaction: Pdu, target: Pdu): boolean {
  return redactionApplies(room.rules, { redaction, target, state: room.state })
}

for (const version of ROOM_VERSIONS) {
  describe(`a redaction in version ${version}`, () => {
    const room = levelledRoom(version)
    const message = room.message('@cat:c')
    const later = room.with(message)

    test('applies by power, or within one server, and otherwise does not', () => {
      assert.equal(applies(later, redactionOf(later, '@bob:b', message), message), true)
      assert.equal(applies(later, redactionOf(later, '@cat:c', message), message), true)
      assert.equal(applies(later, redactionOf(later, '@other:c', message), message), true)
      assert.equal(applies(later, redactionOf(later, '@dan:d', message), message), false)
    })

    test('needs the level that the room says', () => {
      const strict = levelledRoom(version, { redact: 51 })
      const target = strict.message('@cat:c')
      assert.equal(applies(strict, redactionOf(strict, '@bob:b', target), target), false)
      const lax = levelledRoom(version, { redact: 0 })
      assert.equal(applies(lax, redactionOf(lax, '@dan:d', target), target), true)
    })

    test('does not apply to another event, another room, itself, or when it is none', () => {
      const redaction = redactionOf(later, '@bob:b', message)
      assert.equal(applies(later, redaction, later.message('@ann:a')), false)
      assert.equal(applies(later, redaction, { ...message, roomId: '!other:a' as Pdu['roomId'] }), false)
      assert.equal(applies(later, { ...redaction, redacts: redaction.eventId }, redaction), false)
      assert.equal(applies(later, { ...redaction, type: 'm.room.message' }, message), false)
      assert.equal(applies(later, { ...redaction, redacts: undefined }, message), false)
    })

    test('never applies to the create event', () => {
      assert.equal(applies(later, redactionOf(later, '@ann:a', later.create), later.create), false)
    })

    test('applies to a redaction, even to one that redacts it', () => {
      const first = { ...redactionOf(later, '@bob:b', message), eventId: '$first:b' as Pdu['eventId'] }
      const second = { ...redactionOf(later, '@bob:b', first), eventId: '$second:b' as Pdu['eventId'] }
      assert.equal(applies(later, second, first), true)
      assert.equal(applies(later, { ...first, redacts: second.eventId }, second), true)
    })
  })
}
