/**
 * A persistent map from integers to integers: the state of a room, where most states differ from another by one entry.
 *
 * A radix tree with 32 children per node whose nodes skip the levels at which they would have a single child. Its shape depends on
 * the entries alone, not on the order in which they came, so two maps are compared by walking only where they do not share nodes.
 */
import {
  childAt,
  leafOf,
  lowestKeyOf,
  type Node,
  prefixOf,
  raise,
  replaceChild,
  withChild,
  withoutChild,
} from './node.ts'

/** Keys are interned ids of state keys: whole numbers from 0 to this. */
export const STATE_KEY_MAX = 0x7fff_ffff
/** Values are interned ids of events: whole numbers from 0 to this. */
export const STATE_VALUE_MAX = 2 ** 52 - 1

export type StateMap = { readonly size: number; readonly root: Node | undefined }

export type StateEntry = readonly [key: number, value: number]

export type StateChange = {
  readonly key: number
  /** undefined when the first map does not have the key. */
  readonly before: number | undefined
  /** undefined when the second map does not have the key. */
  readonly after: number | undefined
}

const EMPTY: StateMap = Object.freeze({ size: 0, root: undefined })

export function emptyStateMap(): StateMap {
  return EMPTY
}

export function stateMapOf(entries: Iterable<StateEntry>): StateMap {
  let map = EMPTY
  for (const [key, value] of entries) map = stateMapSet(map, key, value)
  return map
}

export function stateMapGet(map: StateMap, key: number): number | undefined {
  let node = map.root
  while (node !== undefined) {
    if (prefixOf(key, node.shift) !== node.prefix) return undefined
    const child = childAt(node, (key >>> node.shift) & 31)
    if (node.shift === 0) return child as number | undefined
    node = child as Node | undefined
  }
  return undefined
}

/** The map with `key` at `value`; the same map when it is so already. */
export function stateMapSet(map: StateMap, key: number, value: number): StateMap {
  checkEntry(key, value)
  if (map.root === undefined) return { size: 1, root: leafOf(key, value) }
  const growth = { added: 0 }
  const root = setInNode(map.root, { key, value, growth })
  return root === map.root ? map : { size: map.size + growth.added, root }
}

/** The map without `key`; the same map when it has none. */
export function stateMapRemove(map: StateMap, key: number): StateMap {
  if (map.root === undefined) return map
  const root = removeFromNode(map.root, key)
  if (root === map.root) return map
  return root === undefined ? EMPTY : { size: map.size - 1, root }
}

/** Calls `visit` with every entry, in the order of the keys. */
export function forEachInStateMap(map: StateMap, visit: (key: number, value: number) => void): void {
  if (map.root !== undefined) visitNode(map.root, visit)
}

/** Every entry, in the order of the keys. */
export function stateMapEntries(map: StateMap): StateEntry[] {
  const entries: StateEntry[] = []
  forEachInStateMap(map, (key, value) => entries.push([key, value]))
  return entries
}

/** What turns `before` into `after`, in the order of the keys. Costs what differs, when one map was made from the other. */
export function diffStateMaps(before: StateMap, after: StateMap): StateChange[] {
  const changes: StateChange[] = []
  diffNodes(before.root, after.root, changes)
  return changes
}

export function applyStateChanges(map: StateMap, changes: Iterable<Omit<StateChange, 'before'>>): StateMap {
  let changed = map
  for (const { key, after } of changes) {
    changed = after === undefined ? stateMapRemove(changed, key) : stateMapSet(changed, key, after)
  }
  return changed
}

function checkEntry(key: number, value: number): void {
  if (!Number.isInteger(key) || key < 0 || key > STATE_KEY_MAX) throw new RangeError(`${key} is no state key id`)
  if (!Number.isInteger(value) || value < 0 || value > STATE_VALUE_MAX) throw new RangeError(`${value} is no event id`)
}

