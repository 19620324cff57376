/** Events that no server may take, each made of a sound one (and signed again where that is possible). */
import type { JsonObject, JsonValue } from '@holdfast/protocol/json/value'

export type Spoiling = { readonly name: string; readonly spoil: (event: JsonObject) => JsonValue }

const set =
  (key: string, value: unknown): Spoiling['spoil'] =>
  (event) => ({ ...event, [key]: value as JsonValue })

const without =
  (key: string): Spoiling['spoil'] =>
  (event) =>
    Object.fromEntries(Object.entries(event).filter(([name]) => name !== key))

function deep(levels: number): JsonValue {
  let value: JsonValue = []
  for (let level = 0; level < levels; level += 1) value = [value]
  return value
}

const FIELDS = [
  'type',
  'sender',
  'room_id',
  'content',
  'depth',
  'prev_events',
  'auth_events',
  'origin_server_ts',
  'hashes',
  'signatures',
] as const
const DEPTHS: readonly unknown[] = [2 ** 53, -(2 ** 53), 2 ** 63, 1e300, '1', null, 1.5, -1, [], {}, true]

export const SPOILINGS: readonly Spoiling[] = [
  ...DEPTHS.map((depth) => ({ name: `depth ${JSON.stringify(depth)}`, spoil: set('depth', depth) })),
  ...FIELDS.map((field) => ({ name: `no ${field}`, spoil: without(field) })),
  ...FIELDS.flatMap((field) => [
    { name: `${field} is null`, spoil: set(field, null) },
    { name: `${field} is a list`, spoil: set(field, [[1]]) },
    { name: `${field} is a text`, spoil: set(field, 'x'.repeat(300)) },
    { name: `${field} is a number`, spoil: set(field, 7) },
  ]),
  { name: 'time is 1e300', spoil: set('origin_server_ts', 1e300) },
  { name: 'time is negative', spoil: set('origin_server_ts', -5) },
  { name: 'state key is a number', spoil: set('state_key', 5) },
  { name: 'state key is null', spoil: set('state_key', null) },
  { name: 'content is deep', spoil: set('content', { a: deep(4_000) }) },
  { name: 'content is large', spoil: set('content', { body: 'x'.repeat(70_000) }) },
  { name: 'content has a fraction', spoil: set('content', { body: 'x', n: 0.5 }) },
  {
    name: 'content has another prototype',
    spoil: (event) => ({ ...event, content: JSON.parse('{"__proto__":{"membership":"join"}}') as JsonObject }),
  },
  { name: 'hash of something else', spoil: set('hashes', { sha256: 'n4bQgYhMfWWaL+qgxVrQFaO/TxsrC4Is0V1sFbDwCgg' }) },
  { name: 'no signature at all', spoil: set('signatures', {}) },
  {
    name: 'a signature of nothing',
    spoil: (event) => ({ ...event, signatures: spoiltSignatures(event['signatures']) }),
  },
  {
    name: 'a hundred thousand prev events',
    spoil: set(
      'prev_events',
      Array.from({ length: 2_000 }, (_, n) => `$e${n}:ash`),
    ),
  },
  {
    name: 'many auth events',
    spoil: set(
      'auth_events',
      Array.from({ length: 2_000 }, (_, n) => `$e${n}:ash`),
    ),
  },
  { name: 'prev events are numbers', spoil: set('prev_events', [1, 2]) },
  { name: 'auth events are objects', spoil: set('auth_events', [{}]) },
  { name: 'sender of another server', spoil: set('sender', '@a1:ash') },
  { name: 'room of nobody', spoil: set('room_id', '!nobody:ash') },
  { name: 'a text', spoil: () => 'event' },
  { name: 'a list', spoil: () => [] },
  { name: 'null', spoil: () => null },
]

function spoiltSignatures(signatures: JsonValue | undefined): JsonValue {
  return JSON.parse(
    JSON.stringify(signatures ?? {}).replaceAll(/"[A-Za-z0-9+/]{40,}"/g, `"${'A'.repeat(86)}"`),
  ) as JsonValue
}
