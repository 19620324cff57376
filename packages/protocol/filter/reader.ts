/** Reads members of a filter with their types, and remembers the first that is wrong. */
import { parseRoomId } from '../ids/room-id.ts'
import { parseUserId } from '../ids/user-id.ts'
import { isObject, type JsonObject, type JsonValue } from '../json/value.ts'
import { INPUT_LIMITS } from '../limits.ts'

/** What is wrong with a filter: where, and a sentence for the person who wrote it. */
export type FilterProblem = { readonly path: string; readonly message: string }

export type FilterParsed<Value> =
  | { readonly ok: true; readonly filter: Value }
  | { readonly ok: false; readonly problem: FilterProblem }

/** Reads one object of the filter; absent members are undefined, wrong ones too but noted. */
export type FilterReader = {
  readonly child: (name: string) => FilterReader
  readonly boolean: (name: string) => boolean | undefined
  readonly limit: (name: string) => number | undefined
  readonly oneOf: <Name extends string>(name: string, choices: readonly Name[]) => Name | undefined
  readonly strings: (name: string) => readonly string[] | undefined
  readonly userIds: (name: string) => readonly string[] | undefined
  readonly roomIds: (name: string) => readonly string[] | undefined
}

/** Runs `read` over the value; its answer counts only when nothing was wrong. */
export function readFilter<Value>(value: JsonValue, read: (reader: FilterReader) => Value): FilterParsed<Value> {
  const problems: FilterProblem[] = []
  const note = (path: string, expected: string): void => {
    problems.push({ path, message: `${path === '' ? 'The filter' : path} must be ${expected}.` })
  }
  const filter = read(readerOf(value, { path: '', note }))
  const [problem] = problems
  return problem === undefined ? { ok: true, filter } : { ok: false, problem }
}

type Place = { readonly path: string; readonly note: (path: string, expected: string) => void }

function readerOf(value: JsonValue | undefined, { path, note }: Place): FilterReader {
  if (value !== undefined && !isObject(value)) note(path, 'an object')
  const object: JsonObject | undefined = isObject(value) ? value : undefined
  const at = (name: string): string => (path === '' ? name : `${path}.${name}`)
  const read = <Value>(name: string, expected: string, check: (value: JsonValue) => Value | undefined) => {
    const member = memberOf(object, name)
    const checked = member === undefined ? undefined : check(member)
    if (member !== undefined && checked === undefined) note(at(name), expected)
    return checked
  }
  return {
    child: (name) => readerOf(memberOf(object, name), { path: at(name), note }),
    boolean: (name) => read(name, 'true or false', (member) => (typeof member === 'boolean' ? member : undefined)),
    limit: (name) => read(name, 'a whole number, and not negative', checkLimit),
    oneOf: (name, choices) => read(name, choices.join(' or '), (member) => choices.find((choice) => choice === member)),
    strings: (name) => read(name, listOf('strings'), (member) => checkList(member, () => true)),
    userIds: (name) =>
      read(name, listOf('user IDs'), (member) => checkList(member, (id) => parseUserId(id) !== undefined)),
    roomIds: (name) =>
      read(name, listOf('room IDs'), (member) => checkList(member, (id) => parseRoomId(id) !== undefined)),
  }
}

function memberOf(object: JsonObject | undefined, name: string): JsonValue | undefined {
  return object !== undefined && Object.hasOwn(object, name) ? object[name] : undefined
}

// The specification of 2018 has no lower bound, and clients of that time ask for 0 events.
function checkLimit(member: JsonValue): number | undefined {
  return Number.isSafeInteger(member) && (member as number) >= 0 ? (member as number) : undefined
}

function listOf(what: string): string {
  return `a list of at most ${INPUT_LIMITS.filterListEntriesMax} ${what}`
}

function checkList(member: JsonValue, isGood: (item: string) => boolean): readonly string[] | undefined {
  if (!Array.isArray(member) || member.length > INPUT_LIMITS.filterListEntriesMax) return undefined
  return member.every((item) => typeof item === 'string' && isGood(item)) ? (member as string[]) : undefined
}
