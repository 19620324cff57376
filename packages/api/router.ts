/** Finds the operation of a path in a tree of segments. It matches on the raw, percent-encoded path and nothing else. */

import type { Operation, RawParams } from './operation.ts'

export type Match<Op> = { readonly kind: 'match'; readonly operation: Op; readonly rawParams: RawParams }
export type NotAllowed = { readonly kind: 'method-not-allowed'; readonly allowed: readonly string[] }

export type Router<Op> = {
  /** undefined: there is no such path. */
  match(method: string, path: string): Match<Op> | NotAllowed | undefined
}

type Leaf<Op> = { readonly operation: Op; readonly names: readonly string[] }

type Node<Op> = {
  readonly literals: Map<string, Node<Op>>
  parameter: Node<Op> | undefined
  readonly leaves: Map<string, Leaf<Op>>
}

function emptyNode<Op>(): Node<Op> {
  return { literals: new Map(), parameter: undefined, leaves: new Map() }
}

function childOf<Op>(node: Node<Op>, segment: string): Node<Op> {
  if (segment.startsWith('{')) return (node.parameter ??= emptyNode())
  let child = node.literals.get(segment)
  if (child === undefined) {
    child = emptyNode()
    node.literals.set(segment, child)
  }
  return child
}

function insert<Op extends Operation>(root: Node<Op>, path: string, operation: Op): void {
  const segments = path.split('/').slice(1)
  const node = segments.reduce(childOf, root)
  const there = node.leaves.get(operation.method)?.operation
  if (there !== undefined) throw new Error(`${operation.method} ${path} is both ${there.id} and ${operation.id}`)
  const names = segments.filter((segment) => segment.startsWith('{')).map((segment) => segment.slice(1, -1))
  node.leaves.set(operation.method, { operation, names })
}

type Search<Op> = { readonly path: string; readonly method: string; readonly values: string[]; seen: Node<Op>[] }

/**
 * Walks down from `node`; `start` is the index behind the last slash. A literal goes before a parameter, and a dead end
 * comes back. Every node of the tree is visited at most once, so that no path can make the search long.
 */
function find<Op>(node: Node<Op>, start: number, search: Search<Op>): Leaf<Op> | undefined {
  const slash = search.path.indexOf('/', start)
  const last = slash < 0
  const segment = last ? search.path.slice(start) : search.path.slice(start, slash)
  const literal = node.literals.get(segment)
  const found = literal === undefined ? undefined : step(literal, last, slash, search)
  if (found !== undefined) return found
  // An empty segment is never a value: `//` and a trailing slash lead nowhere unless the path has them literally.
  if (segment === '' || node.parameter === undefined) return undefined
  search.values.push(segment)
  const below = step(node.parameter, last, slash, search)
  if (below === undefined) search.values.pop()
  return below
}

function step<Op>(node: Node<Op>, last: boolean, slash: number, search: Search<Op>): Leaf<Op> | undefined {
  if (!last) return find(node, slash + 1, search)
  const leaf = node.leaves.get(search.method)
  if (leaf === undefined && node.leaves.size > 0) search.seen.push(node)
  return leaf
}

function rawParamsOf(names: readonly string[], values: readonly string[]): RawParams {
  const params: Record<string, string> = {}
  for (let index = 0; index < names.length; index += 1) params[names[index]!] = values[index]!
  return params
}

/** Throws if two operations claim the same method and path. */
export function createRouter<Op extends Operation>(operations: Iterable<Op>): Router<Op> {
  const root = emptyNode<Op>()
  for (const operation of operations) for (const path of operation.paths) insert(root, path, operation)
  return {
    match(method, path) {
      if (!path.startsWith('/')) return undefined
      const search: Search<Op> = { path, method, values: [], seen: [] }
      const leaf = find(root, 1, search)
      if (leaf !== undefined)
        return { kind: 'match', operation: leaf.operation, rawParams: rawParamsOf(leaf.names, search.values) }
      if (search.seen.length === 0) return undefined
      return { kind: 'method-not-allowed', allowed: search.seen.flatMap((node) => [...node.leaves.keys()]) }
    },
  }
}
