import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { emptyStateMap, stateMapEntries, stateMapRemove, stateMapSet } from '../state-map.ts'
import type { StateMap } from '../state-map.ts'
import { resolveState, resolveStateNow } from './resolution.ts'
import type { ResolutionNeeds, ResolutionSource } from './resolution.ts'
import { aStory, levelsOf } from './testing/story.ts'
import type { Story } from './testing/story.ts'

const TOPIC = 'm.room.topic'
const MEMBER = 'm.room.member'
const LEVELS = 'm.room.power_levels'

/** The state after an event with another event put in. */
function withEvent(story: Story, after: string, put: string): StateMap {
  const { stateKeyNid, nid } = story.event(put)
  return stateMapSet(story.after(after), stateKeyNid, nid)
}

for (const version of ['2', '6', '10', '11', '12']) {
  describe(`state resolution of room version ${version}`, () => {
    it('lets the power of the higher sender decide first: who is demoted meanwhile bans nobody', () => {
      const story = aStory(version).member('cat', '@cat:c', '@cat:c', 'join')
      story.levels('demote', '@ann:a', levelsOf(story, { '@bob:b': 0 }), { after: ['cat'], time: 9000 })
      story.member('ban', '@bob:b', '@cat:c', 'ban', { after: ['cat'], time: 2000 })
      assert.equal(story.resolved(['demote', 'ban'], LEVELS), 'demote')
      assert.equal(story.resolved(['demote', 'ban'], MEMBER, '@cat:c'), 'cat')
    })

    it('lets a ban win over what the banned user did meanwhile', () => {
      const story = aStory(version).topic('old topic', '@ann:a')
      story.member('ban', '@ann:a', '@bob:b', 'ban', { after: ['old topic'], time: 9000 })
      story.member('rename', '@bob:b', '@bob:b', 'join', { after: ['old topic'], time: 2000 })
      story.topic('new topic', '@bob:b', { after: ['rename'], time: 2001 })
      for (const tip of ['rename', 'new topic']) {
        assert.equal(story.resolved(['ban', tip], MEMBER, '@bob:b'), 'ban')
        assert.equal(story.resolved([tip, 'ban'], TOPIC), 'old topic')
      }
    })

    it('lets a kick win over what the kicked user did meanwhile, but not a leave of their own', () => {
      const story = aStory(version).topic('old topic', '@ann:a')
      story.member('kick', '@ann:a', '@bob:b', 'leave', { after: ['old topic'], time: 9000 })
      story.member('leave', '@bob:b', '@bob:b', 'leave', { after: ['old topic'], time: 9000 })
      story.topic('new topic', '@bob:b', { after: ['old topic'], time: 2000 })
      assert.equal(story.resolved(['kick', 'new topic'], TOPIC), 'old topic')
      assert.equal(story.resolved(['leave', 'new topic'], TOPIC), 'new topic')
      assert.equal(story.resolved(['leave', 'new topic'], MEMBER, '@bob:b'), 'leave')
    })

    it('refuses a join that meets a closed door', () => {
      const story = aStory(version)
      story.joinRule('closed', '@ann:a', 'invite', { after: ['bob'], time: 9000 })
      story.member('cat', '@cat:c', '@cat:c', 'join', { after: ['bob'], time: 2000 })
      assert.equal(story.resolved(['closed', 'cat'], MEMBER, '@cat:c'), undefined)
      assert.equal(story.resolved(['closed', 'cat'], 'm.room.join_rules'), 'closed')
    })

    it('takes the topic on newer power levels, whatever the clocks say', () => {
      const story = aStory(version).topic('early levels', '@ann:a', { time: 9000 })
      story.levels('raise', '@ann:a', levelsOf(story, { '@bob:b': 60 }), { after: ['bob'] })
      story.topic('late levels', '@bob:b', { after: ['raise'], time: 2000 })
      assert.equal(story.resolved(['early levels', 'late levels'], TOPIC), 'late levels')
    })

    it('takes the later of two topics, and of two at one time the one with the higher id by code point', () => {
      const story = aStory(version)
      story.topic('early', '@ann:a', { after: ['bob'], time: 2000, id: 'z' })
      story.topic('late', '@bob:b', { after: ['bob'], time: 2001, id: 'a' })
      story.topic('tilde', '@ann:a', { after: ['bob'], time: 3000, id: '\uff5e' })
      story.topic('face', '@bob:b', { after: ['bob'], time: 3000, id: '\u{1f600}' })
      assert.equal(story.resolved(['early', 'late'], TOPIC), 'late')
      assert.equal(story.resolved(['tilde', 'face'], TOPIC), 'face')
      assert.equal(story.resolved(['face', 'early', 'tilde', 'late'], TOPIC), 'face')
    })

    it('gives a key that only some states have to the others', () => {
      const story = aStory(version).topic('topic', '@ann:a')
      assert.equal(story.resolved(['bob', 'topic'], TOPIC), 'topic')
      assert.equal(story.resolved(['topic', 'bob', 'public'], MEMBER, '@bob:b'), 'bob')
    })

    it('uses events that were rejected by their state, but no rejected one in the place of missing state', () => {
      const story = aStory(version).topic('old', '@ann:a')
      story.member('again', '@bob:b', '@bob:b', 'join').topic('new', '@bob:b')
      const topicRejecting = (name: string): string | undefined => {
        const { nid: rejected } = story.event(name)
        const event: ResolutionSource['event'] = (nid) => ({ ...story.dag.events[nid]!, rejected: nid === rejected })
        const states = [story.after('new'), withEvent(story, 'new', 'old')]
        return story.nameAt(resolveStateNow(story.dag.rules, states, { ...story.dag.source, event }), TOPIC)
      }
      assert.equal(topicRejecting('new'), 'new')
      // In v2 the join is part of the state to begin with; in v2.1 the topic has only its own auth events to stand on.
      assert.equal(topicRejecting('again'), version === '12' ? 'old' : 'new')
    })

    it('goes on without auth events that cannot be loaded', () => {
      const story = aStory(version).topic('old', '@ann:a')
      story.topic('new', '@bob:b', { after: ['old'], time: 9000 })
      const gone = new Set(['levels', 'bob'].map((name) => story.event(name).nid))
      const source: ResolutionSource = {
        ...story.dag.source,
        event: (nid) => (gone.has(nid) ? undefined : story.dag.events[nid]),
        authNids: (nid) => (gone.has(nid) ? undefined : story.dag.events[nid]!.authNids),
      }
      const states = [story.after('old'), story.after('new')]
      assert.equal(story.nameAt(drive(resolveState(story.dag.rules, states, source)), TOPIC), 'old')
      assert.throws(() => resolveStateNow(story.dag.rules, states, source), /lacks/)
    })

    it('tells apart more states than a number has bits', () => {
      const story = aStory(version)
      const topics = Array.from({ length: 70 }, (_, index) => `topic ${index}`)
      for (const [index, name] of topics.entries()) story.topic(name, '@ann:a', { after: ['bob'], time: 2000 + index })
      assert.equal(story.resolved(topics.toReversed(), TOPIC), 'topic 69')
    })
  })
}

