import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DEFAULT_ROOM_VERSION, ROOM_VERSIONS, declaredRoomVersion, rulesFor } from './rules.ts'
import type { RoomRules } from './rules.ts'

/** The versions, first to last, for which something holds. */
function versionsWith(holds: (rules: RoomRules) => boolean): string {
  const versions = ROOM_VERSIONS.filter((version) => holds(rulesFor(version)!)).map(Number)
  assert.ok(
    versions.every((version, index) => index === 0 || version === versions[index - 1]! + 1),
    'without a gap',
  )
  return versions.length === 0 ? 'none' : `${versions[0]}-${versions.at(-1)}`
}

test('the table says of each version what its page of the specification says', () => {
  assert.deepEqual(
    {
      'state resolution v1': versionsWith((rules) => rules.stateResolution === 'v1'),
      'state resolution v2': versionsWith((rules) => rules.stateResolution === 'v2'),
      'state resolution v2.1': versionsWith((rules) => rules.stateResolution === 'v2.1'),
      'event ids with a server': versionsWith((rules) => rules.eventId === 'random'),
      'event ids in plain base64': versionsWith((rules) => rules.eventId === 'hash'),
      'event ids in URL-safe base64': versionsWith((rules) => rules.eventId === 'url-safe-hash'),
      'edges as pairs': versionsWith((rules) => rules.edgesAsPairs),
      'the server in the event id signs': versionsWith((rules) => rules.eventIdServerSigns),
      'redactions authorised': versionsWith((rules) => rules.redactionRule),
      'key validity': versionsWith((rules) => rules.enforcesKeyValidity),
      'aliases rule': versionsWith((rules) => rules.aliasesRule),
      'strict canonical JSON': versionsWith((rules) => rules.strictCanonicalJson),
      'notification levels guarded': versionsWith((rules) => rules.notificationLevelsGuarded),
      knocking: versionsWith((rules) => rules.knocking),
      'restricted joins': versionsWith((rules) => rules.restrictedJoins),
      knock_restricted: versionsWith((rules) => rules.knockRestricted),
      'levels as strings': versionsWith((rules) => rules.looseLevels),
      'creator in the content': versionsWith((rules) => rules.creatorInContent),
      'redacts in the content': versionsWith((rules) => rules.redactsInContent),
      'room id is a hash': versionsWith((rules) => rules.roomIdIsCreateHash),
      'creators above all': versionsWith((rules) => rules.creatorsAboveAll),
    },
    {
      'state resolution v1': '1-1',
      'state resolution v2': '2-11',
      'state resolution v2.1': '12-12',
      'event ids with a server': '1-2',
      'event ids in plain base64': '3-3',
      'event ids in URL-safe base64': '4-12',
      'edges as pairs': '1-2',
      'the server in the event id signs': '1-2',
      'redactions authorised': '1-2',
      'key validity': '5-12',
      'aliases rule': '1-5',
      'strict canonical JSON': '6-12',
      'notification levels guarded': '6-12',
      knocking: '7-12',
      'restricted joins': '8-12',
      knock_restricted: '10-12',
      'levels as strings': '1-9',
      'creator in the content': '1-10',
      'redacts in the content': '11-12',
      'room id is a hash': '12-12',
      'creators above all': '12-12',
    },
  )
})

test('all versions of the specification are there, and nothing else is a version', () => {
  assert.deepEqual(ROOM_VERSIONS, ['1', '2', '3', '4', '5', '6', '7', '8', '9', '10', '11', '12'])
  assert.equal(DEFAULT_ROOM_VERSION, '12')
  for (const version of ['', '0', '13', '01', '1.0', ' 1', 'constructor', '__proto__'])
    assert.equal(rulesFor(version), undefined)
  for (const version of ROOM_VERSIONS) assert.equal(rulesFor(version)!.version, version)
})

test('a create event without a room version is of version 1, with an odd one of none', () => {
  assert.equal(declaredRoomVersion({}), '1')
  assert.equal(declaredRoomVersion({ room_version: '9' }), '9')
  for (const room_version of [9, null, ['9'], {}]) assert.equal(declaredRoomVersion({ room_version }), undefined)
})
