import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { parse } from 'yaml'
import { configurationPage, configurationSchema } from './docs.ts'
import { CONFIG_KEYS, CONFIG_NAMES, fileName } from './keys.ts'
import { DOCS_FOLDER } from './write-docs.ts'

const HINT = 'run `node packages/platform/config/write-docs.ts`'

test('the documentation and the schema are those of the table', () => {
  assert.equal(readFileSync(new URL('configuration.md', DOCS_FOLDER), 'utf8'), configurationPage(), HINT)
  assert.equal(readFileSync(new URL('holdfast.schema.json', DOCS_FOLDER), 'utf8'), configurationSchema(), HINT)
})

test('the schema accepts every default and refuses what the loader refuses', () => {
  const validate = new Ajv2020({ strict: false, formats: { uri: true } }).compile(JSON.parse(configurationSchema()))
  for (const name of CONFIG_NAMES) {
    const { defaultText } = CONFIG_KEYS[name]
    if (defaultText === '' || defaultText === '(none)') continue
    assert.ok(validate(parse(`${fileName(name)}: ${defaultText}`)), `${name}: ${JSON.stringify(validate.errors)}`)
  }
  for (const wrong of ['regstration: open', 'registration: maybe', 'stop_timeout: 20', 'rate_limits: {mesage: 1/1}']) {
    assert.equal(validate(parse(wrong)), false, wrong)
  }
})
