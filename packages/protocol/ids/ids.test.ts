import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { ServerName, UserId } from './brand.ts'
import { localpartOf, serverNameOf } from './common.ts'
import { hasEventIdFormat, parseEventId } from './event-id.ts'
import { isClientSecret, isMediaId, isNamespacedId, isOpaqueId, parseDeviceId } from './opaque.ts'
import { parseRoomAlias } from './room-alias.ts'
import { createEventIdOf, isHashRoomId, parseRoomId, roomIdOfCreateEvent, serverNameOfRoomId } from './room-id.ts'
import { isCompliantUserId, isStrictUserId, mapToLocalpart, parseUserId, userIdFromLocalpart } from './user-id.ts'

const HASH = 'acBIzVYtn_yjPfD2rXyHLsIrAQeKGA0TIlkPoZ-bBDs'
const STANDARD_HASH = 'acBIzVYtn/yjPfD2rXyHLsIrAQeKGA0TIlkPoZ+bBDs'
const SERVER = 'example.org' as ServerName

/** An id of exactly `bytes` bytes, its localpart made of `character`. */
function ofBytes(sigil: string, character: string, bytes: number): string {
  const room = bytes - `${sigil}:example.org`.length
  const size = Buffer.byteLength(character)
  return `${sigil}${character.repeat(Math.floor(room / size))}${'a'.repeat(room % size)}:example.org`
}

describe('user id', () => {
  it('of the current grammar is strict', () => {
    for (const id of ['@ann:example.org', '@a.b_c=d-e/f+9:example.org:8448', '@x:[::1]']) {
      assert.ok(isStrictUserId(parseUserId(id) as UserId), id)
    }
  })

  it('of the historical grammar is accepted, but not strict', () => {
    for (const id of ['@Ann:a', '@:a', '@a b:a', '@ä:a', '@\u0001:a', '@😀:a', '@a@b:a', '@a"<>:a']) {
      assert.ok(!isStrictUserId(parseUserId(id) as UserId), id)
    }
  })

  it('is compliant when its localpart is printable ASCII and not empty', () => {
    assert.ok(isCompliantUserId(parseUserId('@Ann!*:a') as UserId))
    for (const id of ['@:a', '@a b:a', '@é:a', '@\u007f:a'])
      assert.ok(!isCompliantUserId(parseUserId(id) as UserId), id)
  })

  it('is refused without sigil, server name, or with NUL or half of a pair', () => {
    const bad = [
      '',
      '@',
      '@ann',
      'ann:a',
      '#ann:a',
      '@ann:',
      '@ann:a b',
      '@a\0b:a',
      '@a\ud800:a',
      '@\udc00:a',
      '@ann:a:b:c',
    ]
    for (const id of bad) assert.equal(parseUserId(id), undefined, JSON.stringify(id))
  })

  it('has at most 255 bytes, not characters', () => {
    for (const character of ['a', 'é', '日', '😀']) {
      assert.ok(parseUserId(ofBytes('@', character, 255)), character)
      assert.equal(parseUserId(ofBytes('@', character, 256)), undefined, character)
    }
  })

  it('has a localpart and a server name', () => {
    const id = parseUserId('@ann:example.org:8448') as UserId
    assert.equal(localpartOf(id), 'ann')
    assert.equal(serverNameOf(id), 'example.org:8448')
  })

  it('is made of a localpart and a server name, unless the localpart would break it', () => {
    assert.equal(userIdFromLocalpart({ localpart: 'ann', serverName: SERVER }), '@ann:example.org')
    for (const localpart of ['a:b', 'a\0', 'a'.repeat(250), '\ud800', 'x:y.z:80']) {
      assert.equal(userIdFromLocalpart({ localpart, serverName: SERVER }), undefined)
    }
  })

  it('can be made of any name by the suggested mapping', () => {
    assert.equal(mapToLocalpart('Ann#á='), 'ann=23=c3=a1=3d')
    assert.equal(mapToLocalpart('a.b_c-d/e+1'), 'a.b_c-d/e+1')
  })
})

