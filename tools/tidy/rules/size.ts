/** Files and functions stay small enough to read at once; what was longer may only shrink. */
import { type FunctionSpan, findFunctions } from '../functions.ts'
import { type Finding, type Repository, type SourceFile } from '../repository.ts'

export const FILE_LINES_MAX = 500
export const FUNCTION_LINES_MAX = 70
export const RATCHET_PATH = 'tools/tidy-ratchet.json'

export type SizeRecord = { readonly lines?: number; readonly longestFunction?: number }
export type SizeRatchet = Readonly<Record<string, SizeRecord>>

/** A function that holds tests is a chapter; the tests are the functions. */
const TESTS = new Set(['test', 'it'])

type Measure = { readonly lines: number; readonly longest: { name: string; line: number; lines: number } }

export function checkSize(repository: Repository): Finding[] {
  const ratchet = readRatchet(repository)
  const gone = Object.keys(ratchet).filter((path) => !repository.has(path))
  return [
    ...gone.map((path) => finding(RATCHET_PATH, 1, `${path} does not exist any more: remove its entry`)),
    ...repository.sources.flatMap((file) => sizeFindings(file, ratchet[file.path] ?? {})),
  ]
}

export function readRatchet(repository: Repository): SizeRatchet {
  return JSON.parse(repository.read(RATCHET_PATH) ?? '{}') as SizeRatchet
}

function sizeFindings(file: SourceFile, record: SizeRecord): Finding[] {
  const { lines, longest } = measure(file)
  const found: Finding[] = []
  const linesMax = record.lines ?? FILE_LINES_MAX
  if (lines > linesMax) found.push(finding(file.path, 1, `the file has ${lines} lines, over its ${linesMax}: split it`))
  if (record.lines !== undefined && lines < record.lines) found.push(slack(file.path, 'lines', lines))
  const functionMax = record.longestFunction ?? FUNCTION_LINES_MAX
  if (longest.lines > functionMax) {
    const message = `${longest.name} has ${longest.lines} lines, over the ${functionMax} of a function here: split it`
    found.push(finding(file.path, longest.line, message))
  }
  if (record.longestFunction !== undefined && longest.lines < record.longestFunction) {
    found.push(slack(file.path, 'longestFunction', longest.lines))
  }
  return found
}

function slack(path: string, key: string, now: number): Finding {
  return finding(
    RATCHET_PATH,
    1,
    `${path} has shrunk: its "${key}" is now ${now} ("npm run tidy -- --update" records it)`,
  )
}

function finding(path: string, line: number, message: string): Finding {
  return { path, line, rule: 'size', message }
}

function measure(file: SourceFile): Measure {
  const functions = findFunctions(file.tokens)
  const tests = file.isTest ? functions.filter(({ argumentOf }) => TESTS.has(argumentOf ?? '')) : []
  const counted = functions.filter((one) => tests.includes(one) || !tests.some(({ line }) => holds(one, line)))
  const none = { name: '', line: 1, lines: 0 }
  return { lines: file.lineCount, longest: counted.reduce((a, b) => (b.lines > a.lines ? b : a), none) }
}

function holds(outer: FunctionSpan, line: number): boolean {
  return outer.line <= line && line < outer.line + outer.lines
}

/** The ratchet after work was done: entries only fall, and go when they are within the limits. Nothing is added. */
export function shrinkRatchet(repository: Repository): SizeRatchet {
  const entries = Object.entries(readRatchet(repository)).flatMap(([path, record]) => {
    const file = repository.sources.find((source) => source.path === path)
    if (file === undefined) return []
    const { lines, longest } = measure(file)
    const next: SizeRecord = {
      ...keep('lines', record.lines, lines, FILE_LINES_MAX),
      ...keep('longestFunction', record.longestFunction, longest.lines, FUNCTION_LINES_MAX),
    }
    return Object.keys(next).length === 0 ? [] : [[path, next] as const]
  })
  return Object.fromEntries(entries)
}

function keep(key: string, recorded: number | undefined, now: number, max: number): Record<string, number> {
  return recorded === undefined || now <= max ? {} : { [key]: Math.min(recorded, now) }
}
