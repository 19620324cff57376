/** Tagged SQL: one text for both engines, values as parameters, helpers where the engines differ (docs/ARCHITECTURE.md 4). */

/** What a column can hold. Booleans are stored as 0 and 1 (`bool()`); integers stay below 2^53. */
export type SqlValue = number | string | Uint8Array | null

/**
 * A stream position that is not known yet: the `offset`-th position that the commit assigns to the statement list it
 * stands in (0 is the first). Only `commit` can fill it.
 */
export class PositionPlaceholder {
  readonly offset: number
  constructor(offset: number) {
    this.offset = offset
  }
}

/** A list parameter: `WHERE x IN ${inList(values)}`. All members of one list are of one kind. */
export class ListParameter {
  readonly kind: 'integers' | 'texts'
  readonly values: readonly (number | string)[]
  constructor(kind: 'integers' | 'texts', values: readonly (number | string)[]) {
    this.kind = kind
    this.values = values
  }
}

export type SqlParameter = SqlValue | PositionPlaceholder | ListParameter

/** A statement text with its parameters. `strings` is the template's identity: engines cache prepared statements by it. */
export type Sql = { readonly strings: TemplateStringsArray; readonly parameters: readonly SqlParameter[] }

export function sql(strings: TemplateStringsArray, ...parameters: readonly SqlParameter[]): Sql {
  return { strings, parameters }
}

/** The n-th stream position assigned to this commit. A list that uses offsets 0..n-1 is given n positions. */
export function position(offset = 0): PositionPlaceholder {
  return new PositionPlaceholder(offset)
}

/** `IN ${integerList(ids)}`; an empty list matches nothing. */
export function integerList(values: readonly number[]): ListParameter {
  return new ListParameter('integers', values)
}

/** `IN ${textList(names)}`; an empty list matches nothing. */
export function textList(values: readonly string[]): ListParameter {
  return new ListParameter('texts', values)
}

export function bool(value: boolean): number {
  return value ? 1 : 0
}
