/** The flags of all settings, and the configuration that a command gets from them. */
import { type Command, Option } from 'commander'
import { CONFIG_KEYS, CONFIG_NAMES, type ConfigName, fileName, flagName } from '@holdfast/platform/config/keys'
import { type LoadedConfig, loadConfig } from '@holdfast/platform/config/load'
import { StartProblem } from '../server/start-problem.ts'
import type { Terminal } from './terminal.ts'

/** `--listen <value>` for each row of the table, and `--database-file <path>` for secrets. */
export function addSettingFlags(command: Command): Command {
  command.option('--config <path>', 'the file with settings (default: holdfast.yaml, if there is one)')
  for (const name of CONFIG_NAMES) {
    const { kind, doc, defaultText } = CONFIG_KEYS[name]
    const suffix = defaultText === '' || defaultText === '(none)' ? '' : ` (default: ${defaultText})`
    command.addOption(new Option(`${flagName(name)} <value>`, doc + suffix))
    if (kind.secret) command.addOption(new Option(`${flagName(name)}-file <path>`).hideHelp())
  }
  return command
}

export type Settings = Extract<LoadedConfig, { ok: true }>

/** @throws {StartProblem} with every problem on a line of its own */
export async function loadSettings(terminal: Terminal, options: Readonly<Record<string, unknown>>): Promise<Settings> {
  const loaded = await loadConfig({ env: terminal.env, flags: flagsOf(options), cwd: terminal.cwd })
  if (loaded.ok) return loaded
  const lines = loaded.problems.map(({ where, message }) => `  ${where}: ${message}`)
  throw new StartProblem('settings', `the settings cannot be used:\n${lines.join('\n')}`)
}

/** Commander hands over `tlsListen`, the loader knows `tls_listen`. A command's own flags are none of the loader's. */
function flagsOf(options: Readonly<Record<string, unknown>>): Record<string, string> {
  const flags: Record<string, string> = {}
  for (const [option, value] of Object.entries(options)) {
    if (typeof value === 'string' && SETTING_OPTIONS.has(option)) flags[fileName(option as ConfigName)] = value
  }
  return flags
}

const SETTING_OPTIONS = new Set<string>(['config', ...CONFIG_NAMES.flatMap((name) => [name, `${name}File`])])