describe('the state resets that v2.1 prevents', () => {
  it('keeps power levels whose predecessor is in dispute, by what lies between', () => {
    for (const [version, expected] of [
      ['11', 'levels'],
      ['12', 'third'],
    ] as const) {
      const story = aStory(version)
      story.levels('second', '@ann:a', levelsOf(story, { '@bob:b': 100 }))
      story.tell('name', { sender: '@bob:b', type: 'm.room.name' })
      story.levels('third', '@bob:b', levelsOf(story, { '@bob:b': 100 }, { ban: 60 }))
      const states = [story.after('third'), withEvent(story, 'third', 'levels')]
      assert.equal(story.nameAt(story.dag.resolve(states), LEVELS), expected, version)
    }
  })

  it('does not judge old events by what came after them', () => {
    for (const [version, expected] of [
      ['11', 'old topic'],
      ['12', 'new topic'],
    ] as const) {
      const story = aStory(version).topic('old topic', '@ann:a').topic('new topic', '@bob:b')
      story.levels('demote', '@ann:a', levelsOf(story, { '@bob:b': 0 }))
      const states = [story.after('demote'), withEvent(story, 'demote', 'old topic')]
      assert.equal(story.nameAt(story.dag.resolve(states), TOPIC), expected, version)
    }
  })

  it('needs the create event, which no event cites, from the states', () => {
    const story = aStory('12').topic('old', '@ann:a').topic('new', '@bob:b')
    const create = story.event('create').stateKeyNid
    const states = [stateMapRemove(story.after('old'), create), stateMapRemove(story.after('new'), create)]
    assert.equal(story.nameAt(story.dag.resolve(states), TOPIC), undefined)
    assert.equal(story.nameAt(story.dag.resolve([states[0]!, story.after('new')]), TOPIC), 'new')
  })
})

