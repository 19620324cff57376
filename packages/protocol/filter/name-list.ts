/** Lists of what to include and what to exclude, ready to be asked about one name after another. */
import { compileGlob, type Glob } from '../text/glob.ts'

export type NameRule = {
  readonly allows: (name: string) => boolean
  /** The list of what to include is there and empty, so that nothing passes. */
  readonly allowsNothing: boolean
}

const EVERYTHING: NameRule = Object.freeze({ allows: () => true, allowsNothing: false })

type Lists = { readonly include: readonly string[] | undefined; readonly exclude: readonly string[] | undefined }

/** Exact names. What is excluded stays so even when it is included too. */
export function exactRule({ include, exclude }: Lists): NameRule {
  return ruleOf({ include, exclude }, (names) => {
    const known = new Set(names)
    return (name) => known.has(name)
  })
}

/** Event types, where `*` is any sequence of characters and nothing else is special. */
export function typeRule({ include, exclude }: Lists): NameRule {
  return ruleOf({ include, exclude }, matcherOf)
}

function ruleOf(
  { include, exclude }: Lists,
  compile: (names: readonly string[]) => (name: string) => boolean,
): NameRule {
  const excluded = exclude === undefined || exclude.length === 0 ? undefined : compile(exclude)
  if (include === undefined && excluded === undefined) return EVERYTHING
  const included = include === undefined ? undefined : compile(include)
  return {
    allows: (name) => included?.(name) !== false && excluded?.(name) !== true,
    allowsNothing: include?.length === 0,
  }
}

function matcherOf(patterns: readonly string[]): (name: string) => boolean {
  const literal = new Set(patterns.filter((pattern) => !pattern.includes('*')))
  const globs: Glob[] = patterns
    .filter((pattern) => pattern.includes('*'))
    .map((pattern) => compileGlob(pattern, { questionMark: false }))
  return (name) => literal.has(name) || globs.some((glob) => glob.matches(name))
}
