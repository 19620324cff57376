import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import * as fc from 'fast-check'
import type { ServerName } from '../ids/brand.ts'
import { parseServerName } from '../ids/server-name.ts'
import { parseJson } from '../json/parse.ts'
import type { JsonObject, JsonValue } from '../json/value.ts'
import { compileServerAcl, isServerAllowed } from './server-acl.ts'

function allowed(content: JsonObject | undefined, server: string): boolean {
  return isServerAllowed(content, parseServerName(server)!)
}

function decides(content: JsonObject | undefined, answers: Readonly<Record<string, boolean>>): void {
  for (const [server, answer] of Object.entries(answers)) {
    assert.equal(allowed(content, server), answer, `${server} ${JSON.stringify(content)}`)
  }
}

describe('a server ACL', () => {
  test('that does not exist lets everybody in', () => {
    decides(undefined, { 'example.org': true, '1.2.3.4': true, '[::1]:8448': true })
  })

  test('lets in whom it allows and does not deny', () => {
    const content = { allow: ['*'], deny: ['*.evil.com', 'evil.com'], allow_ip_literals: false }
    decides(content, {
      'example.org': true,
      'evil.com': false,
      'a.b.evil.com': false,
      'notevil.com': true,
      'evil.com.org': true,
    })
    decides({ allow: ['good.org', 'a?.org'], deny: [] }, { 'good.org': true, 'ab.org': true, 'a.org': false, b: false })
  })

  test('looks at no port', () => {
    const content = { allow: ['*'], deny: ['evil.com'] }
    decides(content, { 'evil.com:8448': false, 'evil.com:1': false, 'good.com:8448': true })
    decides({ allow: ['good.com:8448'] }, { 'good.com:8448': false, 'good.com': false })
  })

  test('looks at no case of ASCII letters, on either side', () => {
    const content = { allow: ['*'], deny: ['EVIL.example', '*.bad.Example', 'kelvin.\u212a'] }
    decides(content, {
      'evil.example': false,
      'Evil.EXAMPLE:8448': false,
      'x.BAD.example': false,
      // U+212A, the sign for kelvin, becomes k when Unicode is folded.
      'kelvin.k': true,
    })
  })

  test('knows address literals and denies them where it says so', () => {
    const addresses = { '1.2.3.4': true, '1.2.3.4:8448': true, '[::1]': true, '[2001:DB8::1]:8448': true }
    const none = { '1.2.3.4': false, '1.2.3.4:8448': false, '[::1]': false, '[2001:DB8::1]:8448': false }
    decides({ allow: ['*'], allow_ip_literals: true }, addresses)
    decides({ allow: ['*'] }, addresses)
    decides({ allow: ['*'], allow_ip_literals: false }, none)
    decides({ allow: ['1.2.3.4', '[::1]', '[2001:db8::1]'], allow_ip_literals: false }, none)
    decides({ allow: ['*'], allow_ip_literals: false }, { '1.2.3.4.example.org': true, 'a.1.2.3': true })
    decides({ allow: ['*'], deny: ['1.2.*', '[2001:db8:*]'] }, { ...addresses, ...none, '[::1]': true })
  })

  test('takes anything but false for leave to come from an address', () => {
    for (const value of [null, 0, '', 'false', [], {}] as JsonValue[]) {
      decides({ allow: ['*'], allow_ip_literals: value }, { '1.2.3.4': true })
    }
  })

  test('without an allow list, as after a redaction, lets nobody in', () => {
    for (const content of [{}, { deny: [] }, { allow: [] }, { deny: ['evil.com'], allow_ip_literals: true }]) {
      decides(content, { 'example.org': false, '1.2.3.4': false })
    }
  })

  test('with a list of the wrong type has an empty one, and entries that are no strings match nothing', () => {
    for (const value of [null, '*', 1, true, { 0: '*' }, [null, 1, ['*'], { a: '*' }]] as JsonValue[]) {
      decides({ allow: value }, { 'example.org': false })
      decides({ allow: ['*'], deny: value }, { 'example.org': true })
    }
    decides({ allow: [null, '*'], deny: [1, 'evil.com'] }, { 'example.org': true, 'evil.com': false })
    const own = parseJson('{"__proto__":{"allow":["*"]}}')
    assert.ok(own.ok)
    decides(own.value as JsonObject, { 'example.org': false })
  })

  test('reads no pattern as a regular expression', () => {
    decides({ allow: ['.*', '[a-z]*', 'a|b', '(', '\\', 'a+'] }, { a: false, b: false, 'example.org': false })
    decides({ allow: ['*'], deny: ['a.b', ''] }, { 'a.b': false, axb: true })
  })

  test('of the greatest size, as hostile as can be, is answered without going back and forth', () => {
    const server = `${'a'.repeat(240)}.example` as ServerName
    for (const pattern of ['*a*a*a*a*b', '*?a?b?*', '*??????b*', '*', 'x', '?'.repeat(200), '*aaaaaaaaaaaaaaaaab*']) {
      const deny = Array.from({ length: 65_000 / (pattern.length + 3) - 4 }, (_, index) => {
        return pattern.replaceAll('b', `b${index.toString(36)}`)
      })
      // With patterns tried one by one, and each backtracking, this would take minutes.
      const acl = compileServerAcl({ allow: ['*'], deny })
      for (let round = 0; round < 100; round += 1) assert.equal(acl.allows(server), !/^[*]$/.test(pattern), pattern)
    }
  })

  test('answers as the order of the specification does', () => {
    const pattern = fc.constantFrom('*', 'a.b', '*.b', 'a?b', 'A.B', '1.2.3.4', '[::*]')
    const server = fc.constantFrom('a.b', 'A.b:1', 'c.b', '1.2.3.4', '[::1]', 'zzz')
    const literals = fc.constantFrom(true, false, undefined)
    fc.assert(
      fc.property(fc.array(pattern), fc.array(pattern), literals, server, (allow, deny, allowLiterals, name) => {
        const content = { allow, deny, ...(allowLiterals === undefined ? {} : { allow_ip_literals: allowLiterals }) }
        const bare = name.replace(/:1$/, '').toLowerCase()
        const isIn = (list: string[]): boolean => list.some((glob) => naiveGlob(glob.toLowerCase()).test(bare))
        const isLiteral = bare.startsWith('[') || bare.startsWith('1')
        const expected = !(isLiteral && allowLiterals === false) && !isIn(deny) && isIn(allow)
        assert.equal(allowed(content, name), expected)
      }),
    )
  })
})

function naiveGlob(glob: string): RegExp {
  const escaped = glob.replaceAll(/[.[\]\\+()|]/g, String.raw`\$&`)
  return new RegExp(`^${escaped.replaceAll('*', '.*').replaceAll('?', '.')}$`)
}
