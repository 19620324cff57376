/** One node of the persistent map, and the bit arithmetic of its sparse list of children. */

const BITS = 5
/** The level whose digit holds the highest bits of a key. */
const TOP_SHIFT = 30

export type Node = {
  /** Which five bits of the key choose the child; at shift 0 the children are values. */
  readonly shift: number
  /** The bits of every key in here above those that choose the child. */
  readonly prefix: number
  /** Which of the 32 children exist. */
  readonly bitmap: number
  /** The existing children in order: values at shift 0, nodes above. */
  readonly children: readonly (Node | number)[]
}

export function prefixOf(key: number, shift: number): number {
  // A shift of 32 or more would wrap around.
  return shift >= TOP_SHIFT ? 0 : key >>> (shift + BITS)
}

export function lowestKeyOf(node: Node): number {
  return node.shift >= TOP_SHIFT ? 0 : node.prefix << (node.shift + BITS)
}

export function leafOf(key: number, value: number): Node {
  return { shift: 0, prefix: prefixOf(key, 0), bitmap: 1 << (key & 31), children: [value] }
}

/** The node itself, or one at a higher `shift` that has it as its only child. */
export function raise(node: Node, shift: number): Node {
  if (node.shift === shift) return node
  const key = lowestKeyOf(node)
  return { shift, prefix: prefixOf(key, shift), bitmap: 1 << ((key >>> shift) & 31), children: [node] }
}

export function childAt(node: Node, digit: number): Node | number | undefined {
  const bit = 1 << digit
  return (node.bitmap & bit) === 0 ? undefined : node.children[indexOf(node, bit)]
}

/** The node with one more child, at a digit that had none. */
export function withChild(node: Node, digit: number, child: Node | number): Node {
  const bit = 1 << digit
  // Not `splice` on a copy: that would keep room for half as many more, in every node.
  const children = node.children.toSpliced(indexOf(node, bit), 0, child)
  return { shift: node.shift, prefix: node.prefix, bitmap: node.bitmap | bit, children }
}

export function replaceChild(node: Node, digit: number, child: Node | number): Node {
  const children = node.children.slice()
  children[indexOf(node, 1 << digit)] = child
  return { shift: node.shift, prefix: node.prefix, bitmap: node.bitmap, children }
}

export function withoutChild(node: Node, digit: number): Node {
  const bit = 1 << digit
  const children = node.children.toSpliced(indexOf(node, bit), 1)
  return { shift: node.shift, prefix: node.prefix, bitmap: node.bitmap & ~bit, children }
}

/** How many children come before the one of `bit`. */
function indexOf(node: Node, bit: number): number {
  return countBits(node.bitmap & (bit - 1))
}

function countBits(word: number): number {
  const pairs = word - ((word >>> 1) & 0x5555_5555)
  const fours = (pairs & 0x3333_3333) + ((pairs >>> 2) & 0x3333_3333)
  return (((fours + (fours >>> 4)) & 0x0f0f_0f0f) * 0x0101_0101) >>> 24
}