type Setting = { readonly key: number; readonly value: number; readonly growth: { added: number } }

function setInNode(node: Node, setting: Setting): Node {
  const { key, value, growth } = setting
  if (prefixOf(key, node.shift) !== node.prefix) {
    growth.added = 1
    return join(node, leafOf(key, value))
  }
  const digit = (key >>> node.shift) & 31
  const child = childAt(node, digit)
  if (child === undefined) {
    growth.added = 1
    return withChild(node, digit, node.shift === 0 ? value : leafOf(key, value))
  }
  const changed = node.shift === 0 ? value : setInNode(child as Node, setting)
  return changed === child ? node : replaceChild(node, digit, changed)
}

/** The smallest node that holds two nodes with no key range in common. */
function join(node: Node, other: Node): Node {
  const otherKey = lowestKeyOf(other)
  const highestDifference = 31 - Math.clz32(lowestKeyOf(node) ^ otherKey)
  const shift = highestDifference - (highestDifference % 5)
  return withChild(raise(node, shift), (otherKey >>> shift) & 31, other)
}

function removeFromNode(node: Node, key: number): Node | undefined {
  if (prefixOf(key, node.shift) !== node.prefix) return node
  const digit = (key >>> node.shift) & 31
  const child = childAt(node, digit)
  if (child === undefined) return node
  const changed = node.shift === 0 ? undefined : removeFromNode(child as Node, key)
  if (changed === child) return node
  if (changed !== undefined) return replaceChild(node, digit, changed)
  const rest = withoutChild(node, digit)
  // A node above the leaves with one child is skipped, which keeps the shape a matter of the entries alone.
  if (rest.shift !== 0 && rest.children.length === 1) return rest.children[0] as Node
  return rest.children.length === 0 ? undefined : rest
}

function visitNode(node: Node, visit: (key: number, value: number) => void): void {
  if (node.shift > 0) {
    for (const child of node.children) visitNode(child as Node, visit)
    return
  }
  const base = lowestKeyOf(node)
  let index = 0
  for (let bits = node.bitmap; bits !== 0; bits &= bits - 1) {
    visit(base + (31 - Math.clz32(bits & -bits)), node.children[index] as number)
    index += 1
  }
}

function diffNodes(before: Node | undefined, after: Node | undefined, changes: StateChange[]): void {
  if (before === after) return
  if (before === undefined)
    visitNode(after as Node, (key, value) => changes.push({ key, before: undefined, after: value }))
  else if (after === undefined)
    visitNode(before, (key, value) => changes.push({ key, before: value, after: undefined }))
  else if (overlap(before, after)) {
    const shift = Math.max(before.shift, after.shift)
    diffChildren(raise(before, shift), raise(after, shift), changes)
  } else if (lowestKeyOf(before) < lowestKeyOf(after)) {
    diffNodes(before, undefined, changes)
    diffNodes(undefined, after, changes)
  } else {
    diffNodes(undefined, after, changes)
    diffNodes(before, undefined, changes)
  }
}

/** Whether one of the nodes could stand inside the other. */
function overlap(node: Node, other: Node): boolean {
  const [upper, lower] = node.shift >= other.shift ? [node, other] : [other, node]
  return prefixOf(lowestKeyOf(lower), upper.shift) === upper.prefix
}

/** Two nodes of the same range. */
function diffChildren(before: Node, after: Node, changes: StateChange[]): void {
  for (let bits = before.bitmap | after.bitmap; bits !== 0; bits &= bits - 1) {
    const digit = 31 - Math.clz32(bits & -bits)
    const old = childAt(before, digit)
    const now = childAt(after, digit)
    if (before.shift > 0) diffNodes(old as Node | undefined, now as Node | undefined, changes)
    else if (old !== now) {
      const key = lowestKeyOf(before) + digit
      changes.push({ key, before: old as number | undefined, after: now as number | undefined })
    }
  }
}
