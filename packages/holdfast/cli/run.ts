/** Runs one command line to its end and says how it went. */
import { CommanderError } from 'commander'
import { EXIT_CODES } from '../server/start-problem.ts'
import { verdictOn } from './problem.ts'
import { createProgram } from './program.ts'
import type { Terminal } from './terminal.ts'

/** @returns the exit code */
export async function runCommand(terminal: Terminal, args: readonly string[]): Promise<number> {
  try {
    await createProgram(terminal).parseAsync([...args], { from: 'user' })
    return 0
  } catch (error) {
    // Commander has said what was wrong; help and version are no problem.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT_CODES.settings
    const { exitCode, message } = verdictOn(error)
    terminal.complain(`holdfast: ${message}`)
    return exitCode
  }
}
