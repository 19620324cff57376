import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { HttpRequest } from '@holdfast/platform/http/service'
import { withoutNullToken } from './null-token.ts'

/** Like the requests of the platform, which are no plain objects. */
class LazyRequest implements HttpRequest {
  readonly id = 'x'
  readonly method = 'POST'
  readonly target = '/a?b'
  readonly path = '/a'
  readonly query = 'b'
  readonly remoteAddress = '::1'
  readonly body: Uint8Array
  constructor(body: string) {
    this.body = Buffer.from(body)
  }
  get headers(): HttpRequest['headers'] {
    return { authorization: 'Bearer x' }
  }
  get signal(): AbortSignal {
    return AbortSignal.abort()
  }
}

test('a null token becomes an empty one, and everything else stays', () => {
  const request = new LazyRequest('{"limit":3,"since":null}')
  const { body, ...rest } = withoutNullToken(request)
  assert.deepEqual(JSON.parse(Buffer.from(body).toString()), { limit: 3, since: '' })
  const { id, method, target, path, query, headers, remoteAddress } = request
  const { signal, ...others } = rest
  assert.deepEqual(others, { id, method, target, path, query, headers, remoteAddress })
  assert.equal(signal.aborted, true)
})

test('a request without a null token is the same request', () => {
  for (const body of ['{"since":"p3"}', '{}', '[null]', 'null', '', '{"since":null', '{"since":{"since":null}}']) {
    const request = new LazyRequest(body)
    assert.equal(withoutNullToken(request), request)
  }
})
