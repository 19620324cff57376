/** `holdfast config check` */
import { fileName } from '@holdfast/platform/config/keys'
import { loadSettings } from './settings.ts'
import type { Terminal } from './terminal.ts'

export async function configCheck(terminal: Terminal, options: Readonly<Record<string, unknown>>): Promise<void> {
  const { file, given } = await loadSettings(terminal, options)
  const set =
    given.length === 0 ? 'every setting has its default' : `${given.length} set (${given.map(fileName).join(', ')})`
  terminal.print(`The settings are good: ${file ?? 'no file'}, ${set}.`)
}
