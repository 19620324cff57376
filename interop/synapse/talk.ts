/** Two servers in one room: what is said, changed and taken back on one is so on the other. */
import assert from 'node:assert/strict'
import { type Body, segment } from './http.ts'
import type { Versioned } from './membership.ts'
import type { Person } from './person.ts'
import * as rooms from './rooms.ts'
import { eventually } from './waiting.ts'
import { once } from './world.ts'

/** What is easily spelled in two ways, which breaks signatures. */
const AWKWARD = {
  'org.example.awkward': {
    ключ: 'Ä ß \u2028 \u007f " \\ / \u0001 \t',
    '😀': '\u{1f469}\u200d\u{1f4bb}',
    '\uffee': 'after the smiley by UTF-16, before it by code point',
    numbers: [0, -1, 9_007_199_254_740_991, -9_007_199_254_740_991],
    nothing: [null, true, false, {}, [], ''],
  },
}

/** `room` is one of both, in which the guest has power. */
type Talk = Versioned & { readonly room: () => Promise<string> }

export function testTalk(at: Versioned): void {
  const { world, version, direction } = at
  const { host, guest } = direction
  const room = once(async () => {
    const roomId = await rooms.createRoom(host, { version })
    await rooms.joinVia(guest, roomId, host.peer.serverName)
    await rooms.untilMembership(host, roomId, guest, 'join')
    await rooms.givePower(host, roomId, guest, 60)
    await rooms.untilSameState(host, guest, roomId)
    world.shared.push({ roomId, host, guest })
    return roomId
  })
  for (const tests of [testWords, testState, testHistory, testEphemeral]) tests({ ...at, room })
}

function bothWays({ host, guest }: Versioned['direction']): readonly (readonly [Person, Person])[] {
  return [
    [host, guest],
    [guest, host],
  ]
}

function testWords({ world, direction, room }: Talk): void {
  world.rule('what one says the other hears, to the letter', async () => {
    const roomId = await room()
    for (const [from, to] of bothWays(direction)) {
      for (const word of ['one', 'two']) {
        const eventId = await rooms.say(from, roomId, word, AWKWARD)
        const { sender, content } = await rooms.hearsEvent(to, roomId, eventId)
        assert.equal(sender, from.userId)
        assert.deepEqual(content, { msgtype: 'm.text', body: word, ...AWKWARD })
      }
    }
  })

  world.rule('what is redacted on one is empty on the other', async () => {
    const roomId = await room()
    for (const [from, to] of bothWays(direction)) {
      const own = await rooms.say(from, roomId, 'a slip of my own')
      const theirs = await rooms.say(to, roomId, 'a slip of yours')
      await rooms.hearsEvent(from, roomId, theirs)
      for (const eventId of [own, theirs]) {
        const redaction = await rooms.redact(from, roomId, eventId)
        await rooms.hearsEvent(to, roomId, redaction)
        for (const who of [from, to]) {
          const empty = await eventually(`${eventId} is redacted for ${who.userId}`, async () => {
            const event = await rooms.getEvent(who, roomId, eventId)
            return event.unsigned?.redacted_because === undefined ? undefined : event
          })
          assert.deepEqual(empty.content, {})
        }
      }
    }
  })
}