describe('state resolution of room version 1', () => {
  it('takes the newest power levels that the ones before them allow, and stops at the first that they do not', () => {
    const story = aStory('1')
    const levels = (name: string, sender: string, users: { [user: string]: number }, depth: number): Story =>
      story.levels(name, sender, levelsOf(story, users), { after: ['bob'], depth })
    levels('demote', '@ann:a', { '@bob:b': 0 }, 10)
    levels('by bob', '@bob:b', { '@bob:b': 50, '@cat:c': 50 }, 11)
    levels('by ann', '@ann:a', { '@bob:b': 50 }, 12)
    assert.equal(story.resolved(['demote', 'by ann'], LEVELS), 'by ann')
    assert.equal(story.resolved(['by ann', 'by bob', 'demote'], LEVELS), 'demote')
  })

  it('takes the deepest other event that the resolved state allows, and the lowest when none is', () => {
    const story = aStory('1')
    story.topic('deep', '@bob:b', { after: ['bob'], depth: 20 })
    story.topic('shallow', '@bob:b', { after: ['bob'], depth: 10 })
    story.topic('of ann', '@ann:a', { after: ['bob'], depth: 5 })
    assert.equal(story.resolved(['shallow', 'deep', 'of ann'], TOPIC), 'deep')
    story.levels('demote', '@ann:a', levelsOf(story, { '@bob:b': 0 }), { after: ['of ann'] })
    assert.equal(story.resolved(['shallow', 'deep', 'demote'], TOPIC), 'of ann')
    const states = ['shallow', 'deep'].map((name) => withEvent(story, 'demote', name))
    assert.equal(story.nameAt(story.dag.resolve(states), TOPIC), 'shallow')
  })

  it('takes, at one depth, the event with the lowest SHA-1 of its id', () => {
    const story = aStory('1')
    // The SHA-1 of $a begins with c1cb, of $b with 773e, of $c with 2b45.
    for (const name of ['a', 'b', 'c']) story.topic(name, '@ann:a', { after: ['bob'], depth: 9 })
    assert.equal(story.resolved(['a', 'b', 'c'], TOPIC), 'c')
    assert.equal(story.resolved(['c', 'b', 'a'], TOPIC), 'c')
  })

  it('sees no conflict in a key that only some states have', () => {
    const story = aStory('1')
    story.topic('topic', '@bob:b', { after: ['bob'] })
    story.levels('demote', '@ann:a', levelsOf(story, { '@bob:b': 0 }), { after: ['bob'] })
    assert.equal(story.resolved(['topic', 'demote'], TOPIC), 'topic')
  })
})