describe('room id', () => {
  it('is a hash in room version 12', () => {
    const id = parseRoomId(`!${HASH}`)
    assert.ok(id)
    assert.ok(isHashRoomId(id))
    assert.equal(serverNameOfRoomId(id), undefined)
  })

  it('is the id of the create event with another sigil', () => {
    const event = parseEventId(`$${HASH}`)
    const room = parseRoomId(`!${HASH}`)
    assert.ok(event && room)
    assert.equal(roomIdOfCreateEvent(event), room)
    assert.equal(createEventIdOf(room), event)
  })

  it('has a server name before room version 12', () => {
    const id = parseRoomId('!abc:example.org')
    assert.ok(id)
    assert.equal(serverNameOfRoomId(id), 'example.org')
    assert.equal(createEventIdOf(id), undefined)
    assert.ok(parseRoomId('!a b\u0001ü:a'))
  })

  it('is refused when it is neither', () => {
    const bad = [
      '',
      '!',
      '!abc',
      `!${HASH}a`,
      `!${HASH.slice(1)}`,
      `!${STANDARD_HASH}`,
      '!a\0:b',
      '#a:b',
      '!a:b c',
      '!a:',
    ]
    for (const id of bad) assert.equal(parseRoomId(id), undefined, JSON.stringify(id))
    assert.equal(parseRoomId(ofBytes('!', '日', 256)), undefined)
  })
})

describe('event id', () => {
  it('follows the format of the room version', () => {
    const formats = ['domain', 'base64', 'base64url'] as const
    const accepted = (id: string) => formats.filter((format) => hasEventIdFormat(id, format))
    assert.deepEqual(accepted('$abc:example.org'), ['domain'])
    assert.deepEqual(accepted(`$${STANDARD_HASH}`), ['base64'])
    assert.deepEqual(accepted(`$${HASH}`), ['base64url'])
    for (const id of ['$', '$abc', `$${HASH}=`, HASH, `$${HASH}\n`, '$a\0:b']) assert.deepEqual(accepted(id), [], id)
  })

  it('is opaque to clients', () => {
    assert.ok(parseEventId('$there-is-no-such-event'))
    for (const id of ['', '$', 'abc', '!abc', '$a\0', '$a\n', '$\ud800', `$${'a'.repeat(255)}`]) {
      assert.equal(parseEventId(id), undefined, JSON.stringify(id))
    }
    assert.ok(parseEventId(`$${'a'.repeat(254)}`))
  })
})

describe('room alias', () => {
  it('has a name of any characters but colon and NUL, and a server name', () => {
    for (const alias of ['#room:a', '#日本 😀:example.org:80', '##:a']) assert.equal(parseRoomAlias(alias), alias)
    for (const alias of ['room:a', '#room', '#a\0b:a', '#a\ud800:a', '#a:b:c', ofBytes('#', '😀', 256)]) {
      assert.equal(parseRoomAlias(alias), undefined, JSON.stringify(alias))
    }
  })
})

describe('device id', () => {
  it('is any text without control characters, at most 512 characters long', () => {
    for (const id of ['ABCDEF', 'My phone 📱', 'a'.repeat(512)]) assert.equal(parseDeviceId(id), id)
    for (const id of ['', 'a'.repeat(513), 'a\0', 'a\r\nb', '\u007f', '\ud83d']) {
      assert.equal(parseDeviceId(id), undefined, JSON.stringify(id))
    }
  })
})

describe('identifiers without structure', () => {
  it('opaque ids have 1 to 255 unreserved characters', () => {
    assert.ok(isOpaqueId('aZ09-._~') && isOpaqueId('a'.repeat(255)))
    for (const id of ['', 'a'.repeat(256), 'a b', 'a/b', 'é', 'a\n']) assert.ok(!isOpaqueId(id), id)
  })

  it('namespaced ids begin with a lower-case letter', () => {
    assert.ok(isNamespacedId('m.login.password') && isNamespacedId('org.example_1-x'))
    for (const id of ['', '1a', 'M.x', 'a b', '.a', 'a'.repeat(256)]) assert.ok(!isNamespacedId(id), id)
  })

  it('client secrets and media ids keep to their alphabets', () => {
    assert.ok(
      isClientSecret('aZ09.=_-') && !isClientSecret('') && !isClientSecret('a~') && !isClientSecret('a'.repeat(256)),
    )
    assert.ok(isMediaId('aZ09_-') && !isMediaId('') && !isMediaId('a/../b') && !isMediaId('a.b'))
  })
})
