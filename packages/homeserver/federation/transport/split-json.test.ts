import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createSystemClock } from '@holdfast/platform/clock/system-clock'
import { parseJson } from '@holdfast/protocol/json/parse'
import type { JsonObject } from '@holdfast/protocol/json/value'
import { exactForm } from './exact-forms.ts'
import { parseLargeJson } from './split-json.ts'

const clock = createSystemClock()
const FILL = `"${'x'.repeat(1_000)}"`
/** So many items that the list is cut several times. */
const LONG = Array.from({ length: 200 }, () => FILL).join(',')

async function parseBoth(text: string | Uint8Array) {
  const bytes = typeof text === 'string' ? Buffer.from(text) : text
  const whole = parseJson(bytes, { depthMax: Infinity })
  const split = await parseLargeJson(bytes, clock)
  return { whole, split }
}

const SOUND = {
  'a list': `{"a":[${LONG}]}`,
  'several lists, and what is between them': ` {"a":[${LONG}] ,"b":{"c":[1,2,{"d":[]}]},"e":[],"f": [ ] ,"g":[${LONG},{"h":[${FILL}]}],"i":null}\n`,
  'brackets, commas and quotes in strings': `{"a":["]","}","[{,","\\"],[","\\\\",${LONG},"\\\\\\"]"],"b]":[${LONG}]}`,
  'keys that objects have': `{"__proto__":[${LONG}],"constructor":[{"__proto__":1}]}`,
  'numbers that are not canonical': `{"a":[1.0,${LONG},{"b":1e3}]}`,
  'numbers that look like those of the lists': `{"a":[1],"b":[0],"c":[${LONG}],"d":[[3],[]]}`,
  'many lists': `{${Array.from({ length: 500 }, (_, index) => `"${index}":[1,${FILL}]`).join(',')}}`,
  'a root that is a list': `[200,{"a":[${LONG}]}]`,
}

for (const [what, text] of Object.entries(SOUND)) {
  test(`large answers are parsed as small ones: ${what}`, async () => {
    const { whole, split } = await parseBoth(text)
    assert.ok(whole.ok)
    assert.deepEqual(split, whole)
  })
}

const UNSOUND = {
  'no end': `{"a":[${LONG}`,
  'no item before a comma': `{"a":[,${LONG}]}`,
  'no item between commas': `{"a":[${LONG},,${LONG}]}`,
  'no item after the last comma': `{"a":[${LONG},]}`,
  'no item in a piece of its own': `{"a":[${LONG},${' '.repeat(70_000)},${LONG}]}`,
  'only commas': `{"a":[${','.repeat(200_000)}]}`,
  'the wrong bracket at the end of a list': `{"a":[${LONG}},"b":1}`,
  'the wrong bracket at the end of the root': `{"a":[${LONG}]]`,
  'more ends than beginnings': `{"a":[${LONG}]}]}`,
  'a second root': `{"a":[${LONG}]}{"b":[${LONG}]}`,
  'a list where a key belongs': `{[${LONG}]}`,
  'a list behind a list': `{"a":[${LONG}][1]}`,
  'a list behind a value': `{"a":1[${LONG}]}`,
  'a key twice in the root': `{"a":[${LONG}],"a":[]}`,
  'a key twice in an item': `{"a":[${LONG},{"b":1,"b":2}]}`,
  'half of a surrogate pair': `{"a":[${LONG},"\\ud800"]}`,
  'a number that no double holds': `{"a":[${LONG},1e999]}`,
  'a string without an end': `{"a":[${LONG},"b]}`,
  'a control character': `{"a":[${LONG},"\u0001"]}`,
}

for (const [what, text] of Object.entries(UNSOUND)) {
  test(`large answers are refused like small ones: ${what}`, async () => {
    const { whole, split } = await parseBoth(text)
    assert.equal(whole.ok, false)
    assert.equal(split.ok, false)
  })
}

test('large answers are refused like small ones: no UTF-8', async () => {
  const { whole, split } = await parseBoth(
    Buffer.concat([Buffer.from(`{"a":[${LONG},"`), Buffer.of(0xff), Buffer.from('"]}')]),
  )
  assert.equal(whole.ok, false)
  assert.equal(split.ok, false)
})

test('a text that is changed anywhere is judged as when it is parsed at once', async () => {
  const text = `{"a":[{"b":[1,"\\"]"]},${LONG},[{}]],"c":{"d":[]},"e":[1,2]}`
  const tokens = ['"', ',', '[', ']', '{', '}', ':', '\\', '1', ' ', '']
  const places = [...Array(40).keys(), ...Array.from({ length: 40 }, (_, index) => text.length - 1 - index)]
  for (const place of places) {
    for (const token of tokens) {
      const changed = text.slice(0, place) + token + text.slice(place + 1)
      const { whole, split } = await parseBoth(changed)
      assert.equal(split.ok, whole.ok, `${token} at ${place}`)
      if (whole.ok && split.ok) assert.deepEqual(split.value, whole.value)
    }
  }
})

test('events whose numbers are spelt otherwise keep their spelling beside', async () => {
  for (const filling of ['', `,${LONG}`]) {
    const text = `{"pdus":[{"depth":1.0},{"depth":2}${filling}],"event":{"depth":1e0}}`
    const parsed = await parseLargeJson(Buffer.from(text), clock)
    assert.ok(parsed.ok)
    const { pdus, event } = parsed.value as unknown as { pdus: JsonObject[]; event: JsonObject }
    assert.equal(pdus[0]!['depth'], 1)
    assert.equal(exactForm(pdus[0]!)!['depth'], '\ud8001.0')
    assert.equal(exactForm(event)!['depth'], '\ud8001.0')
    assert.equal(exactForm(pdus[1]!)?.['depth'] ?? 2, 2)
  }
})
