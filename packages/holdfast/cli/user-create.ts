/** `holdfast user create NAME` */
import { createUser } from '../server/create-user.ts'
import { askPassword } from './ask-password.ts'
import { onData } from './on-data.ts'
import { loadSettings } from './settings.ts'
import type { Terminal } from './terminal.ts'

export async function userCreate(
  terminal: Terminal,
  username: string,
  options: Readonly<Record<string, unknown>>,
): Promise<void> {
  const settings = await loadSettings(terminal, options)
  const user = { username, password: await askPassword(terminal), isAdmin: options['admin'] === true }
  const userId = await onData(settings, {
    action: 'users',
    body: user,
    answer: 'user_id',
    direct: ({ homeserver }) => createUser(homeserver.parts, user),
  })
  terminal.print(`${userId} can log in now.`)
}
