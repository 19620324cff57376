import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import * as fc from 'fast-check'
import { MatrixError } from '@holdfast/protocol/errors'
import { cpuMillisecondsOf } from '@holdfast/protocol/testing/cpu-time'
import { operation, type Operation } from './operation.ts'
import { createRouter } from './router.ts'
import { text } from './shape.ts'

function anOperation(id: string, method: string, ...paths: string[]): Operation {
  const names = [...paths.join('').matchAll(/\{([^}]*)\}/g)].map((match) => match[1] ?? '')
  return operation({
    id,
    stem: 'test',
    api: 'client-server',
    method,
    paths,
    auth: 'none',
    credential: undefined,
    guests: false,
    rateLimited: false,
    deprecated: false,
    revisions: [],
    params: Object.fromEntries(names.map((name) => [name, text])),
    absent: { key: '' },
    query: {},
    body: undefined,
  })
}

const router = createRouter([
  anOperation('sync', 'GET', '/sync'),
  anOperation(
    'state',
    'GET',
    '/rooms/{room}/state/{type}/{key}',
    '/rooms/{room}/state/{type}',
    '/rooms/{room}/state/{type}/',
  ),
  anOperation('put', 'PUT', '/rooms/{room}/state/{type}/{key}'),
  anOperation('rules', 'GET', '/pushrules/'),
  anOperation('literal', 'GET', '/users/{id}/me'),
  anOperation('special', 'PUT', '/users/special/{what}'),
  anOperation('two', 'GET', '/users/{user}/{what}'),
])

function answer(method: string, path: string): unknown {
  const match = router.match(method, path)
  return match?.kind === 'match' ? [match.operation.id, match.operation.parseParams(match.rawParams)] : match?.kind
}

suite('router', () => {
  test('a literal segment goes before a parameter', () => {
    assert.deepEqual(answer('GET', '/users/ann/me'), ['literal', { id: 'ann' }])
    assert.deepEqual(answer('GET', '/users/ann/you'), ['two', { user: 'ann', what: 'you' }])
  })

  test('a literal that has not the method gives way to a parameter that has', () => {
    assert.deepEqual(answer('GET', '/users/special/you'), ['two', { user: 'special', what: 'you' }])
    assert.deepEqual(answer('PUT', '/users/special/you'), ['special', { what: 'you' }])
  })

  test('an absent and an empty state key reach the same operation', () => {
    const expected = ['state', { room: '!r', type: 'm.room.name', key: '' }]
    assert.deepEqual(answer('GET', '/rooms/!r/state/m.room.name'), expected)
    assert.deepEqual(answer('GET', '/rooms/!r/state/m.room.name/'), expected)
    assert.deepEqual(answer('GET', '/rooms/!r/state/m.room.name/k'), [
      'state',
      { room: '!r', type: 'm.room.name', key: 'k' },
    ])
  })

  test('a slash in a value is percent-encoded, and decoded once', () => {
    assert.deepEqual(answer('GET', '/rooms/!r/state/a%2Fb/%252F'), ['state', { room: '!r', type: 'a/b', key: '%2F' }])
  })

  test('a known path with another method is told from an unknown path', () => {
    assert.equal(answer('POST', '/sync'), 'method-not-allowed')
    assert.equal(answer('get', '/sync'), 'method-not-allowed')
    assert.deepEqual(router.match('POST', '/rooms/!r/state/t/k'), {
      kind: 'method-not-allowed',
      allowed: ['GET', 'PUT'],
    })
    assert.equal(answer('POST', '/rooms/!r/state'), undefined)
  })

  test('nothing but the path itself matches', () => {
    for (const path of [
      '',
      'sync',
      '/',
      '//sync',
      '/sync/',
      '/sync//',
      '/sync/x',
      '/sync;a',
      '/sync.json',
      '/Sync',
      '/s%79nc',
      '/./sync',
      '/rooms//state/t',
      '/rooms/!r/state//',
      '/rooms/!r/state/t//',
      '/rooms/!r/state/t/k/',
      '/pushrules',
      '/pushrules//',
    ]) {
      assert.equal(answer('GET', path), undefined, path)
    }
  })

  test('a value that is not percent-encoded UTF-8 is refused', () => {
    for (const value of ['%', '%zz', '%e0%a4', '%ff', '%ed%a0%80', 'caf\u00e9', 'a b', '\u0000']) {
      assert.throws(
        () => answer('GET', `/users/${value}/me`),
        (error) => error instanceof MatrixError && error.errcode === 'M_INVALID_PARAM' && error.status === 400,
        value,
      )
    }
  })

  test('two operations on one path are an error at start', () => {
    const twice = [anOperation('a', 'GET', '/x/{y}'), anOperation('b', 'GET', '/x/{z}')]
    assert.throws(() => createRouter(twice), /both a and b/)
  })

  test('names of Object.prototype are values like any other', () => {
    for (const name of ['__proto__', 'constructor', 'toString', 'hasOwnProperty']) {
      assert.deepEqual(answer('GET', `/users/${name}/me`), ['literal', { id: name }])
      assert.equal(answer('GET', `/${name}`), undefined)
    }
  })

  test('any value comes back as it was sent', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1, unit: 'binary' }), fc.string({ unit: 'binary' }), (user, key) => {
        fc.pre(user.isWellFormed() && key.isWellFormed())
        const path = `/rooms/${encodeURIComponent(user)}/state/t/${encodeURIComponent(key)}`
        assert.deepEqual(answer('GET', path), ['state', { room: user, type: 't', key }])
      }),
    )
  })

  test('any path is answered without throwing, in time that follows its length', () => {
    fc.assert(fc.property(fc.string(), (path) => void router.match('GET', path)))
    const long = `/users${'/special'.repeat(100_000)}`
    const spentMs = cpuMillisecondsOf(() => assert.equal(router.match('GET', long), undefined))
    assert.ok(spentMs < 1000, `${spentMs} ms`)
  })
})

suite('every route (F19)', async () => {
  const folder = join(import.meta.dirname, 'generated/client-server')
  const modules = await Promise.all(
    readdirSync(folder).map((file) => import(join(folder, file)) as Promise<Record<string, Operation>>),
  )
  const operations = modules.flatMap((module) => Object.values(module))
  const whole = createRouter(operations)
  const spelt = new Set(operations.flatMap(({ paths }) => paths.map((path) => path.replaceAll(/\{[^}]*\}/g, '{}'))))

  test('further parts, doubled and trailing slashes, suffixes and encoded slashes never match', () => {
    for (const { method, paths } of operations) {
      for (const path of paths) {
        const concrete = path.replaceAll(/\{[^}]*\}/g, 'x')
        assert.equal(whole.match(method, concrete)?.kind, 'match', concrete)
        // What ends in a parameter takes any last segment; its value is then checked.
        const literalEnd = !path.endsWith('}') && !path.endsWith('/')
        const suffixes = literalEnd ? [';a', '.json', '%2f', '%2F', '//', '?'] : ['//', '//x']
        for (const suffix of suffixes)
          assert.equal(whole.match(method, concrete + suffix), undefined, concrete + suffix)
        const template = path.replaceAll(/\{[^}]*\}/g, '{}')
        if (!spelt.has(`${template}/{}/`)) assert.equal(whole.match(method, `${concrete}/x/`), undefined)
        if (!spelt.has(`${template}/`)) assert.equal(whole.match(method, `${concrete}/`), undefined, `${concrete}/`)
        assert.equal(whole.match(method, concrete.replace('/', '//')), undefined)
        assert.equal(whole.match(method, concrete.toUpperCase()), undefined)
      }
    }
  })
})