function testState({ world, direction: { host, guest }, room }: Talk): void {
  world.rule('state set on one is set on the other, and in the redacted form when redacted', async () => {
    const roomId = await room()
    await rooms.setState(host, roomId, { type: 'm.room.topic' }, { topic: 'by the host', ...AWKWARD })
    await rooms.untilSameState(host, guest, roomId)
    await rooms.setState(guest, roomId, { type: 'm.room.name' }, { name: 'by the guest' })
    await rooms.setState(guest, roomId, { type: 'org.example.score', key: 'team ä' }, { points: 1 })
    await rooms.untilState(host, roomId, {
      type: 'org.example.score',
      key: 'team ä',
      is: (content: Body) => content.points === 1,
    })
    const slip = await rooms.setState(guest, roomId, { type: 'm.room.topic' }, { topic: 'a slip' })
    await rooms.untilState(host, roomId, { type: 'm.room.topic', is: (content) => content.topic === 'a slip' })
    await rooms.redact(host, roomId, slip)
    await rooms.untilState(guest, roomId, { type: 'm.room.topic', is: (content) => content.topic === undefined })
    await rooms.untilSameState(host, guest, roomId)
  })

  world.rule('when both change the same state at once, they agree on one change', async () => {
    const roomId = await room()
    for (let round = 0; round < 3; round += 1) {
      const sent = await Promise.all([
        rooms.setState(host, roomId, { type: 'm.room.topic' }, { topic: `host ${round}` }),
        rooms.setState(guest, roomId, { type: 'm.room.topic' }, { topic: `guest ${round}` }),
        rooms.setState(host, roomId, { type: 'org.example.score', key: 'team' }, { points: round }),
        rooms.say(guest, roomId, `between ${round}`),
      ])
      for (const who of [host, guest]) await rooms.untilScrollsTo(who, roomId, sent)
    }
    await rooms.untilSameState(host, guest, roomId)
  })
}

function testHistory({ world, version, direction: { host, guest } }: Talk): void {
  world.rule('who comes late scrolls back to the creation of the room', async () => {
    const roomId = await rooms.createRoom(host, { version })
    for (let count = 0; count < 30; count += 1) {
      if (count % 10 === 5) await rooms.setState(host, roomId, { type: 'm.room.topic' }, { topic: `topic ${count}` })
      else await rooms.say(host, roomId, `message ${count}`)
    }
    const before = (await rooms.scrollBack(host, roomId)).map((event) => event.event_id)
    await rooms.joinVia(guest, roomId, host.peer.serverName)
    await rooms.untilScrollsTo(guest, roomId, before)
    const [newest, ...seen] = await rooms.scrollBack(guest, roomId)
    assert.equal(newest?.state_key, guest.userId)
    assert.equal(seen.length, before.length, 'nothing comes twice')
    assert.equal(seen.at(-1)?.type, 'm.room.create')
    world.shared.push({ roomId, host, guest })
  })
}

function testEphemeral({ world, direction, room }: Talk): void {
  world.rule('who types is seen typing, and no more when done', async () => {
    const roomId = await room()
    const typing = (sync: Body): readonly string[] | undefined => {
      const events: readonly Body[] = sync.rooms?.join?.[roomId]?.ephemeral?.events ?? []
      return events.find((event) => event.type === 'm.typing')?.content.user_ids
    }
    for (const [from, to] of bothWays(direction)) {
      const path = `/rooms/${segment(roomId)}/typing/${segment(from.userId)}`
      await from.put(path, { typing: true, timeout: 30_000 })
      await to.hears(`${from.userId} types`, (sync) => (typing(sync)?.includes(from.userId) ? true : undefined))
      const mark = to.heardSoFar()
      await from.put(path, { typing: false })
      const done = (sync: Body) => (typing(sync)?.includes(from.userId) === false ? true : undefined)
      await to.hears(`${from.userId} types no more`, done, mark)
    }
  })

  world.rule('how far one has read, the other sees', async () => {
    const roomId = await room()
    for (const [from, to] of bothWays(direction)) {
      const eventId = await rooms.say(to, roomId, 'read this')
      await rooms.hearsEvent(from, roomId, eventId)
      await from.post(`/rooms/${segment(roomId)}/receipt/m.read/${segment(eventId)}`)
      const receipt = await to.hears(`${from.userId} read ${eventId}`, (sync) => {
        const events: readonly Body[] = sync.rooms?.join?.[roomId]?.ephemeral?.events ?? []
        const receipts = events.filter((event) => event.type === 'm.receipt')
        return receipts.map((event) => event.content[eventId]?.['m.read']?.[from.userId]).find(Boolean)
      })
      assert.equal(typeof receipt.ts, 'number')
    }
  })
}
