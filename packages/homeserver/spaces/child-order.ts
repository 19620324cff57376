/** The order of rooms in a space. <https://spec.matrix.org/v1.19/client-server-api/#ordering-of-children-within-a-space> */
import type { RoomId } from '@holdfast/protocol/ids/brand'
import type { JsonObject } from '@holdfast/protocol/json/value'
import { SPEC_LIMITS } from '@holdfast/protocol/limits'

export type OrderedChild = {
  readonly roomId: RoomId
  readonly content: JsonObject
  readonly originServerTs: number
}

export function compareChildren(a: OrderedChild, b: OrderedChild): number {
  const [orderA, orderB] = [orderOf(a.content), orderOf(b.content)]
  if (orderA !== orderB) {
    if (orderA === undefined) return 1
    if (orderB === undefined) return -1
    return orderA < orderB ? -1 : 1
  }
  return a.originServerTs - b.originServerTs || (a.roomId < b.roomId ? -1 : 1)
}

const ORDER = /^[\u0020-\u007e]+$/

/** undefined as well for an order that is none. */
function orderOf({ order }: JsonObject): string | undefined {
  if (typeof order !== 'string' || order.length > SPEC_LIMITS.spaceChildOrderCharactersMax) return undefined
  return ORDER.test(order) ? order : undefined
}

/** The servers that a child event names; undefined if it makes no child. */
export function viaOf({ via }: JsonObject): readonly string[] | undefined {
  if (!Array.isArray(via) || via.length === 0) return undefined
  return via.every((server) => typeof server === 'string') ? via : undefined
}
