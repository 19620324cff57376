/** Where raw settings come from: a YAML file, environment variables, flags. Each remembers its place, for error messages. */
import { nearestWord } from './nearest.ts'
import { CONFIG_KEYS, CONFIG_NAMES, type ConfigName, fileName, variableName } from './keys.ts'

export type RawSetting = {
  readonly raw: unknown
  /** `holdfast.yaml:3`, `HOLDFAST_LISTEN`, `--listen` */
  readonly where: string
  /** The place of a member of a compound value. */
  readonly whereOf?: (member: string) => string
  /** `raw` is the path of a file that holds the value. */
  readonly inFile: boolean
}

export type Settings = Map<ConfigName, RawSetting>

export type ConfigProblem = { readonly where: string; readonly message: string }

export type Source = { readonly settings: Settings; readonly problems: readonly ConfigProblem[] }

const FILE_SUFFIX = '_file'
/** Names as they stand in a file, each with the setting it gives. A secret may also be given as the path of a file. */
const NAMES = new Map<string, { name: ConfigName; inFile: boolean }>(
  CONFIG_NAMES.flatMap((name) => {
    const plain = [fileName(name), { name, inFile: false }] as const
    return CONFIG_KEYS[name].kind.secret
      ? [plain, [`${fileName(name)}${FILE_SUFFIX}`, { name, inFile: true }]]
      : [plain]
  }),
)

/**
 * Variables that are not settings: the path of the file, the checkout that test suites of others start, and what
 * Kubernetes sets beside a service called holdfast.
 */
const OTHER_VARIABLES = /^HOLDFAST_(?:CONFIG|CHECKOUT|SERVICE_(?:HOST|PORT)(?:_.*)?|PORT(?:_\d.*)?)$/

export function fromEnvironment(env: Readonly<Record<string, string | undefined>>): Source {
  const settings: Settings = new Map()
  const problems: ConfigProblem[] = []
  for (const [variable, raw] of Object.entries(env)) {
    if (!variable.startsWith('HOLDFAST_') || raw === undefined || OTHER_VARIABLES.test(variable)) continue
    const found = NAMES.get(variable.slice('HOLDFAST_'.length).toLowerCase())
    if (found === undefined || variable !== variable.toUpperCase()) {
      problems.push({ where: variable, message: unknownName(variable, [...NAMES.values()].map(variableOf)) })
    } else if (raw !== '') {
      settings.set(found.name, { raw, where: variable, inFile: found.inFile })
    }
  }
  return { settings, problems }
}

/** @param flags by name in a file, as the command line's parser gives them */
export function fromFlags(flags: Readonly<Record<string, string>>): Source {
  const settings: Settings = new Map()
  const problems: ConfigProblem[] = []
  for (const [name, raw] of Object.entries(flags)) {
    const where = `--${name.replaceAll('_', '-')}`
    const found = NAMES.get(name)
    if (found === undefined) problems.push({ where, message: unknownName(name, [...NAMES.keys()]) })
    else settings.set(found.name, { raw, where, inFile: found.inFile })
  }
  return { settings, problems }
}

/** Loads the YAML parser only when there is YAML. */
export async function fromYaml(label: string, yaml: string): Promise<Source> {
  const { isMap, isScalar, LineCounter, parseDocument } = await import('yaml')
  const lines = new LineCounter()
  const document = parseDocument(yaml, { lineCounter: lines, prettyErrors: false })
  const at = (offset: number | undefined) => `${label}:${lines.linePos(offset ?? 0).line}`
  const settings: Settings = new Map()
  const problems: ConfigProblem[] = document.errors.map(({ pos, message }) => ({ where: at(pos[0]), message }))
  if (problems.length > 0 || document.contents === null) return { settings, problems }
  if (!isMap(document.contents)) {
    return { settings, problems: [{ where: at(0), message: 'must consist of lines of the form "key: value"' }] }
  }
  for (const { key, value } of document.contents.items) {
    const name = isScalar(key) ? String(key.value) : ''
    const where = at(isScalar(key) ? key.range?.[0] : undefined)
    const found = NAMES.get(name)
    if (found === undefined) {
      problems.push({ where, message: unknownName(name, [...NAMES.keys()]) })
      continue
    }
    const raw = (value as { toJSON(): unknown } | null)?.toJSON() ?? null
    // "key:" with nothing behind it is how people comment a value out.
    if (raw === null) continue
    const whereOf = (member: string) => {
      const inner = isMap(value)
        ? value.items.find((item) => isScalar(item.key) && item.key.value === member)
        : undefined
      return isScalar(inner?.key) ? at(inner.key.range?.[0]) : where
    }
    settings.set(found.name, { raw, where, whereOf, inFile: found.inFile })
  }
  return { settings, problems }
}

function variableOf({ name, inFile }: { name: ConfigName; inFile: boolean }): string {
  return variableName(name) + (inFile ? FILE_SUFFIX.toUpperCase() : '')
}

function unknownName(name: string, known: readonly string[]): string {
  const nearest = nearestWord(name, known)
  return `unknown key "${name}"${nearest === undefined ? '' : `; did you mean "${nearest}"?`}`
}
