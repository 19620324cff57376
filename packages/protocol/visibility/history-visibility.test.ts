import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  type HistoryVisibility,
  mayReadEvent,
  mayServerReadEvent,
  type Membership,
  parseHistoryVisibility,
  parseMembership,
} from './history-visibility.ts'

const VISIBILITIES = ['world_readable', 'shared', 'invited', 'joined'] as const

/** What became of a reader: memberships before each point of a room's life, at which a message was sent. */
type Career = {
  readonly name: string
  /** Membership in the state before each of the messages. */
  readonly at: readonly (Membership | undefined)[]
  /** Which of the messages may be read, by visibility: one letter per message. */
  readonly readable: Readonly<Record<HistoryVisibility, string>>
}

// The letters stand for messages sent: r may be read, - may not.
const CAREERS: readonly Career[] = [
  {
    name: 'never',
    at: [undefined, undefined],
    readable: { world_readable: 'rr', shared: '--', invited: '--', joined: '--' },
  },
  {
    name: 'invited',
    at: [undefined, 'invite'],
    readable: { world_readable: 'rr', shared: '--', invited: '-r', joined: '--' },
  },
  {
    name: 'joined without invite',
    at: [undefined, 'join'],
    readable: { world_readable: 'rr', shared: 'rr', invited: '-r', joined: '-r' },
  },
  {
    name: 'invited, then joined',
    at: [undefined, 'invite', 'join'],
    readable: { world_readable: 'rrr', shared: 'rrr', invited: '-rr', joined: '--r' },
  },
  {
    name: 'joined, then left',
    at: [undefined, 'join', 'leave'],
    readable: { world_readable: 'rrr', shared: 'rr-', invited: '-r-', joined: '-r-' },
  },
  {
    name: 'joined, then banned',
    at: [undefined, 'join', 'ban'],
    readable: { world_readable: 'rrr', shared: 'rr-', invited: '-r-', joined: '-r-' },
  },
  {
    name: 'joined, left, rejoined',
    at: [undefined, 'join', 'leave', 'join'],
    readable: { world_readable: 'rrrr', shared: 'rrrr', invited: '-r-r', joined: '-r-r' },
  },
  {
    name: 'joined, banned, unbanned, invited again',
    at: ['join', 'ban', 'leave', 'invite'],
    readable: { world_readable: 'rrrr', shared: 'r---', invited: 'r--r', joined: 'r---' },
  },
  {
    name: 'knocked, then joined',
    at: [undefined, 'knock', 'join'],
    readable: { world_readable: 'rrr', shared: 'rrr', invited: '--r', joined: '--r' },
  },
  {
    name: 'invited, then refused',
    at: ['invite', 'leave'],
    readable: { world_readable: 'rr', shared: '--', invited: 'r-', joined: '--' },
  },
]

function readableLetters(career: Career, historyVisibilityAtEvent: HistoryVisibility): string {
  return career.at
    .map((membershipAtEvent, index) => {
      const joinedAfterEvent = career.at.slice(index + 1).includes('join')
      return mayReadEvent({ historyVisibilityAtEvent, membershipAtEvent, joinedAfterEvent }) ? 'r' : '-'
    })
    .join('')
}

describe('history visibility: messages', () => {
  for (const career of CAREERS) {
    for (const visibility of VISIBILITIES) {
      it(`${visibility} for a reader who ${career.name}`, () =>
        assert.equal(readableLetters(career, visibility), career.readable[visibility]))
    }
  }
})

describe('history visibility: own membership events', () => {
  const may = (historyVisibilityAtEvent: HistoryVisibility, before: Membership | undefined, set: Membership) =>
    mayReadEvent({ historyVisibilityAtEvent, membershipAtEvent: before, membershipSet: set, joinedAfterEvent: false })

  it('a join may always be read by who joined', () => {
    for (const visibility of VISIBILITIES) {
      for (const before of [undefined, 'leave', 'invite', 'knock', 'join'] as const)
        assert.ok(may(visibility, before, 'join'))
    }
  })

  it('the end of a membership, an invite or a knock may always be read by whom it concerns', () => {
    for (const visibility of VISIBILITIES) {
      for (const before of ['join', 'invite', 'knock'] as const) {
        for (const set of ['leave', 'ban'] as const)
          assert.ok(may(visibility, before, set), `${visibility} ${before} ${set}`)
      }
    }
  })

  it('an invite may be read by the invited where the visibility is invited', () => {
    assert.ok(may('invited', undefined, 'invite') && may('world_readable', undefined, 'invite'))
    assert.ok(!may('joined', undefined, 'invite') && !may('shared', undefined, 'invite'))
  })

  it('a ban of somebody outside stays hidden', () => {
    for (const visibility of ['shared', 'invited', 'joined'] as const) {
      for (const before of [undefined, 'leave', 'ban'] as const) {
        assert.ok(!may(visibility, before, 'ban') && !may(visibility, before, 'leave'))
      }
    }
  })
})

describe('history visibility: changes of the visibility', () => {
  it('may be read when the visibility before or after would allow it', () => {
    for (const before of VISIBILITIES) {
      for (const after of VISIBILITIES) {
        for (const membership of [undefined, 'invite', 'join', 'leave', 'ban', 'knock'] as const) {
          for (const joinedAfterEvent of [false, true]) {
            const may = (visibility: HistoryVisibility) =>
              mayReadEvent({ historyVisibilityAtEvent: visibility, membershipAtEvent: membership, joinedAfterEvent })
            const changed = mayReadEvent({
              historyVisibilityAtEvent: before,
              historyVisibilitySet: after,
              membershipAtEvent: membership,
              joinedAfterEvent,
            })
            assert.equal(changed, may(before) || may(after))
          }
        }
      }
    }
  })
})

describe('history visibility: servers', () => {
  it('a server may read what one of its users could', () => {
    const may = (
      historyVisibilityAtEvent: HistoryVisibility,
      had: { joined?: boolean; invited?: boolean; later?: boolean },
    ) =>
      mayServerReadEvent({
        historyVisibilityAtEvent,
        hadJoinedUser: had.joined ?? false,
        hadInvitedUser: had.invited ?? false,
        joinedAfterEvent: had.later ?? false,
      })
    for (const visibility of VISIBILITIES) {
      assert.ok(may(visibility, { joined: true }))
      assert.equal(may(visibility, {}), visibility === 'world_readable')
      assert.equal(may(visibility, { later: true }), visibility === 'world_readable' || visibility === 'shared')
      assert.equal(may(visibility, { invited: true }), visibility === 'world_readable' || visibility === 'invited')
    }
  })
})

describe('history visibility: content', () => {
  it('is shared when it is missing or not understood', () => {
    for (const value of ['world_readable', 'shared', 'invited', 'joined'] as const) {
      assert.equal(parseHistoryVisibility({ history_visibility: value }), value)
    }
    for (const content of [
      undefined,
      null,
      {},
      [],
      'joined',
      { history_visibility: 'Joined' },
      { history_visibility: ['joined'] },
      { history_visibility: 'toString' },
    ]) {
      assert.equal(parseHistoryVisibility(content), 'shared')
    }
  })

  it('has a membership only when it is one of the five', () => {
    assert.equal(parseMembership({ membership: 'knock' }), 'knock')
    for (const content of [undefined, {}, { membership: 'member' }, { membership: 1 }, { membership: null }]) {
      assert.equal(parseMembership(content), undefined)
    }
  })
})
