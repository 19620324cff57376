/** Changes of a state map as few bytes: what the database keeps instead of whole states. */
import { STATE_KEY_MAX, STATE_VALUE_MAX, type StateChange } from './state-map.ts'
import { pushVarint, unzigzag, varintReader, zigzag } from './varint.ts'

/** A key and its new value, or that it is gone. */
export type StateDeltaEntry = Pick<StateChange, 'key' | 'after'>

/**
 * Number of entries; then for each, by rising key, the distance to the key before it, doubled, plus one for a removal, and unless
 * removed the difference to the value before it. Neighbours in a state were often interned one after another, so most entries
 * are two or three bytes.
 */
export function packStateDelta(entries: readonly StateDeltaEntry[]): Uint8Array {
  const bytes: number[] = []
  pushVarint(bytes, entries.length)
  let previousKey = -1
  let previousValue = 0
  for (const { key, after } of entries) {
    const gap = key - previousKey
    if (gap <= 0 || key > STATE_KEY_MAX) throw new RangeError('the keys of a state delta rise')
    pushVarint(bytes, gap * 2 + (after === undefined ? 1 : 0))
    previousKey = key
    if (after === undefined) continue
    pushVarint(bytes, zigzag(after - previousValue))
    previousValue = after
  }
  return Uint8Array.from(bytes)
}

/** Throws a RangeError when the bytes were not packed by `packStateDelta`: they come from our own storage. */
export function unpackStateDelta(bytes: Uint8Array): StateDeltaEntry[] {
  const reader = varintReader(bytes)
  const count = reader.next()
  const entries: StateDeltaEntry[] = []
  let key = -1
  let value = 0
  for (let index = 0; index < count; index += 1) {
    const head = reader.next()
    key += Math.floor(head / 2)
    const removed = head % 2 === 1
    if (!removed) value += unzigzag(reader.next())
    if (head < 2 || key > STATE_KEY_MAX || value < 0 || value > STATE_VALUE_MAX) {
      throw new RangeError('a state delta holds an impossible entry')
    }
    entries.push({ key, after: removed ? undefined : value })
  }
  if (!reader.atEnd()) throw new RangeError('a state delta has bytes left over')
  return entries
}
