/** `holdfast keys rotate` */
import { onData } from './on-data.ts'
import { loadSettings } from './settings.ts'
import type { Terminal } from './terminal.ts'

export async function keysRotate(terminal: Terminal, options: Readonly<Record<string, unknown>>): Promise<void> {
  const settings = await loadSettings(terminal, options)
  const keyId = await onData(settings, {
    action: 'signing-keys',
    body: {},
    answer: 'key_id',
    direct: async ({ homeserver }) => (await homeserver.parts.signingKeys.rotate()).keyId,
  })
  terminal.print(`The server signs with ${keyId} from now on; the key before it still proves what it signed.`)
}
