/** The generated operations against the specification's own examples, in both revisions. */

import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { isObject, type JsonObject, type JsonValue } from '@holdfast/protocol/json/value'
import type { Operation } from './operation.ts'
import { createRouter } from './router.ts'

type Source = {
  readonly revision: '2018-08' | 'v1.19'
  readonly method: string
  readonly path: string
  readonly params: JsonObject
  readonly query: JsonObject
  readonly bodies: readonly JsonValue[]
  readonly responses: Readonly<
    Record<string, { readonly schema?: JsonObject; readonly examples: readonly JsonValue[] }>
  >
}
type Case = { readonly operation: Operation; readonly source: Source; readonly name: string }

/** Examples of the specification that break its own rules. */
const FAULTY_EXAMPLES = new Set([
  // The kind of push rule is `cake`.
  '2018-08 GET /_matrix/client/v3/pushrules/{scope}/{kind}/{ruleId}/enabled',
  // The event ID has no sigil.
  '2018-08 PUT /_matrix/client/v3/rooms/{roomId}/redact/{eventId}/{txnId}',
  // The query type is `profile`, which has an operation of its own.
  '2018-08 GET /_matrix/federation/v1/query/{queryType}',
  'v1.19 GET /_matrix/federation/v1/query/{queryType}',
  // A protocol has no icon.
  'v1.19 GET /_matrix/client/v3/thirdparty/protocols',
])

const generated = join(import.meta.dirname, 'generated')
const APIS = ['client-server', 'server-server', 'identity', 'application-service', 'push-gateway']

async function loadStem(api: string, file: string): Promise<Case[]> {
  const operations = (await import(join(generated, api, file))) as Readonly<Record<string, Operation>>
  const contract = readFileSync(join(generated, 'responses', api, file.replace('.ts', '.json')), 'utf8')
  const sources = JSON.parse(contract) as Readonly<Record<string, readonly Source[]>>
  return Object.values(operations).flatMap((operation) =>
    sources[operation.id]!.map((source) => ({
      operation,
      source,
      name: `${source.revision} ${source.method} ${source.path}`,
    })),
  )
}

const stems = APIS.flatMap((api) => readdirSync(join(generated, api)).map((file) => [api, file] as const))
const cases = (await Promise.all(stems.map(([api, file]) => loadStem(api, file)))).flat()
const operations = new Set(cases.map(({ operation }) => operation))
const routers = new Map(APIS.map((api) => [api, createRouter([...operations].filter((one) => one.api === api))]))

/** The request path of an example, with every parameter filled in as a client would write it. */
function examplePath({ source }: Case): string {
  return source.path.replaceAll(/\{([^}]*)\}/g, (_, name: string) =>
    encodeURIComponent(typeof source.params[name] === 'string' ? source.params[name] : 'x'),
  )
}

function everyPrefix(path: string): string[] {
  return ['r0', 'v1', 'v3'].map((prefix) => path.replace(/^(\/_matrix\/(?:client|media))\/v3\//, `$1/${prefix}/`))
}

suite('generated operations', () => {
  test('every operation of both revisions is there', () => {
    const counts = Object.groupBy(cases, ({ source }) => source.revision)
    assert.equal(counts['v1.19']?.length, 235)
    assert.equal(counts['2018-08']?.length, 155)
  })

  test('every path of both revisions leads to its operation, under every client version prefix', () => {
    for (const one of cases.filter(({ name }) => !FAULTY_EXAMPLES.has(name))) {
      for (const path of everyPrefix(examplePath(one))) {
        const match = routers.get(one.operation.api)?.match(one.source.method, path)
        assert.equal(
          match?.kind === 'match' ? match.operation.id : match,
          one.operation.id,
          `${one.source.method} ${path}`,
        )
      }
    }
  })

  test('ids are unique within an API, and the file is named as the operation says', () => {
    const ids = [...operations].map((operation) => `${operation.api}/${operation.id}`)
    assert.equal(new Set(ids).size, ids.length)
    for (const [api, file] of stems) {
      const own = cases.filter(({ operation }) => operation.api === api && `${operation.stem}.ts` === file)
      assert.ok(own.length > 0, `${api}/${file}`)
    }
  })

  test('parameters of the examples parse', () => {
    for (const one of cases.filter(({ name }) => !FAULTY_EXAMPLES.has(name))) {
      const match = routers.get(one.operation.api)?.match(one.source.method, examplePath(one))
      assert.ok(match?.kind === 'match')
      const params = Object.entries(one.source.params).filter(([name]) => name in match.rawParams)
      if (params.length < Object.keys(match.rawParams).length) continue
      const parsed = one.operation.parseParams(match.rawParams) as Record<string, unknown>
      for (const [name, value] of params) assert.equal(parsed[name], value, one.name)
    }
  })

  test('queries of the examples parse', () => {
    for (const { operation, source, name } of cases) {
      const entries = Object.entries(source.query).filter(([, value]) => !isObject(value))
      const query = entries.flatMap(([key, value]) =>
        (Array.isArray(value) ? value : [value]).map(
          (item) => `${encodeURIComponent(key)}=${encodeURIComponent(String(item))}`,
        ),
      )
      assert.doesNotThrow(
        () => {
          try {
            operation.parseQuery(query.join('&'))
          } catch (error) {
            if ((error as { errcode?: string }).errcode !== 'M_MISSING_PARAM') throw error
          }
        },
        `${name}?${query.join('&')}`,
      )
    }
  })

  test('bodies of the examples parse', () => {
    for (const { operation, source, name } of cases) {
      for (const body of source.bodies.filter((one) => !contradictsItsProse(name, one)))
        assert.doesNotThrow(() => operation.parseBody(body), `${name} ${JSON.stringify(body)}`)
    }
  })
})

/** One example of 2018 has a tag's order as a text, where the text beside it says that it is a number. */
function contradictsItsProse(name: string, body: unknown): boolean {
  return name.startsWith('2018-08 PUT') && name.endsWith('/tags/{tag}') && JSON.stringify(body) === '{"order":"1"}'
}

suite('response schemas', () => {
  const ajv = new Ajv2020({ strict: false, allErrors: true })
  for (const { source, name } of cases.filter((one) => !FAULTY_EXAMPLES.has(one.name))) {
    for (const [status, { schema, examples }] of Object.entries(source.responses)) {
      if (schema === undefined) continue
      test(`${name} ${status}: examples fit`, () => {
        const validate = ajv.compile(schema)
        for (const example of examples) assert.ok(validate(example), JSON.stringify([validate.errors, example]))
      })
    }
  }
})
