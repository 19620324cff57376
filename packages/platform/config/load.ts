/** Settings from all sources, checked, as one frozen object. A flag beats a variable beats the file beats the default. */
import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { conflicts } from './conflicts.ts'
import { CONFIG_KEYS, CONFIG_NAMES, type Config, type ConfigName, fileName } from './keys.ts'
import type { Kind } from './kinds.ts'
import { type ConfigProblem, fromEnvironment, fromFlags, fromYaml, type RawSetting, type Source } from './sources.ts'

export type ConfigInput = {
  readonly env: Readonly<Record<string, string | undefined>>
  /** Flags by name in a file (`tls_listen`); `config` is the path of the file. */
  readonly flags: Readonly<Record<string, string>>
  /** Where `holdfast.yaml` is looked for. */
  readonly cwd: string
}

export type LoadedConfig =
  | {
      readonly ok: true
      readonly config: Config
      readonly file: string | undefined
      readonly given: readonly ConfigName[]
    }
  | { readonly ok: false; readonly problems: readonly ConfigProblem[] }

const DEFAULT_FILE = 'holdfast.yaml'

export async function loadConfig(input: ConfigInput): Promise<LoadedConfig> {
  const { config: flagFile, ...flags } = input.flags
  const file = await readConfigFile(input.cwd, flagFile ?? input.env['HOLDFAST_CONFIG'])
  if ('problem' in file) return { ok: false, problems: [file.problem] }
  const sources: Source[] = [
    file.text === undefined ? { settings: new Map(), problems: [] } : await fromYaml(file.label, file.text),
    fromEnvironment(input.env),
    fromFlags(flags),
  ]
  const settings = new Map(sources.flatMap((source) => [...source.settings]))
  const problems = sources.flatMap((source) => source.problems)
  const values: Partial<Record<ConfigName, unknown>> = {}
  for (const name of CONFIG_NAMES) {
    const setting = settings.get(name)
    if (setting === undefined) {
      values[name] = CONFIG_KEYS[name].default
      continue
    }
    const read = await readValue(name, setting)
    if ('problem' in read) problems.push(read.problem)
    else values[name] = read.value
  }
  if (problems.length > 0) return { ok: false, problems }
  const config = Object.freeze(values) as Config
  const contradictions = conflicts(config, (name) => settings.get(name)?.where)
  if (contradictions.length > 0) return { ok: false, problems: contradictions }
  return { ok: true, config, file: file.text === undefined ? undefined : file.label, given: [...settings.keys()] }
}

/** The defaults, for tests. */
export function defaultConfig(changes: Partial<Config> = {}): Config {
  const defaults = Object.fromEntries(CONFIG_NAMES.map((name) => [name, CONFIG_KEYS[name].default]))
  return Object.freeze({ ...defaults, ...changes }) as Config
}

type ConfigFile = { readonly label: string; readonly text: string | undefined } | { readonly problem: ConfigProblem }

async function readConfigFile(cwd: string, named: string | undefined): Promise<ConfigFile> {
  const label = named ?? DEFAULT_FILE
  try {
    return { label, text: await readFile(resolve(cwd, label), 'utf8') }
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code === 'ENOENT' && named === undefined) return { label, text: undefined }
    return { problem: { where: label, message: `cannot be read (${code})` } }
  }
}

async function readValue(
  name: ConfigName,
  setting: RawSetting,
): Promise<{ readonly value: unknown } | { readonly problem: ConfigProblem }> {
  let { raw } = setting
  if (setting.inFile) {
    try {
      raw = (await readFile(String(raw), 'utf8')).trim()
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code
      return {
        problem: { where: setting.where, message: `${fileName(name)}_file names a file that cannot be read (${code})` },
      }
    }
  }
  const kind: Kind<unknown> = CONFIG_KEYS[name].kind
  const parsed = kind.parse(raw)
  if (parsed.ok) return { value: parsed.value }
  const where = parsed.at === undefined ? setting.where : (setting.whereOf?.(parsed.at) ?? setting.where)
  return { problem: { where, message: `${fileName(name)} ${parsed.message}` } }
}
