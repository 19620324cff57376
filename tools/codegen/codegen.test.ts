import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import { defaultSpecFolder, differences, generate } from '../codegen.ts'
import { exampleValue, validationSchema } from './contract.ts'
import { emitFile } from './emit.ts'
import type { Dict } from './load.ts'
import { mergeRevisions } from './merge.ts'
import * as overrides from './overrides.ts'
import { readRevision, type SpecOperation } from './revision.ts'
import { toShape } from './shape.ts'

function aSpecOperation(changes: Partial<SpecOperation>): SpecOperation {
  return {
    revision: 'v1.19',
    api: 'client-server',
    stem: 'test',
    id: 'test',
    method: 'GET',
    path: '/_matrix/client/v3/test',
    parameters: [],
    body: undefined,
    security: [],
    deprecated: false,
    rateLimited: false,
    responses: {},
    ...changes,
  }
}

function aBody(properties: Dict, required: string[] = []): SpecOperation['body'] {
  return { schema: { type: 'object', properties, required }, bytes: false, examples: [] }
}

const old = { revision: '2018-08' } as const
const string: Dict = { type: 'string' }

suite('shapes', () => {
  test('the parts of allOf add up, and what stands beside them wins', () => {
    const schema: Dict = {
      allOf: [
        { type: 'object', properties: { a: string, b: string }, required: ['a'] },
        { properties: { c: { type: 'integer' } }, required: ['c'] },
      ],
      properties: { b: { type: 'boolean' } },
    }
    assert.deepEqual(toShape(schema), {
      kind: 'object',
      members: [
        { name: 'a', shape: { kind: 'string' }, required: true },
        { name: 'b', shape: { kind: 'boolean' }, required: false },
        { name: 'c', shape: { kind: 'integer' }, required: true },
      ],
    })
  })

  test('ids are known by format, and by name where the format is missing', () => {
    assert.deepEqual(toShape({ type: 'string', format: 'mx-room-alias' }), { kind: 'string', brand: 'RoomAlias' })
    assert.deepEqual(toShape(string, 'roomId'), { kind: 'string', brand: 'RoomId' })
    assert.deepEqual(toShape(string, 'user'), { kind: 'string' })
  })

  test('a map whose keys have a format keeps it', () => {
    const schema: Dict = {
      type: 'object',
      patternProperties: { '^@': { ...string, 'x-pattern-format': 'mx-user-id' } },
    }
    assert.deepEqual(toShape(schema), { kind: 'record', keys: 'UserId', values: { kind: 'string' } })
  })
})

suite('merging', () => {
  test('parameter names do not tell paths apart, and the newer definition wins', () => {
    const merged = mergeRevisions(
      [aSpecOperation({ path: '/a/{roomIdOrAlias}', id: 'newer' })],
      [aSpecOperation({ ...old, path: '/a/{roomId}', id: 'older' })],
    )
    assert.deepEqual(
      merged.map(({ id, paths }) => [id, paths]),
      [['newer', ['/a/{roomIdOrAlias}']]],
    )
  })

  test('what only the older revision has is added as optional', () => {
    const query = { name: 'server_name', in: 'query', required: true, schema: string, example: undefined } as const
    const [merged] = mergeRevisions(
      [aSpecOperation({ body: aBody({ a: string }, ['a']) })],
      [aSpecOperation({ ...old, body: aBody({ a: { type: 'integer' }, b: string }, ['b']), parameters: [query] })],
    )
    assert.deepEqual(merged?.body?.schema, { type: 'object', properties: { a: string, b: string }, required: ['a'] })
    assert.deepEqual(merged?.parameters, [{ ...query, required: false }])
  })

  test('a body that is free content stays that', () => {
    const free = { schema: { type: 'object' }, bytes: false, examples: [] }
    const [merged] = mergeRevisions(
      [aSpecOperation({ body: free })],
      [aSpecOperation({ ...old, body: aBody({ a: string }) })],
    )
    assert.deepEqual(merged?.body, free)
  })

  test('an operation that moved answers on its old path too', () => {
    const merged = mergeRevisions([aSpecOperation({ path: '/new' })], [aSpecOperation({ ...old, path: '/old' })])
    assert.deepEqual(
      merged.map(({ paths }) => paths),
      [['/new', '/old']],
    )
  })
})

suite('writing', () => {
  test('a client operation answers under every version prefix, one of v1 only there', () => {
    const written = ['/_matrix/client/v3/a', '/_matrix/client/v1/b'].map((path, index) =>
      emitFile(mergeRevisions([aSpecOperation({ path, id: `test${index}` })], [])),
    )
    assert.match(written[0] ?? '', /client\/r0\/a',\n.*client\/v1\/a',\n.*client\/v3\/a'/)
    assert.doesNotMatch(written[1] ?? '', /r0|v3/)
  })

  test('schemas for tests hold no prose', () => {
    const schema: Dict = {
      type: 'enum',
      description: 'words',
      enum: ['a'],
      title: 'Words',
      'x-weight': 1,
      example: 'a',
    }
    assert.deepEqual(validationSchema({ type: 'object', properties: { a: schema } }), {
      type: 'object',
      properties: { a: { type: 'string', enum: ['a'] } },
    })
  })

  test('examples are composed of their parts', () => {
    assert.deepEqual(exampleValue([{ allOf: [{ a: 1, b: 1 }, { b: 2 }], c: 3 }]), [{ a: 1, b: 2, c: 3 }])
  })
})

// The data lies beside the repository, not in it (#2).
suite('specification data', { skip: !existsSync(defaultSpecFolder) }, () => {
  test('the committed files are what the data gives', () => {
    assert.deepEqual(
      differences(join(import.meta.dirname, '../../packages/api/generated'), generate(defaultSpecFolder)),
      [],
    )
  })

  test('no override is for an operation that does not exist', () => {
    const operations = [...readRevision(defaultSpecFolder, 'v1.19'), ...readRevision(defaultSpecFolder, '2018-08')]
    const names = new Set(operations.map(({ api, id }) => `${api}/${id}`))
    const tables = [
      overrides.ALSO_TAKEN,
      overrides.ANSWERED_BY,
      overrides.AUTH,
      overrides.CHOSEN_BY_BODY,
      overrides.FURTHER_PATHS,
      overrides.FURTHER_QUERY,
      overrides.OPAQUE_MEMBERS,
      overrides.OPEN_VALUES,
      overrides.OPTIONAL_MEMBERS,
      overrides.OPTIONAL_QUERY,
    ]
    const named = [
      ...tables.flatMap((table) => Object.keys(table)),
      ...overrides.OPAQUE_BODIES,
      ...overrides.GUESTS.map((id) => `client-server/${id}`),
    ]
    assert.deepEqual(
      named.filter((name) => !names.has(name)),
      [],
    )
  })
})
