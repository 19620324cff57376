import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ServerName } from '../ids/brand.ts'
import { ROOM_VERSIONS } from '../room-version/rules.ts'
import { createSigningKey } from '../signing/signing-key.ts'
import { signBuiltEvent } from './sign.ts'
import { isEventTooLarge, isSignedEventTooLarge } from './size.ts'
import { aRoom } from './testing/a-room.ts'

test('an event that is not too large is still not when it is signed with the longest key id there is', () => {
  const key = createSigningKey({ keyId: `ed25519:${'x'.repeat(128)}`, seed: new Uint8Array(32) })
  const serverName = `${'a'.repeat(200)}.example:8448` as ServerName
  for (const version of ROOM_VERSIONS) {
    const room = aRoom({ version, creator: `@ann:${serverName}` })
    const build = (length: number) =>
      room.build({ sender: `@ann:${serverName}`, type: 'x', content: { body: 'é'.repeat(length) } })
    let [fits, tooLarge] = [0, 40_000]
    while (tooLarge - fits > 1) {
      const middle = Math.floor((fits + tooLarge) / 2)
      if (isEventTooLarge(build(middle), serverName)) tooLarge = middle
      else fits = middle
    }
    const signed = signBuiltEvent(build(fits), serverName, key)
    assert.equal(isSignedEventTooLarge(signed), false)
    // No room is given away either: two more characters, and the signed event is over the limit.
    assert.ok(Buffer.byteLength(signed) > 65_536 - 4)
  }
})