describe('a resolution', () => {
  it('of nothing is nothing, of one state is that state, and of equal states the first', () => {
    const story = aStory('12')
    assert.equal(story.dag.resolve([]), emptyStateMap())
    assert.equal(story.dag.resolve([story.after('bob')]), story.after('bob'))
    assert.equal(story.dag.resolve([story.after('bob'), story.after('bob')]), story.after('bob'))
  })

  it('loads what the conflict is about, not the room', () => {
    for (const version of ['1', '11', '12']) {
      const story = aStory(version)
      for (let index = 0; index < 600; index += 1) story.member(`u${index}`, `@u${index}:c`, `@u${index}:c`, 'join')
      story.topic('one', '@ann:a', { after: ['u599'] }).topic('two', '@bob:b', { after: ['u599'] })
      const loaded = { events: new Set<number>(), edges: new Set<number>() }
      const states = [story.after('one'), story.after('two')]
      const result = drive(resolveState(story.dag.rules, states, lazily(story, loaded)), loaded)
      assert.deepEqual(stateMapEntries(result), stateMapEntries(story.dag.resolve(states)))
      assert.ok(loaded.events.size <= 8 && loaded.edges.size <= 8, `${loaded.events.size}, ${loaded.edges.size}`)
    }
  })

  it('loads the power levels of the past as far as events in dispute go back', () => {
    const story = aStory('11').topic('on the first', '@ann:a', { time: 9000 })
    story.levels('second', '@ann:a', levelsOf(story, { '@bob:b': 60 }))
    story.topic('on the second', '@ann:a', { time: 2000 })
    for (const name of ['third', 'fourth']) story.levels(name, '@ann:a', levelsOf(story, { '@bob:b': 70 }))
    const loaded = { events: new Set<number>(), edges: new Set<number>() }
    const states = ['on the first', 'on the second'].map((topic) => withEvent(story, 'fourth', topic))
    const result = drive(resolveState(story.dag.rules, states, lazily(story, loaded)), loaded)
    assert.equal(story.nameAt(result, TOPIC), 'on the second')
  })

  it('pauses again and again', () => {
    for (const version of ['1', '11', '12']) {
      const story = aStory(version)
      const users = Array.from({ length: 400 }, (_, index) => `@u${index}:c`)
      for (const user of users) story.member(user, user, user, 'join')
      for (const user of users) story.member(`${user} again`, user, user, 'join')
      const resolution = resolveState(
        story.dag.rules,
        [story.after('@u399:c'), story.after('@u399:c again')],
        story.dag.source,
      )
      let pauses = 0
      for (let step = resolution.next(); step.done !== true; step = resolution.next()) {
        pauses += step.value.events.length + step.value.edges.length + step.value.stateKeys.length === 0 ? 1 : 0
      }
      assert.ok(pauses >= 2, `${pauses} pauses`)
    }
  })

  it('ends when an event claims to be older than its auth events', () => {
    const story = aStory('12').topic('one', '@ann:a').topic('two', '@ann:a')
    const source = { ...story.dag.source, authNids: (nid: number) => [nid] }
    const states = [story.after('one'), story.after('two')]
    assert.throws(() => resolveStateNow(story.dag.rules, states, source), /came after it/)
  })
})

type Loaded = { readonly events: Set<number>; readonly edges: Set<number> }

function lazily({ dag }: Story, loaded: Loaded): ResolutionSource {
  return {
    event: (nid) => (loaded.events.has(nid) ? dag.events[nid] : undefined),
    authNids: (nid) => (loaded.edges.has(nid) ? dag.events[nid]!.authNids : undefined),
    stateKeyNid: (type, stateKey) => dag.source.stateKeyNid(type, stateKey),
  }
}

/** Goes through with it, loading what is asked for; what the source never has stays missing. */
function drive(resolution: Generator<ResolutionNeeds, StateMap, void>, loaded?: Loaded): StateMap {
  for (;;) {
    const step = resolution.next()
    if (step.done === true) return step.value
    for (const nid of step.value.events) loaded?.events.add(nid)
    for (const nid of step.value.edges) loaded?.edges.add(nid)
  }
}
