/** The commands and their flags. */
import { Command } from 'commander'
import { VERSION } from '../version.ts'
import { configCheck } from './config-check.ts'
import { SUBJECTS } from '@holdfast/homeserver/explain/explain'
import { explainCommand } from './explain.ts'
import { keysRotate } from './keys-rotate.ts'
import { addSettingFlags } from './settings.ts'
import { start } from './start.ts'
import type { Terminal } from './terminal.ts'
import { tokenCreate } from './token-create.ts'
import { userCreate } from './user-create.ts'

type Options = Readonly<Record<string, unknown>>

export function createProgram(terminal: Terminal): Command {
  const program = new Command('holdfast')
    .description('A whole Matrix home. Every setting can also stand in holdfast.yaml or the environment.')
    .version(VERSION)
    .configureOutput({
      writeOut: (text) => terminal.print(text.trimEnd()),
      writeErr: (text) => terminal.complain(text.trimEnd()),
    })
    .showSuggestionAfterError()
    .exitOverride()
  addSettingFlags(program.command('start', { isDefault: true }))
    .description('start the server (the default command)')
    // A word that is no command lands here, since this is the default.
    .allowExcessArguments(true)
    .action((options: Options, { args: [word] }: Command) => {
      if (word === undefined) return start(terminal, options)
      return program.error(`error: "${word}" is neither a command nor a flag; "holdfast --help" lists the commands`)
    })
  const user = program.command('user').description('accounts')
  addSettingFlags(user.command('create <name>'))
    .description('create an account; the password is asked for, or read from standard input')
    .option('--admin', 'make it an administrator')
    .action((name: string, options: Options) => userCreate(terminal, name, options))
  const token = program.command('token').description('registration tokens')
  addSettingFlags(token.command('create'))
    .description('create a registration token and print it')
    .option('--uses <number>', 'how many accounts it is good for (default: any number)')
    .option('--expires <duration>', 'how long it is good, such as 7d (default: for ever)')
    .action((options: Options) => tokenCreate(terminal, options))
  const keys = program.command('keys').description('the keys that the server signs with')
  addSettingFlags(keys.command('rotate'))
    .description('sign with a new key; other servers learn of it by themselves')
    .action((options: Options) => keysRotate(terminal, options))
  const explain = program.command('explain').description('what the server knows of something, and why')
  for (const subject of SUBJECTS) {
    addSettingFlags(explain.command(`${subject} <${subject === 'server' ? 'name' : 'id'}>`))
      .description(EXPLAINED[subject])
      .option('--json', 'print JSON')
      .action((id: string, options: Options) => explainCommand(terminal, { subject, id }, options))
  }
  const config = program.command('config').description('settings')
  addSettingFlags(config.command('check'))
    .description('check the settings without starting')
    .action((options: Options) => configCheck(terminal, options))
  return program
}

const EXPLAINED = {
  event: 'why an event was refused, what it changed, and which servers did not hear of it yet',
  room: 'who is in a room, where it stands, what changed last and what was refused',
  server: 'whether another server answers, what waits for it and why, its keys, and the rooms that it shares',
} as const satisfies Record<(typeof SUBJECTS)[number], string>
