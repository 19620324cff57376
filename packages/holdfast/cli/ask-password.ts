/** A password from the terminal or from the input, never from the command line, where every process could read it. */
import { StartProblem } from '../server/start-problem.ts'
import type { Terminal } from './terminal.ts'

export async function askPassword(terminal: Terminal): Promise<string> {
  const password = await terminal.askSecret('Password: ')
  if (password === undefined || password === '') {
    throw new StartProblem('refused', 'no password: type one, or pass it on standard input')
  }
  if (!terminal.interactive) return password
  const again = await terminal.askSecret('Again: ')
  if (again !== password) throw new StartProblem('refused', 'the two passwords differ')
  return password
}
