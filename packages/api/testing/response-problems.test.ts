import assert from 'node:assert/strict'
import { test } from 'node:test'
import { getTokenOwner } from '../generated/client-server/whoami.ts'
import { sendMessage } from '../generated/client-server/room_send.ts'
import { responseProblems } from './response-problems.ts'

test('a response that follows the specification has no problems', () => {
  assert.deepEqual(responseProblems(getTokenOwner, { status: 200, body: { user_id: '@ann:a', more: 1 } }), [])
})

test('a missing member, a wrong type and a wrong id are named', () => {
  assert.deepEqual(responseProblems(getTokenOwner, { status: 200, body: { device_id: 1, user_id: 'ann' } }), [
    '/user_id must match pattern "^@"',
    '/device_id must be string',
  ])
  assert.deepEqual(responseProblems(sendMessage, { status: 200, body: {} }), [
    "the body must have required property 'event_id'",
  ])
})

test('an older revision can be asked', () => {
  assert.deepEqual(responseProblems(sendMessage, { status: 200, body: {}, revision: '2018-08' }), [])
})
